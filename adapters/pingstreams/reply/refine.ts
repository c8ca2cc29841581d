/** What an answer can say only in part: pauses, buttons, files, attributes and hand-overs. */
import * as v from 'valibot'
import {
	type Attributes,
	type Button,
	type CanonicalReply,
	compact,
	compactOrNone,
	fieldPath,
	Json,
	type Message,
	matches,
	type Report,
} from '../../../src/format/index.ts'
import { name } from '../dialect.ts'
import { variable } from '../markup.ts'
import { mediaKindOf } from '../media.ts'
import { type Control, unassigned } from './actions.ts'
import { defaultDelay } from './script.ts'

type Text = Extract<Message, { type: 'text' }>

/** The reply of a backend that speaks this format itself. */
export function refineWritten(reply: CanonicalReply, report: Report): CanonicalReply {
	const messages = withPauses(refineFiles(reply.messages, report), report)
	const overrides = refineNative(reply, report)
	return compact<CanonicalReply>({ ...reply, messages, control: refineBlockInput(reply, report), overrides })
}

/** The reply of any other backend. `caption`: the words of a message that has none. `home`: the intent that called. */
export function refineTranslated(
	caption: string,
	home: string | undefined,
): (reply: CanonicalReply, report: Report) => CanonicalReply {
	return (reply, report) => {
		const control = refineGoto(refineBlockInput(reply, report), home, report)
		const messages = withPauses(withButtonsLast(refineFiles(reply.messages, report), caption, report), report)
		const session = refineAttributes(reply.attributes.session, report)
		const refined = { ...reply, messages, attributes: { session, user: reply.attributes.user } }
		if (!reply.control) return refined
		return compact<CanonicalReply>({
			...refined,
			control: control && compactOrNone<Control>({ ...control, handover: refineHandover(control.handover, report) }),
		})
	}
}

/** Nothing stands before messages that are not there. */
function refineNative({ messages, overrides }: CanonicalReply, report: Report): CanonicalReply['overrides'] {
	const native = overrides?.[name]
	if (messages.length > 0 || !matches(WithBefore, native) || 'text' in native || 'hidden' in native) return overrides
	const { before, actions = [], ...others } = native
	report({ did: 'converted', feature: 'reply.overrides', path: `overrides.${name}.before`, detail: 'to actions' })
	return { ...overrides, [name]: { ...others, actions: [...before, ...actions] } }
}

const WithBefore = v.objectWithRest({ before: v.array(Json), actions: v.optional(v.array(Json)) }, Json)

/** Two messages have a pause between them. */
function withPauses(messages: readonly Message[], report: Report): Message[] {
	return messages.map((message, i) => {
		if (i === 0 || message.delay !== undefined) return message
		report({ did: 'added', feature: 'reply.delay', path: `messages[${i}].delay` })
		return { ...message, delay: defaultDelay }
	})
}

/** The widget shows buttons under the last message only, links excepted. */
export function withButtonsLast(messages: readonly Message[], caption: string, report: Report): Message[] {
	if (!messages.some((message, i) => i < messages.length - 1 && hasPressed(message))) return [...messages]
	const last = messages.at(-1)
	const moved: Button[] = []
	const others = messages.slice(0, -1).map((message, i) => {
		const pressed = message.type === 'text' ? message.buttons?.filter(isPressed) : undefined
		if (message.type !== 'text' || !pressed?.length) return message
		moved.push(...pressed)
		report({
			did: 'converted',
			feature: 'reply.text.buttons',
			path: `messages[${i}].buttons`,
			detail: 'moved to the last message, the only one whose buttons show',
		})
		const links = message.buttons?.filter((button) => !isPressed(button)) ?? []
		return compact<Text>({ ...message, buttons: links.length > 0 ? links : undefined })
	})
	if (!last) return [...messages]
	const isText = last.type === 'text'
	const buttons = withoutRepeats([...moved, ...(isText ? (last.buttons ?? []) : [])], report)
	return isText ? [...others, { ...last, buttons }] : [...others, last, { type: 'text', text: caption, buttons }]
}

