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
	GatewayError,
	type Message,
	nonEmpty,
	nonEmptyList,
} from '../../src/format/index.ts'
import { readAction, writeAction } from './action.ts'
import type { Dialect } from './dialect.ts'
import { kindOf, Metadata, readMimeType, writeMimeType } from './file.ts'

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

/** What messages are read and written with. */
export interface Writing {
	readonly dialect: Dialect
	/** The words of a message that has none. */
	readonly caption: string
	/** The intent to which a pressed button's value comes. */
	readonly home: string | undefined
}

/** Keys and places in lists, from the top of a message. */
export type Path = readonly (string | number)[]

/** A message in the model's messages: a file and words with buttons are two. */
export function readMessage({ text, type, metadata, attributes }: WireMessage, { caption }: Writing): Message[] {
	const { buttons, gallery } = attributes?.attachment ?? {}
	const words = text?.trim() ? text : undefined
	const pressable = (buttons ?? []).flatMap(readButton)
	const cards = nonEmptyList((gallery ?? []).flatMap(readCard))
	const url = nonEmpty(metadata?.src)
	if (cards) return [...readText(words === caption ? undefined : words, pressable, caption), { type: 'cards', cards }]
	if (url === undefined) return readText(words, pressable, caption)
	if (type === 'frame' && kindOf(type, metadata) !== 'video') {
		return readText(words, [{ type: 'webview', title: words ?? url, url }, ...pressable], caption)
	}
	const file = readFile(type, metadata, url, pressable.length > 0 ? undefined : words)
	const told = 'alt' in file ? file.alt : 'name' in file ? file.name : undefined
	const isTold = pressable.length === 0 && (words === told || words === caption)
	return isTold ? [file] : [file, ...readText(words, pressable, caption)]
}

/** Paths of the buttons and cards of which nothing can be made, and of what a file says beside what is read. */
export function unreadParts(message: WireMessage, at: Path): string[] {
	const here = [...at, 'attributes', 'attachment']
	const { buttons, gallery } = message.attributes?.attachment ?? {}
	return [
		...unreadMetadata(message, [...at, 'metadata']),
		...unreadButtons(buttons, here),
		...(gallery ?? []).flatMap((card, i) => {
			const place = [...here, 'gallery', i]
			return readCard(card).length > 0 ? unreadButtons(card.buttons, place) : [fieldPath(place)]
		}),
	]
}

function unreadButtons(buttons: WireCard['buttons'], at: Path): string[] {
	return (buttons ?? []).flatMap((each, i) => (readButton(each).length > 0 ? [] : [fieldPath([...at, 'buttons', i])]))
}

function unreadMetadata({ type, text, metadata, attributes }: WireMessage, at: Path): string[] {
	if (!metadata) return []
	const isLost = !metadata.src || attributes?.attachment?.gallery?.some((card) => readCard(card).length > 0)
	const kind = kindOf(type, metadata)
	const isPlain = kind === 'image' || (type === 'frame' && kind !== 'video')
	const read = isLost ? [] : isPlain ? ['src'] : ['src', 'name', 'type']
	return Object.entries(metadata).flatMap(([key, value]) =>
		value === null || value === '' || value === text || read.includes(key) ? [] : [fieldPath([...at, key])],
	)
}

function readText(words: string | undefined, buttons: Button[], caption: string): Message[] {
	if (words === undefined && buttons.length === 0) return []
	return [compact<Message>({ type: 'text', text: words ?? caption, buttons: nonEmptyList(buttons) })]
}

function readFile(type: WireMessage['type'], metadata: Metadata, url: string, words: string | undefined): Message {
	const kind = kindOf(type, metadata)
	if (kind === 'image') return compact<Message>({ type: 'image', url, alt: words })
	const name = nonEmpty(metadata?.name) ?? words
	return compact<Message>({ type: kind, url, name, mimeType: readMimeType(metadata) })
}

/** A message as it is written. */
export interface Written {
	readonly type: string
	readonly text: string | undefined
	readonly metadata?: object
	readonly attributes?: object
}

export function writeMessage(message: Message, writing: Writing): Written {
	switch (message.type) {
		case 'text': {
			const { text, buttons } = message
			if (!buttons) return { type: 'text', text }
			const attachment = { type: 'template', buttons: buttons.map((button) => writeButton(button, writing)) }
			return { type: 'text', text, attributes: { attachment } }
		}
		case 'image':
			return { type: 'image', text: message.alt, metadata: { src: message.url } }
		case 'video': {
			const { url, name, mimeType } = message
			return { type: 'frame', text: name, metadata: { src: url, type: writeMimeType('video', mimeType) } }
		}
		case 'audio':
		case 'file': {
			const { type, url, name, mimeType } = message
			return { type: 'file', text: name, metadata: { src: url, name, type: writeMimeType(type, mimeType) } }
		}
		case 'cards': {
			const gallery = message.cards.map((card) => writeCard(card, writing))
			return { type: 'gallery', text: writing.caption, attributes: { attachment: { type: 'template', gallery } } }
		}
		case 'choices':
			throw new GatewayError('internal', { field: message.type })
	}
}

/** Nothing for a card without a title and without words that could be one. */
function readCard({ preview, title, description, buttons }: WireCard): Card[] {
	const heading = nonEmpty(title) ?? nonEmpty(description)
	if (heading === undefined) return []
	return [
		compact<Card>({
			title: heading,
			subtitle: nonEmpty(title) && nonEmpty(description),
			imageUrl: nonEmpty(preview?.src),
			buttons: nonEmptyList((buttons ?? []).flatMap(readButton)),
		}),
	]
}

function writeCard({ title, subtitle, imageUrl, buttons }: Card, writing: Writing): object {
	return {
		preview: { src: imageUrl },
		title,
		description: subtitle,
		buttons: buttons?.map((button) => writeButton(button, writing)),
	}
}

/** Nothing for a button of which nothing can be made. */
function readButton({ type, value, link, target, action }: WireButton): Button[] {
	const title = nonEmpty(value)
	if (title === undefined) return []
	const url = nonEmpty(link)
	const told = nonEmpty(action)
	switch (type) {
		case 'url':
			return url === undefined ? [] : [{ type: target === 'self' ? 'webview' : 'link', title, url }]
		case 'action': {
			const read = told === undefined ? undefined : readAction(told)
			if (!read) return []
			return [
				'target' in read
					? { type: 'goto', title, target: read.target }
					: { type: 'postback', title, value: read.value },
			]
		}
		default:
			return [{ type: 'postback', title, value: title }]
	}
}

function writeButton(button: Button, { dialect, home }: Writing): object {
	const { type, title } = button
	const action = (told: Parameters<typeof writeAction>[0]) => ({
		type: 'action',
		value: title,
		action: writeAction(told, dialect, home),
		show_echo: true,
	})
	switch (type) {
		case 'postback':
			return button.value === title ? { type: 'text', value: title } : action({ value: button.value })
		case 'goto':
			return action({ target: button.target })
		case 'link':
			return { type: 'url', value: title, link: button.url, target: 'blank' }
		case 'webview':
			return { type: 'url', value: title, link: button.url, target: 'self' }
		case 'phone':
			throw new GatewayError('internal', { field: type })
	}
}
