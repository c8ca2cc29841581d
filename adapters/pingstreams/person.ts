/**
 * Who sends a message, and who the user is: Tiledesk/tiledesk-server, models/lead.js, and
 * https://pingstreams-website.pages.dev/docs/developer/apis/rest-apis/requests_mdx
 */
import { type Attributes, type CanonicalEvent, compactOrNone, nonEmpty } from '../../src/format/index.ts'
import { withoutSecrets } from './attributes.ts'
import type { Call } from './call.ts'

export type Sender = 'user' | 'bot' | 'agent' | 'system'
type User = CanonicalEvent['user']

/** Who sends on behalf of the platform, and of the flow. */
const system = 'system'
export const internal = '_tdinternal'
/** Stands before the id of a bot that takes part in a conversation. */
const botPrefix = 'bot_'
/** Stands for somebody of the project's people, whose id the model has no place for. */
export const somebody = 'agent'

/** Ids that no user has. */
export const idsOfOthers: readonly string[] = [system, internal, somebody]
/** What the id of a user matches. */
export const userId = `^(?!${botPrefix})`

export function readSender({ isMessage, message, bot, botId }: Call): Sender {
	const { sender } = message
	if (!isMessage) return 'system'
	const lead = message.request?.lead?.lead_id
	if (!sender || sender === lead || sender === internal) return 'user'
	if (sender === system) return 'system'
	if (sender.startsWith(botPrefix) || sender === botId || sender === bot?._id) return 'bot'
	// Without the user's id, everybody else is taken for the user.
	return lead ? 'agent' : 'user'
}

export function writeSender({ sender, user, bot }: CanonicalEvent): string | undefined {
	switch (sender) {
		case 'bot':
			return botPrefix + (bot?.id ?? '')
		case 'agent':
			return somebody
		case 'system':
			return system
		default:
			return user?.id
	}
}

export function readUser({ message, variables }: Call, sender: Sender): User {
	const lead = message.request?.lead
	const isUser = sender === 'user' && message.sender !== internal
	const known = compactOrNone({
		id: (isUser ? nonEmpty(message.sender) : undefined) ?? nonEmpty(lead?.lead_id),
		name:
			nonEmpty(lead?.fullname) ??
			(isUser ? nonEmpty(message.senderFullname) : undefined) ??
			saidIn(variables, 'userFullname'),
		email: nonEmpty(lead?.email) ?? saidIn(variables, 'userEmail'),
		phone: nonEmpty(lead?.phone) ?? saidIn(variables, 'userPhone'),
	})
	const attributes = withoutSecrets(lead?.attributes ?? {})
	return known || Object.keys(attributes).length > 0 ? { ...known, attributes } : undefined
}

export function writeLead(user: User): object {
	return {
		lead_id: user?.id,
		fullname: user?.name,
		email: user?.email,
		phone: user?.phone,
		attributes: compactOrNone(user?.attributes ?? {}),
	}
}

function saidIn(variables: Attributes, name: string): string | undefined {
	const value = variables[name]
	return typeof value === 'string' ? nonEmpty(value) : undefined
}
