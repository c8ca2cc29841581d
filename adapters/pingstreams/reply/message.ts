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
	readJson,
	unreachable,
	WireFlag,
	WireOptionalText,
	WireText,
	wireList,
} from '../../../src/format/index.ts'
import { decodeMimeType, encodeMimeType, Metadata, mediaKindOf } from '../media.ts'
import { type ButtonContext, decodeButtons, encodeButton, unreadButtons, WireButton } from './button.ts'

const text = WireOptionalText
const type = text
const Buttons = wireList(WireButton)
const buttons = v.nullish(Buttons)
const WireCard = v.object({ preview: v.nullish(v.object({ src: text })), title: text, description: text, buttons })
type WireCard = v.InferOutput<typeof WireCard>
const Gallery = wireList(WireCard)

/** A list as JSON in a string, which the engine expands in place of the list itself. Any other string stays as it is. */
function listInText<S extends v.GenericSchema>(schema: S) {
	type List = v.InferOutput<S> | string | undefined
	const inText = v.pipe(
		WireText,
		v.transform((text): List => {
			try {
				return v.parse(schema, readJson(text))
			} catch {
				return text || undefined
			}
		}),
	)
	const list = v.pipe(
		schema,
		v.transform((items): List => items),
	)
	return v.optional(
		v.lazy((value): v.GenericSchema<unknown, List> => {
			if (value === null || value === false) return none
			return typeof value === 'object' ? list : inText
		}),
	)
}

const none = v.pipe(
	v.unknown(),
	v.transform((): undefined => undefined),
)

const Attachment = v.object({
	type,
	buttons,
	gallery: v.nullish(Gallery),
	json_buttons: listInText(Buttons),
	json_gallery: listInText(Gallery),
})

export const WireMessage = v.object({
	type,
	text,
	metadata: Metadata,
	attributes: v.nullish(
		v.object({
			attachment: v.nullish(Attachment),
			/** The engine's own mark of a text in which it looks for markup. */
			markbot: WireFlag,
			/** `private`: a note for agents; `info`: for the platform's own use. The user sees neither. */
			subtype: type,
			disableInputMessage: WireFlag,
		}),
	),
})
export type WireMessage = v.InferOutput<typeof WireMessage>

/** The buttons and the cards of a message. */
function attached({ attributes }: WireMessage): { buttons: readonly WireButton[]; gallery: readonly WireCard[] } {
	const { buttons, gallery, json_buttons: inText, json_gallery: cardsInText } = attributes?.attachment ?? {}
	return {
		buttons: (Array.isArray(inText) ? inText : buttons) ?? [],
		gallery: (Array.isArray(cardsInText) ? cardsInText : gallery) ?? [],
	}
}

/** A message as we encode it. */
export interface EncodedMessage {
	readonly type: string
	readonly text: string | undefined
	readonly metadata?: object
	readonly attributes?: object
}

/** What the mapping of messages depends on. */
export interface MessageContext extends ButtonContext {
	/** The words of a message that has none. */
	readonly caption: string
}

/** A message as messages of the model: a file, and words with buttons, are two. */
export function decodeMessage(message: WireMessage, context: MessageContext): Message[] {
	const { text, type, metadata, attributes } = message
	const { caption } = context
	// Most messages are words and nothing else.
	if (!metadata && !attributes?.attachment) return decodeText(text?.trim() ? text : undefined, [], caption)
	const { buttons: wireButtons, gallery } = attached(message)
	const words = text?.trim() ? text : undefined
	const buttons = decodeButtons(wireButtons, context)
	const cards = gallery.length > 0 ? nonEmptyList(gallery.flatMap((each) => decodeCard(each, context))) : undefined
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
	if (buttons.length > 0) return [{ type: 'text', text: words ?? caption, buttons }]
	return words === undefined ? [] : [{ type: 'text', text: words }]
}

function decodeFile(type: WireMessage['type'], metadata: Metadata, url: string, words: string | undefined): Message {
	const kind = mediaKindOf(type, metadata)
	if (kind === 'image') return compact<Message>({ type: 'image', url, alt: words })
	const name = nonEmpty(metadata?.name) ?? words
	return compact<Message>({ type: kind, url, name, mimeType: decodeMimeType(metadata) })
}

/** No card for one without a title or a description. */
function decodeCard({ preview, title, description, buttons }: WireCard, context: MessageContext): Card[] {
	const heading = nonEmpty(title) ?? nonEmpty(description)
	if (heading === undefined) return []
	return [
		compact<Card>({
			title: heading,
			subtitle: nonEmpty(title) && nonEmpty(description),
			imageUrl: nonEmpty(preview?.src),
			buttons: nonEmptyList(decodeButtons(buttons ?? [], context)),
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

/** Paths of what `decodeMessage` leaves out: buttons, cards and metadata. */
export function unreadParts(message: WireMessage, at: Path, context: MessageContext): string[] {
	const { attachment } = message.attributes ?? {}
	if (!attachment) return unreadMetadata(message, at, context)
	const here = [...at, 'attributes', 'attachment']
	const { buttons, gallery } = attached(message)
	const inText = (['json_buttons', 'json_gallery'] as const).filter((key) => typeof attachment[key] === 'string')
	return [
		...unreadMetadata(message, at, context),
		...inText.map((key) => fieldPath([...here, key])),
		...unreadButtons(buttons, here, context),
		...gallery.flatMap((card, i) => {
			const place = [...here, 'gallery', i]
			return decodeCard(card, context).length > 0
				? unreadButtons(card.buttons ?? [], place, context)
				: [fieldPath(place)]
		}),
	]
}

function unreadMetadata(message: WireMessage, at: Path, context: MessageContext): string[] {
	const { type, text, metadata } = message
	if (!metadata) return []
	const isIgnored = !metadata.src || attached(message).gallery.some((card) => decodeCard(card, context).length > 0)
	const kind = mediaKindOf(type, metadata)
	const isUrlOnly = kind === 'image' || (type === 'frame' && kind !== 'video')
	const read = isIgnored ? [] : isUrlOnly ? ['src'] : ['src', 'name', 'type']
	return Object.entries(metadata).flatMap(([key, value]) =>
		value === null || value === '' || value === text || read.includes(key) ? [] : [fieldPath([...at, 'metadata', key])],
	)
}
