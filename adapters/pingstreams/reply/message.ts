/**
 * Messages of the bot: https://developer.tiledesk.com/widget/advanced/widget-json-protocol and /resolution-bot/rich-messages;
 * Tiledesk/chat21-web-widget, utils-message.ts.
 */
import * as v from 'valibot'
import {
	type Button,
	type Card,
	compact,
	fieldPath,
	type Message,
	nonEmpty,
	nonEmptyList,
	type Path,
	unreachable,
} from '../../../src/format/index.ts'
import { type ButtonAction, decodeButtonAction, encodeButtonAction } from '../button-action.ts'
import type { Dialect } from '../dialect.ts'
import { decodeMimeType, encodeMimeType, Metadata, mediaKindOf } from '../media.ts'

const text = v.nullish(v.string())
const WireButton = v.object({
	type: text,
	value: text,
	link: text,
	target: text,
	action: text,
	/** Whether the label shows up as the user's message: it does. */
	show_echo: v.nullish(v.boolean()),
})
type WireButton = v.InferOutput<typeof WireButton>
const buttons = v.nullish(v.array(WireButton))
const WireCard = v.object({ preview: v.nullish(v.object({ src: text })), title: text, description: text, buttons })
type WireCard = v.InferOutput<typeof WireCard>

export const WireMessage = v.object({
	type: text,
	text,
	metadata: Metadata,
	attributes: v.nullish(
		v.object({
			attachment: v.nullish(v.object({ type: text, buttons, gallery: v.nullish(v.array(WireCard)) })),
			/** The engine's own mark of a text in which it looks for markup. */
			markbot: v.nullish(v.boolean()),
		}),
	),
})
export type WireMessage = v.InferOutput<typeof WireMessage>

/** A message as we encode it. */
export interface EncodedMessage {
	readonly type: string
	readonly text: string | undefined
	readonly metadata?: object
	readonly attributes?: object
}

/** What the mapping of messages depends on. */
export interface MessageContext {
	readonly dialect: Dialect
	/** The words of a message that has none. */
	readonly caption: string
	/** The intent that receives the value of a pressed button. */
	readonly home: string | undefined
}

/** A message as messages of the model: a file, and words with buttons, are two. */
export function decodeMessage(
	{ text, type, metadata, attributes }: WireMessage,
	{ caption }: MessageContext,
): Message[] {
	const { buttons: wireButtons, gallery } = attributes?.attachment ?? {}
	const words = text?.trim() ? text : undefined
	const buttons = (wireButtons ?? []).flatMap(decodeButton)
	const cards = nonEmptyList((gallery ?? []).flatMap(decodeCard))
	const url = nonEmpty(metadata?.src)
	if (cards) return [...decodeText(words === caption ? undefined : words, buttons, caption), { type: 'cards', cards }]
	if (url === undefined) return decodeText(words, buttons, caption)
	if (type === 'frame' && mediaKindOf(type, metadata) !== 'video') {
		return decodeText(words, [{ type: 'webview', title: words ?? url, url }, ...buttons], caption)
	}
	const file = decodeFile(type, metadata, url, buttons.length > 0 ? undefined : words)
	const fileWords = 'alt' in file ? file.alt : 'name' in file ? file.name : undefined
	const isWhole = buttons.length === 0 && (words === fileWords || words === caption)
	return isWhole ? [file] : [file, ...decodeText(words, buttons, caption)]
}

export function encodeMessage(message: Message, context: MessageContext): EncodedMessage {
	switch (message.type) {
		case 'cards': {
			const gallery = message.cards.map((card) => encodeCard(card, context))
			return { type: 'gallery', text: context.caption, attributes: { attachment: { type: 'template', gallery } } }
		}
		case 'text': {
			const { text, buttons } = message
			if (!buttons) return { type: 'text', text }
			const attachment = { type: 'template', buttons: buttons.map((button) => encodeButton(button, context)) }
			return { type: 'text', text, attributes: { attachment } }
		}
		case 'image':
			return { type: 'image', text: message.alt, metadata: { src: message.url } }
		case 'video': {
			const { url, name, mimeType } = message
			return { type: 'frame', text: name, metadata: { src: url, type: encodeMimeType('video', mimeType) } }
		}
		case 'audio':
		case 'file': {
			const { type, url, name, mimeType } = message
			return { type: 'file', text: name, metadata: { src: url, name, type: encodeMimeType(type, mimeType) } }
		}
		case 'choices':
			return unreachable(message)
	}
}

