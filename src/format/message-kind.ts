/** Kinds of messages, for formats that have them in a certain order. */
import type { Message } from '../model/index.ts'

/** A message's type, where a text with buttons is a kind of its own. */
export type MessageKind = Message['type'] | 'buttons'

/** The kind of a message. */
export function kindOf(message: Message): MessageKind {
	return message.type === 'text' && message.buttons ? 'buttons' : message.type
}
