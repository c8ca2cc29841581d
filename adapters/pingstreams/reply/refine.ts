/** What an answer can say of a file and of a hand-over only in part. */
import { type CanonicalReply, compact, compactOrNone, type Message, type Report } from '../../../src/format/index.ts'
import { mediaKindOf } from '../media.ts'
import type { Control } from './actions.ts'

/** The reply with the media types and the hand-over that an answer can tell. */
export function refineReply(reply: CanonicalReply, report: Report): CanonicalReply {
	const { messages, control } = reply
	return compact<CanonicalReply>({
		...reply,
		messages: messages.map((message, i) => refineMessage(message, `messages[${i}]`, report)),
		control: control && compactOrNone<Control>({ ...control, handover: refineHandover(control.handover, report) }),
	})
}

/** The media type is all that parts sounds, films and other files: one that names another kind is dropped. */
function refineMessage(message: Message, path: string, report: Report): Message {
	if (!('mimeType' in message) || message.mimeType === undefined) return message
	const { mimeType, ...others } = message
	if (mediaKindOf(undefined, { type: mimeType }) === message.type) return message
	report({
		did: 'dropped',
		feature: 'reply.media.mimeType',
		path: `${path}.mimeType`,
		detail: 'it contradicts the type',
	})
	return others
}

/** Departments and bots go by their name, and a human has none. */
function refineHandover(handover: Control['handover'], report: Report): Control['handover'] {
	if (!handover) return undefined
	const { to, name } = handover
	const path = 'control.handover'
	if (to !== 'human') {
		if (name !== undefined) return handover
		report({ did: 'dropped', feature: 'reply.control.handover', path, detail: 'it has no name' })
		return undefined
	}
	if (name !== undefined) report({ did: 'dropped', feature: 'reply.control.handover.name', path: `${path}.name` })
	return { to }
}