function hasPressed(message: Message): boolean {
	return message.type === 'text' && message.buttons?.some(isPressed) === true
}

/** Each button once. Two of one label do the same, unless nothing tells them apart. */
function withoutRepeats(buttons: readonly Button[], report: Report): Button[] {
	const once = [
		...new Map(buttons.map((button) => [JSON.stringify(Object.entries(button).toSorted()), button])).values(),
	]
	if (once.length < buttons.length) {
		const detail = 'each button once'
		report({ did: 'merged', feature: 'reply.text.buttons', path: 'messages', detail })
	}
	return once
}

/** Whether a button does something in the chat, and is no link. */
export function isPressed({ type }: Button): boolean {
	return type === 'postback' || type === 'goto'
}

/** The platform would fill in what names a variable. */
function refineAttributes(attributes: Attributes, report: Report): Attributes {
	let isPlain = true
	for (const name in attributes) {
		if (!isExecuted(name, attributes[name])) continue
		isPlain = false
		const path = fieldPath(['attributes', 'session', name])
		report({ did: 'dropped', feature: 'reply.attributes.session', path, detail: 'the platform would execute it' })
	}
	if (isPlain) return attributes
	return Object.fromEntries(Object.entries(attributes).filter(([name, value]) => !isExecuted(name, value)))
}

function isExecuted(name: string, value: Json | undefined): boolean {
	return name === '' || variable.test(name) || variable.test(String(value))
}

/** A message is what blocks the input. */
export function refineBlockInput({ messages, control }: CanonicalReply, report: Report): Control | undefined {
	if (!control?.blockInput || messages.length > 0) return control
	report({
		did: 'dropped',
		feature: 'reply.control.blockInput',
		path: 'control.blockInput',
		detail: 'without a message',
	})
	const { blockInput, ...others } = control
	return compactOrNone<Control>(others)
}

/** A jump to the intent that calls us would call us again, a thousand times. */
function refineGoto(control: Control | undefined, home: string | undefined, report: Report): Control | undefined {
	if (control?.goto === undefined || control.goto !== home) return control
	report({
		did: 'dropped',
		feature: 'reply.control.goto',
		path: 'control.goto',
		detail: 'it would call the backend again',
	})
	const { goto, ...others } = control
	return compactOrNone<Control>(others)
}

/** The media type is all that parts sounds, films and other files: one that names another kind is dropped. */
export function refineFiles(messages: readonly Message[], report: Report): Message[] {
	return messages.map((message, i) => refineFile(message, `messages[${i}]`, report))
}

function refineFile(message: Message, path: string, report: Report): Message {
	if (!('mimeType' in message) || message.mimeType === undefined) return message
	const { mimeType, ...others } = message
	if (mediaKindOf(undefined, { type: mimeType }) === message.type) return message
	report({
		did: 'dropped',
		feature: 'reply.media.mimeType',
		path: `${path}.mimeType`,
		detail: 'it contradicts the type',
	})
	return others
}

/** A department goes by its name, a bot by its name or else its id, and a human has none but that of a queue. */
function refineHandover(handover: Control['handover'], report: Report): Control['handover'] {
	if (!handover) return undefined
	const { to, name, id } = handover
	const path = 'control.handover'
	const usesName = to !== 'human'
	const usesId = to === 'human' ? id === unassigned : to === 'bot' && name === undefined
	if (to !== 'human' && name === undefined && !(usesId && id !== undefined)) {
		report({ did: 'dropped', feature: 'reply.control.handover', path, detail: 'it has no name' })
		return undefined
	}
	if (name !== undefined && !usesName)
		report({ did: 'dropped', feature: 'reply.control.handover.name', path: `${path}.name` })
	if (id !== undefined && !usesId) report({ did: 'dropped', feature: 'reply.control.handover.id', path: `${path}.id` })
	return compact({ to, name: usesName ? name : undefined, id: usesId ? id : undefined })
}
