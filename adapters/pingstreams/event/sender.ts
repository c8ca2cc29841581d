/**
 * Who sent a message, and who the user is: Tiledesk/tiledesk-server, models/lead.js, and
 * https://pingstreams-website.pages.dev/docs/developer/apis/rest-apis/requests_mdx
 */
import { type Attributes, type CanonicalEvent, compactOrNone, nonEmpty } from '../../../src/format/index.ts'
import { withoutSecrets } from './attributes.ts'
import type { Call } from './call.ts'

export type Sender = 'user' | 'bot' | 'agent' | 'system'
type User = CanonicalEvent['user']

/** The sender of the platform's own messages. */
const system = 'system'
/** The sender of the flow's own messages. */
export const internal = '_tdinternal'
/** Precedes the id of a bot that takes part in a conversation. */
const botPrefix = 'bot_'
/** The sender that we write for a member of the project: the model has no field for which one it was. */
export const anyAgent = 'agent'

/** Ids that no user has. */
export const otherSenders: readonly string[] = [system, internal, anyAgent]
/** The regular expression that a user's id must match. */
export const userIdPattern = `^(?!${botPrefix})`

export function decodeSender({ isMessage, message, bot, botId }: Call): Sender {
	const { sender } = message
	if (!isMessage) return 'system'
	const lead = message.request?.lead?.lead_id
	if (!sender || sender === lead || sender === internal) return 'user'
	if (sender === system) return 'system'
	if (sender.startsWith(botPrefix) || sender === botId || sender === bot?._id) return 'bot'
	// Without the user's id, every other sender counts as the user.
	return lead ? 'agent' : 'user'
}

export function encodeSender({ sender, user, bot }: CanonicalEvent): string | undefined {
	switch (sender) {
		case 'bot':
			return botPrefix + (bot?.id ?? '')
		case 'agent':
			return anyAgent
		case 'system':
			return system
		default:
			return user?.id
	}
}

export function decodeUser({ message, variables }: Call, sender: Sender): User {
	const lead = message.request?.lead
	const isUser = sender === 'user' && message.sender !== internal
	const fields = compactOrNone({
		id: (isUser ? nonEmpty(message.sender) : undefined) ?? nonEmpty(lead?.lead_id),
		name:
			nonEmpty(lead?.fullname) ??
			(isUser ? nonEmpty(message.senderFullname) : undefined) ??
			textVariable(variables, 'userFullname'),
		email: nonEmpty(lead?.email) ?? textVariable(variables, 'userEmail'),
		phone: nonEmpty(lead?.phone) ?? textVariable(variables, 'userPhone'),
	})
	const attributes = withoutSecrets(lead?.attributes ?? {})
	return fields || Object.keys(attributes).length > 0 ? { ...fields, attributes } : undefined
}

/** The user as the platform's lead. */
export function encodeUser(user: User): object {
	return {
		lead_id: user?.id,
		fullname: user?.name,
		email: user?.email,
		phone: user?.phone,
		attributes: compactOrNone(user?.attributes ?? {}),
	}
}

/** A variable that is a string with at least one character. */
export function textVariable(variables: Attributes, name: string): string | undefined {
	const value = variables[name]
	return typeof value === 'string' ? nonEmpty(value) : undefined
}
