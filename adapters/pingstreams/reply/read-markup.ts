/**
 * Reads the markup in a text as the platform does: Tiledesk/tiledesk-chatbot-util, index.js; Tiledesk/tiledesk-chatbot,
 * tiledeskChatbotPlugs; Tiledesk/tiledesk-server, messageActionsInterceptor. Variables stay as they are.
 */
import type { AnsweredDialect } from '../dialect.ts'
import { type Control, decodeControl } from './actions.ts'
import type { WireButton, WireMessage } from './message.ts'

/** A text without its markup. */
export interface ReadMarkup {
	/** A message for each paragraph. */
	readonly messages: readonly WireMessage[]
	/** What becomes of the conversation. */
	readonly control: Control
	/** Whether markup was left out for which the model has no field. */
	readonly isPartial: boolean
}

/** Markup up to the end of its line: `\agent`, which hands over, and `\_tdName parameter`, which is an action. */
const directive = /\\(agent|_td(\w+))([^\n]*)/g
/** In any text of the platform: what stands behind its first backslash, up to the end. */
const ending = /^[^\\]*\\(agent|close)\s*$/
const blankLines = /\r?\n(?:\r?\n)+/

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
		words = text.replace(directive, (_all, word: string, name: string | undefined, parameter: string) => {
			act(name ?? word, name === undefined ? '' : parameter)
			return ''
		})
	}
	const paragraphs = (dialect === 'runtime' ? words.split(blankLines) : [words]).map(readParagraph)
	return {
		messages: paragraphs.flatMap(({ message }) => message ?? []),
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

/** A file that a line stands for. Of several in one paragraph, the platform shows the last kind of this list. */
const files = ['image', 'frame', 'video'] as const
type File = { readonly kind: (typeof files)[number]; readonly src: string }

function readParagraph(paragraph: string): { message: WireMessage | undefined; isPartial: boolean } {
	const words: string[] = []
	const buttons: WireButton[] = []
	const found: File[] = []
	const lines = paragraph.trim().split('\n')
	for (const line of lines) {
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
		attributes: buttons.length > 0 ? { attachment: { type: 'template', buttons } } : undefined,
	}
	return { message, isPartial: others.length > 0 }
}

/** Obeyed in a static reply only, and taken out of every text. */
const webhook = /^\\webhook/
const fileLine = /^td(Image|Frame|Video)[^:]*:(http\S*)/
const oldImageLine = /^\\image:(?:\d+-\d+:)?(http\S*)/

function readFile(line: string): File | undefined {
	const old = oldImageLine.exec(line)?.[1]
	if (old !== undefined) return { kind: 'image', src: old }
	const [, kind = '', src = ''] = fileLine.exec(line) ?? []
	const known = files.find((each) => each === kind.toLowerCase())
	return known && { kind: known, src }
}

const buttonLine = /^\*\s+(\S.*)$/
const address = /https?:\/\/\S/
const action = /td(?:Action|ActionShowEcho|Intent|IntentNoEcho):/

/** `* Label`, `* Label https://…`, where `<` and `>` before the address say where it opens, and `* Label tdAction:name`. */
function readButton(line: string): WireButton | undefined {
	const label = buttonLine.exec(line)?.[1]?.trim()
	if (label === undefined) return undefined
	const pressed = action.exec(label)
	if (pressed) {
		const value = label.slice(0, pressed.index).trimEnd()
		const name = label.slice(pressed.index + pressed[0].length).trim()
		return value === '' || name === '' ? { type: 'text', value: label } : { type: 'action', value, action: name }
	}
	const at = label.search(address)
	const before = label.slice(0, Math.max(at, 0)).trimEnd()
	const target = before.endsWith('<') ? 'parent' : before.endsWith('>') ? 'self' : 'blank'
	const opened = target === 'blank' ? before : before.slice(0, -1).trimEnd()
	return opened === '' ? { type: 'text', value: label } : { type: 'url', value: opened, link: label.slice(at), target }
}
