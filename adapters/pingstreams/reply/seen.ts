/** What the widget shows of an answer: Tiledesk/chat21-web-widget, message-attachment; Tiledesk/tiledesk-server, services/faqBotSupport.js. */
import {
	type CanonicalEvent,
	type CanonicalReply,
	compact,
	type Message,
	nonEmptyList,
} from '../../../src/format/index.ts'
import type { AnsweredDialect } from '../dialect.ts'
import { isPressed } from './refine.ts'

/** The messages with the buttons that show; in the older engine, the intent's static reply in place of none. */
export function seenByUser(
	reply: CanonicalReply,
	{ defaultReply }: CanonicalEvent,
	dialect: AnsweredDialect,
): CanonicalReply {
	const { messages } = reply
	if (dialect === 'server' && messages.length === 0) return { ...reply, messages: defaultReply ?? [staticReply] }
	return { ...reply, messages: messages.map((each, i) => (i < messages.length - 1 ? withLinksOnly(each) : each)) }
}

const staticReply: Message = { type: 'text', text: '(the static reply of the intent)' }

/** Only the last message has buttons that can be pressed. */
function withLinksOnly(message: Message): Message {
	if (message.type !== 'text' || !message.buttons) return message
	return compact<Message>({ ...message, buttons: nonEmptyList(message.buttons.filter((each) => !isPressed(each))) })
}
