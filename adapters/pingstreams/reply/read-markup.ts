/**
 * Reads the markup in a text as the platform does: Tiledesk/tiledesk-chatbot-util, index.js; Tiledesk/tiledesk-chatbot,
 * tiledeskChatbotPlugs; Tiledesk/tiledesk-server, messageActionsInterceptor. Variables stay as they are.
 */
import type { AnsweredDialect } from '../dialect.ts'
import { type Control, decodeControl } from './actions.ts'
import type { WireButton } from './button.ts'
import type { WireMessage } from './message.ts'

/** A text without its markup. */
export interface ReadMarkup {
	/** A message for each paragraph. */
	readonly messages: readonly WireMessage[]
	/** What becomes of the conversation. */
	readonly control: Control
	/** Whether markup was left out for which the model has no field. */
	readonly isPartial: boolean
}

/**
 * Markup up to the end of its line: `\agent`, which hands over, and `\_tdName parameter`, which is an action. On a line
 * of its own it goes with the ends of line behind it.
 */
const directive = /(^|\n)?\\(agent|_td(\w+))([^\n]*)(\n*)/g
/** In any text of the platform: what stands behind its first backslash, up to the end. */
const ending = /^[^\\]*\\(agent|close)\s*$/
/** `\r\n` is one too, for the platform takes it for two ends of line. */
const blankLines = /\r\n\s*|\n{2,}\s*/

/** What the text says. */
export function readMarkup(text: string, dialect: AnsweredDialect): ReadMarkup {
	let control: Control = {}
	let isPartial = false
	const act = (name: string, parameter: string): void => {
		const changed = controlOf(control, name, parameter.trim())
		if (changed) control = changed
		else isPartial = true
	}
	let words = text
	const last = ending.exec(text)?.[1]
	if (last !== undefined) {
		act(last, '')
		words = text.slice(0, text.lastIndexOf('\\'))
	} else if (dialect === 'runtime') {
		words = text.replace(
			directive,
			(_all, before: string | undefined, word: string, name: string | undefined, parameter: string, after: string) => {
				act(name ?? word, name === undefined ? '' : parameter)
				return before ?? after
			},
		)
	}
	const paragraphs = (dialect === 'runtime' ? words.split(blankLines) : [words]).map(readParagraph)
	return {
		messages: withoutBareButtons(paragraphs.flatMap(({ message }) => message ?? [])),
		control,
		isPartial: isPartial || paragraphs.some((paragraph) => paragraph.isPartial),
	}
}

function controlOf(control: Control, name: string, parameter: string): Control | undefined {
	switch (name.toLowerCase()) {
		case 'agent':
			return decodeControl(control, { _tdActionType: 'agent' })
		case 'close':
			return decodeControl(control, { _tdActionType: 'close' })
		case 'department':
			return parameter === '' ? undefined : decodeControl(control, { _tdActionType: 'department', depName: parameter })
		case 'intent':
			return parameter === '' ? undefined : decodeControl(control, { _tdActionType: 'intent', intentName: parameter })
		default:
			return undefined
	}
}

/** The messages, with buttons that have no words under the words before them. */
function withoutBareButtons(messages: readonly WireMessage[]): WireMessage[] {
	const joined: WireMessage[] = []
	for (const message of messages) {
		const before = joined.at(-1)
		if (before?.type === 'text' && message.type === 'text' && message.text === '') {
			const buttons = [before, message].flatMap(({ attributes }) => attributes?.attachment?.buttons ?? [])
			joined[joined.length - 1] = withButtons(before, buttons)
		} else joined.push(message)
	}
	return joined
}

function withButtons(message: WireMessage, buttons: WireButton[]): WireMessage {
	return buttons.length > 0 ? { ...message, attributes: { attachment: { type: 'template', buttons } } } : message
}

/** A file that a line stands for. Of several in one paragraph, the platform shows the last kind of this list. */
const files = ['image', 'frame', 'video'] as const
type File = { readonly kind: (typeof files)[number]; readonly src: string }

function readParagraph(paragraph: string): { message: WireMessage | undefined; isPartial: boolean } {
	const words: string[] = []
	const buttons: WireButton[] = []
	const found: File[] = []
	const trimmed = paragraph.trim()
	// Most texts have no markup, and to try each of their lines takes long.
	const lines = markupStart.test(trimmed) ? trimmed.split(/\r?\n/) : []
	for (const line of lines) {
		if (!markupStart.test(line)) {
			words.push(line)
			continue
		}
		const file = readFile(line)
		const button = file ? undefined : readButton(line)
		if (file) found.push(file)
		else if (button) buttons.push(button)
		else if (!webhook.test(line)) words.push(line)
	}
	const [shown, ...others] = found.toSorted((a, b) => files.indexOf(b.kind) - files.indexOf(a.kind))
	// Without markup, the blanks at the ends are the author's.
	const text = words.length === lines.length ? paragraph : words.join('\n').trim()
	if (text.trim() === '' && buttons.length === 0 && !shown) return { message: undefined, isPartial: false }
	const message: WireMessage = {
		type: shown === undefined ? 'text' : shown.kind === 'image' ? 'image' : 'frame',
		text,
		metadata: shown && { src: shown.src, ...(shown.kind === 'video' && { type: 'video' }) },
	}
	return { message: withButtons(message, buttons), isPartial: others.length > 0 }
}

/** How a line of markup begins; a line that begins so may still be words. */
const markupStart = /^(?:[*\\]|td)/m

/** Obeyed in a static reply only, and taken out of every text. */
const webhook = /^\\webhook/
const fileLine = /^td(Image|Frame|Video)[^:]*:(http.*)/
const oldImageLine = /^\\image:(?:\d+-\d+:)?(http.*)/

function readFile(line: string): File | undefined {
	const old = oldImageLine.exec(line)?.[1]
	if (old !== undefined) return { kind: 'image', src: old.trim() }
	const [, kind = '', src = ''] = fileLine.exec(line) ?? []
	const known = files.find((each) => each === kind.toLowerCase())
	return known && { kind: known, src: src.trim() }
}

const buttonLine = /^\*\s+(\S.*)$/
/** What a button does, from the first kind that its line has. What else stands on the line is the label. */
const actions = [/tdAction:(\S+)/, /tdActionShowEcho:(\S+)/, /tdIntent:(.+)/, /tdIntentNoEcho:(\S+)/]
const links = [
	{ target: 'parent', pattern: /\s<\s(https?:\/\/\S*)/ },
	{ target: 'self', pattern: /\s>\s(https?:\/\/\S*)/ },
	{ target: 'blank', pattern: /\s(https?:\/\/\S*)/ },
]

/** `* Label`, `* Label https://…`, where `<` and `>` before the address say where it opens, and `* Label tdAction:name`. */
function readButton(line: string): WireButton | undefined {
	const label = buttonLine.exec(line)?.[1]?.trim()
	if (label === undefined) return undefined
	const without = ({ 0: command }: RegExpExecArray) => label.replace(command, '').replace(/\s+/g, ' ').trim()
	for (const pattern of actions) {
		const found = pattern.exec(label)
		if (found) return { type: 'action', value: without(found), action: found[1]?.trim() }
	}
	for (const { target, pattern } of links) {
		const found = pattern.exec(label)
		if (found) return { type: 'url', value: without(found), link: found[1], target }
	}
	return { type: 'text', value: label }
}
