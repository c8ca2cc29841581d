/** What the answers of both versions of ChatBot have alike: buttons, cards, and the responses made of them. */
import * as v from 'valibot'
import {
	type Button,
	buttonToChoice,
	type Card,
	choiceToButton,
	compact,
	type Message,
	matches,
	nonEmpty,
	nonEmptyList,
	unreachable,
} from '../../src/format/index.ts'

type TextMessage = Extract<Message, { type: 'text' }>

/** Heights of a page inside the chat. */
export const Height = v.picklist(['compact', 'tall', 'full'])

interface WireButton {
	readonly type: string
	readonly title?: string | null | undefined
	readonly value?: string | null | undefined
	/** Of a webview. The platform shows the button whatever it is. */
	readonly height?: unknown
}

interface WireCard {
	readonly title: string
	readonly subtitle?: string | null | undefined
	readonly imageUrl?: string | null | undefined
}

/** The first text with its alternatives; nothing when every text is empty. */
export function decodeTexts(texts: readonly string[], delay: number | undefined): Message[] {
	const [text, ...alternatives] = texts.filter((each) => each !== '')
	if (text === undefined) return []
	return [compact<TextMessage>({ type: 'text', delay, text, alternatives: nonEmptyList(alternatives) })]
}

/** A text with buttons. */
export function decodeButtonText(text: string, buttons: Button[] | undefined, delay: number | undefined): Message {
	return compact<TextMessage>({ type: 'text', delay, text, buttons })
}

/** Choices; a text with buttons where one of them leads out of the conversation, as the platform itself has none. */
export function decodeQuickReplies(text: string, buttons: Button[] | undefined, delay: number | undefined): Message {
	const choices = buttons?.flatMap(buttonToChoice)
	return choices && choices.length === buttons?.length
		? compact<Message>({ type: 'choices', delay, text, choices })
		: decodeButtonText(text, buttons, delay)
}

/** Every message but a text, which each version writes in its own way. */
export function encodeRichMessage(message: Exclude<Message, TextMessage>): object {
	const { delay } = message
	switch (message.type) {
		case 'image':
			return { type: 'image', delay, imageUrl: message.url }
		case 'choices': {
			const buttons = message.choices.map(choiceToButton).map(encodeButton)
			return { type: 'quickReplies', delay, title: message.text, buttons }
		}
		case 'cards':
			return { type: 'cards', delay, elements: message.cards.map(encodeCard) }
		default:
			return unreachable(message)
	}
}

export function decodeCard({ title, subtitle, imageUrl }: WireCard, buttons: Button[] | undefined): Card {
	return compact({ title, subtitle: nonEmpty(subtitle), imageUrl: nonEmpty(imageUrl), buttons })
}

function encodeCard({ title, subtitle, imageUrl, buttons }: Card): object {
	return { title, subtitle, imageUrl, buttons: buttons?.map(encodeButton) }
}

/** No button for an unknown type, or for one without a title or a value. */
export function decodeButton({ type, title, value, height }: WireButton): Button[] {
	const label = nonEmpty(title) ?? nonEmpty(value)
	const argument = nonEmpty(value) ?? (type === 'postback' ? label : undefined)
	if (label === undefined || argument === undefined) return []
	switch (type) {
		case 'postback':
			return [{ type, title: label, value: argument }]
		case 'goto':
			return [{ type, title: label, target: argument }]
		case 'url':
			return [{ type: 'link', title: label, url: argument }]
		case 'webview':
			return [{ type, title: label, url: argument, height: matches(Height, height) ? height : 'compact' }]
		case 'phone':
			return [{ type, title: label, number: argument }]
	}
	return []
}

export function encodeButton(button: Button): object {
	const { type, title } = button
	switch (type) {
		case 'postback':
			return { type, title, value: button.value }
		case 'goto':
			return { type, title, value: button.target }
		case 'link':
			return { type: 'url', title, value: button.url }
		case 'webview':
			return { type, title, value: button.url, height: button.height }
		case 'phone':
			return { type, title, value: button.number }
	}
}
