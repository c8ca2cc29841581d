/** Buttons of messages and of cards: https://developer.tiledesk.com/widget/advanced/widget-json-protocol. */
import * as v from 'valibot'
import {
	type Button,
	fieldPath,
	nonEmpty,
	type Path,
	unreachable,
	WireOptionalText,
} from '../../../src/format/index.ts'
import { type ButtonAction, decodeButtonAction, encodeButtonAction } from '../button-action.ts'
import type { Dialect } from '../dialect.ts'

const text = WireOptionalText
/** A button as it is read. */
export const WireButton = v.object({
	type: text,
	value: text,
	link: text,
	target: text,
	action: text,
	/** Whether the label shows up as the user's message: it does. */
	show_echo: v.optional(v.unknown()),
})
export type WireButton = v.InferOutput<typeof WireButton>

/** What the mapping of buttons depends on. */
export interface ButtonContext {
	readonly dialect: Dialect
	/** The intent that receives the value of a pressed button. */
	readonly home: string | undefined
	/** The backend speaks this format itself: the action of its button is the button's value, as it stands. */
	readonly asWritten: boolean
}

/** The buttons that have a label and do something. */
export function decodeButtons(buttons: readonly WireButton[], context: ButtonContext): Button[] {
	const decoded: Button[] = []
	for (const each of buttons) {
		const button = decodeButton(each, context)
		if (button) decoded.push(button)
	}
	return decoded
}

/** Undefined for a button without a label, or without what it would do. */
function decodeButton(
	{ type, value, link, target, action }: WireButton,
	{ asWritten }: ButtonContext,
): Button | undefined {
	const title = nonEmpty(value)
	if (title === undefined) return undefined
	switch (type) {
		case 'url': {
			const url = nonEmpty(link)
			return url === undefined ? undefined : { type: target === 'self' ? 'webview' : 'link', title, url }
		}
		case 'action': {
			if (!action) return undefined
			if (asWritten) return { type: 'postback', title, value: action }
			const decoded = decodeButtonAction(action)
			return 'target' in decoded
				? { type: 'goto', title, target: decoded.target }
				: { type: 'postback', title, value: decoded.value }
		}
		default:
			return { type: 'postback', title, value: title }
	}
}

/** A button as the platform has it. */
export function encodeButton(button: Button, { dialect, home, asWritten }: ButtonContext): object {
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
			if (button.value === title) return { type: 'text', value: title }
			return asWritten
				? { type: 'action', value: title, action: button.value, show_echo: true }
				: encodeAction({ value: button.value })
		case 'phone':
			return unreachable(button)
	}
}

/** Paths of the buttons that `decodeButtons` leaves out, and of what it does not read of others. */
export function unreadButtons(buttons: readonly WireButton[], at: Path, context: ButtonContext): string[] {
	const unread: string[] = []
	for (const [i, each] of buttons.entries()) {
		if (!decodeButton(each, context)) unread.push(fieldPath([...at, 'buttons', i]))
		else if (each.show_echo === false || each.show_echo === 'false') {
			unread.push(fieldPath([...at, 'buttons', i, 'show_echo']))
		}
	}
	return unread
}