function decodeText(words: string | undefined, buttons: Button[], caption: string): Message[] {
	if (words === undefined && buttons.length === 0) return []
	return [compact<Message>({ type: 'text', text: words ?? caption, buttons: nonEmptyList(buttons) })]
}

function decodeFile(type: WireMessage['type'], metadata: Metadata, url: string, words: string | undefined): Message {
	const kind = mediaKindOf(type, metadata)
	if (kind === 'image') return compact<Message>({ type: 'image', url, alt: words })
	const name = nonEmpty(metadata?.name) ?? words
	return compact<Message>({ type: kind, url, name, mimeType: decodeMimeType(metadata) })
}

/** No card for one without a title or a description. */
function decodeCard({ preview, title, description, buttons }: WireCard): Card[] {
	const heading = nonEmpty(title) ?? nonEmpty(description)
	if (heading === undefined) return []
	return [
		compact<Card>({
			title: heading,
			subtitle: nonEmpty(title) && nonEmpty(description),
			imageUrl: nonEmpty(preview?.src),
			buttons: nonEmptyList((buttons ?? []).flatMap(decodeButton)),
		}),
	]
}

function encodeCard({ title, subtitle, imageUrl, buttons }: Card, context: MessageContext): object {
	return {
		preview: { src: imageUrl },
		title,
		description: subtitle,
		buttons: buttons?.map((button) => encodeButton(button, context)),
	}
}

/** No button for one without a label, or without what it would do. */
function decodeButton({ type, value, link, target, action }: WireButton): Button[] {
	const title = nonEmpty(value)
	if (title === undefined) return []
	switch (type) {
		case 'url': {
			const url = nonEmpty(link)
			return url === undefined ? [] : [{ type: target === 'self' ? 'webview' : 'link', title, url }]
		}
		case 'action': {
			if (!action) return []
			const decoded = decodeButtonAction(action)
			return 'target' in decoded ? [{ type: 'goto', title, ...decoded }] : [{ type: 'postback', title, ...decoded }]
		}
		default:
			return [{ type: 'postback', title, value: title }]
	}
}

function encodeButton(button: Button, { dialect, home }: MessageContext): object {
	const { type, title } = button
	const encodeAction = (action: ButtonAction) => ({
		type: 'action',
		value: title,
		action: encodeButtonAction(action, dialect, home),
		show_echo: true,
	})
	switch (type) {
		case 'link':
			return { type: 'url', value: title, link: button.url, target: 'blank' }
		case 'webview':
			return { type: 'url', value: title, link: button.url, target: 'self' }
		case 'goto':
			return encodeAction({ target: button.target })
		case 'postback':
			return button.value === title ? { type: 'text', value: title } : encodeAction({ value: button.value })
		case 'phone':
			return unreachable(button)
	}
}

/** Paths of what `decodeMessage` leaves out: buttons, cards and metadata. */
export function unreadParts(message: WireMessage, at: Path): string[] {
	const here = [...at, 'attributes', 'attachment']
	const { buttons, gallery } = message.attributes?.attachment ?? {}
	return [
		...unreadMetadata(message, [...at, 'metadata']),
		...unreadButtons(buttons, here),
		...(gallery ?? []).flatMap((card, i) => {
			const place = [...here, 'gallery', i]
			return decodeCard(card).length > 0 ? unreadButtons(card.buttons, place) : [fieldPath(place)]
		}),
	]
}

function unreadButtons(buttons: WireCard['buttons'], at: Path): string[] {
	return (buttons ?? []).flatMap((each, i) => (decodeButton(each).length > 0 ? [] : [fieldPath([...at, 'buttons', i])]))
}

function unreadMetadata({ type, text, metadata, attributes }: WireMessage, at: Path): string[] {
	if (!metadata) return []
	const isIgnored = !metadata.src || attributes?.attachment?.gallery?.some((card) => decodeCard(card).length > 0)
	const kind = mediaKindOf(type, metadata)
	const isUrlOnly = kind === 'image' || (type === 'frame' && kind !== 'video')
	const read = isIgnored ? [] : isUrlOnly ? ['src'] : ['src', 'name', 'type']
	return Object.entries(metadata).flatMap(([key, value]) =>
		value === null || value === '' || value === text || read.includes(key) ? [] : [fieldPath([...at, key])],
	)
}
