/** Builds replies in few words: `reply(['Hello', choices('Which one?', [{ title: 'Red', value: 'red' }])])`. */
import type { Attributes, BackendReply, Button, Card, Choice, Message } from '../model/index.ts'

type Of<Type extends Message['type']> = Extract<Message, { type: Type }>
type More<Type extends Message['type'], Own extends keyof Of<Type>> = Omit<Of<Type>, 'type' | Own>

/** What a reply has besides its messages. */
export interface ReplyParts extends Pick<BackendReply, 'control' | 'overrides'> {
	/** Attributes to store with the conversation; null deletes one. */
	readonly session?: Attributes
	/** Attributes to store with the user, across conversations; null deletes one. */
	readonly user?: Attributes
}

/** A reply with these messages; a string is a text. */
export function reply(
	messages: string | Message | readonly (string | Message)[],
	{ session, user, control, overrides }: ReplyParts = {},
): BackendReply {
	const list = isList(messages) ? messages : [messages]
	return {
		messages: list.map((message) => (typeof message === 'string' ? text(message) : message)),
		...((session || user) && { attributes: { ...(session && { session }), ...(user && { user }) } }),
		...(control && { control }),
		...(overrides && { overrides }),
	}
}

function isList<T>(value: T | readonly T[]): value is readonly T[] {
	return Array.isArray(value)
}

/** A text, with buttons or other wordings if it has any. */
export function text(text: string, more: More<'text', 'text'> = {}): Of<'text'> {
	return { type: 'text', text, ...more }
}

/** An image at an absolute URL. */
export function image(url: string, more: More<'image', 'url'> = {}): Of<'image'> {
	return { type: 'image', url, ...more }
}

/** A video at an absolute URL. */
export function video(url: string, more: More<'video', 'url'> = {}): Of<'video'> {
	return { type: 'video', url, ...more }
}

/** A sound at an absolute URL. */
export function audio(url: string, more: More<'audio', 'url'> = {}): Of<'audio'> {
	return { type: 'audio', url, ...more }
}

/** A file at an absolute URL. */
export function file(url: string, more: More<'file', 'url'> = {}): Of<'file'> {
	return { type: 'file', url, ...more }
}

/** A question and its options, at least one. */
export function choices(
	text: string,
	choices: Choice[],
	more: More<'choices', 'text' | 'choices'> = {},
): Of<'choices'> {
	return { type: 'choices', text, choices, ...more }
}

/** Cards side by side, at least one. */
export function cards(cards: Card[], more: More<'cards', 'cards'> = {}): Of<'cards'> {
	return { type: 'cards', cards, ...more }
}

/** A button whose value comes back in `event.choice`. */
export function postback(title: string, value: string): Button {
	return { type: 'postback', title, value }
}

/** A button that opens a page. */
export function link(title: string, url: string): Button {
	return { type: 'link', title, url }
}

/** A button that opens a page inside the chat. */
export function webview(title: string, url: string, height?: 'compact' | 'tall' | 'full'): Button {
	return { type: 'webview', title, url, ...(height && { height }) }
}

/** A button that calls a telephone number. */
export function callButton(title: string, number: string): Button {
	return { type: 'phone', title, number }
}
