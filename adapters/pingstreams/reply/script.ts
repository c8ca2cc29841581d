/** Messages with pauses between them: one message, or a list of commands, each a message or a wait. */
import * as v from 'valibot'
import {
	decodeTyped,
	fieldPath,
	type Json,
	type Message,
	matches,
	NonEmpty,
	outputOf,
	type Path,
	WireCount,
	WireJson,
	wireList,
} from '../../../src/format/index.ts'
import type { AnsweredDialect } from '../dialect.ts'
import type { Control } from './actions.ts'
import { decodeMessage, type EncodedMessage, type MessageContext, unreadParts, WireMessage } from './message.ts'
import { readMarkup } from './read-markup.ts'

/** Milliseconds between two messages: what the engine puts between paragraphs, and its designer by default. */
export const defaultDelay = 500

/** A message, or a list of commands in its place. */
export const Script = v.object({
	...WireMessage.entries,
	attributes: v.nullish(
		v.object({ ...WireMessage.entries.attributes.wrapped.entries, commands: v.nullish(wireList(WireJson)) }),
	),
})
type Script = v.InferOutput<typeof Script>

const Command = v.variant('type', [
	v.object({ type: v.literal('wait'), time: v.nullish(WireCount) }),
	v.object({ type: v.literal('message'), message: WireMessage }),
])

/** A text in the platform's own markup. Alone it is the whole answer; after messages only its variables are filled in. */
export const Markup = v.pipe(
	v.string(),
	v.check((text) => text.trim() !== '', 'must not be blank'),
)

/** A message that the user does not see: a note for agents, or a word to the platform. */
export const Hidden = v.strictObject({ subtype: v.picklist(['private', 'info']), text: NonEmpty })
export type Hidden = v.InferOutput<typeof Hidden>

/** What decoding depends on, and what it found beside messages. */
export interface ScriptState {
	readonly context: MessageContext & { readonly dialect: AnsweredDialect }
	control: Control
	readonly hidden: Hidden[]
	/** The last message, where it is a text that asks for markup. */
	nativeText?: string | undefined
	/** Milliseconds before it. */
	nativeDelay?: number | undefined
}

/** What a list of items is in the model. */
export type DecodedList = ReturnType<typeof decodeTyped>
type Decoded = Omit<DecodedList, 'natives'>

/** An encoded message with its pause. */
export interface TimedMessage {
	/** Milliseconds before the message. Only the first message can be without. */
	readonly delay: number | undefined
	readonly message: EncodedMessage
}

/** The messages of a script, and the paths of what is left out. */
export function decodeScript(script: Script, at: Path, state: ScriptState): DecodedList {
	const { commands, subtype, disableInputMessage } = script.attributes ?? {}
	if (!commands?.length) return { natives: [], ...decodeTimed(script, undefined, at, state) }
	const decoded = decodeCommands(commands, [...at, 'attributes', 'commands'], state)
	if (disableInputMessage) state.control = { ...state.control, blockInput: true }
	// The text of an action is never shown. That of an answer is, in lists and on other channels, and may say more.
	const isRepeated = at.length > 0 || !script.text?.trim() || script.text === textsOf(commands)
	const unread = [
		...(isRepeated ? [] : [fieldPath([...at, 'text'])]),
		...(subtype ? [fieldPath([...at, 'attributes', 'subtype'])] : []),
	]
	return { ...decoded, unread: [...unread, ...decoded.unread] }
}

/** The text beside commands, for whatever does not show the commands themselves. */
export function outerText(messages: readonly { readonly text?: unknown }[]): string {
	return messages.map(({ text }) => text).join('\n\n')
}

const MessageCommand = v.object({ type: v.literal('message'), message: v.object({ text: WireMessage.entries.text }) })

function textsOf(commands: readonly Json[]): string {
	return outerText(commands.flatMap((command) => (matches(MessageCommand, command) ? [command.message] : [])))
}

function decodeCommands(commands: readonly Json[], at: Path, state: ScriptState): DecodedList {
	let delay: number | undefined
	let waiting: Path | undefined
	let isFirst = true
	const decoded = decodeTyped(commands, {
		schema: Command,
		at,
		isNative: () => false,
		decode(command, here) {
			if (command.type === 'wait') {
				delay = (delay ?? 0) + (command.time ?? defaultDelay)
				waiting = here
				return {}
			}
			const timed = decodeTimed(
				command.message,
				delay ?? (isFirst ? undefined : defaultDelay),
				[...here, 'message'],
				state,
			)
			isFirst = false
			delay = undefined
			waiting = undefined
			return timed
		},
	})
	return waiting === undefined ? decoded : { ...decoded, unread: [...decoded.unread, fieldPath(waiting)] }
}

/** A wait stands before each message, but for a first one without a delay. */
export function encodeCommands(timed: readonly TimedMessage[]): object[] {
	const commands: object[] = []
	for (const { delay, message } of timed) {
		const time = delay ?? (commands.length > 0 ? defaultDelay : undefined)
		if (time !== undefined) commands.push({ type: 'wait', time })
		commands.push({ type: 'message', message })
	}
	return commands
}

function decodeTimed(wire: WireMessage, delay: number | undefined, at: Path, state: ScriptState): Decoded {
	const { markbot, attachment, subtype, disableInputMessage } = wire.attributes ?? {}
	if (disableInputMessage) state.control = { ...state.control, blockInput: true }
	const hidden = subtype && outputOf(Hidden, { subtype, text: wire.text })
	if (hidden) {
		state.hidden.push(hidden)
		return { messages: [], unread: [] }
	}
	const unread = unreadParts(wire, at, state.context)
	if (subtype) unread.push(fieldPath([...at, 'attributes', 'subtype']))
	const before = takeNativeText(state)
	if (markbot && !attachment && matches(Markup, wire.text)) {
		state.nativeText = wire.text
		state.nativeDelay = delay
		return { messages: before, unread }
	}
	return { messages: [...before, ...withDelay(decodeMessage(wire, state.context), delay)], unread }
}

/** The text that asks for markup, before another message: there the platform does no more than fill it in, as any other. */
function takeNativeText(state: ScriptState): Message[] {
	const { nativeText: text, nativeDelay: delay } = state
	if (text === undefined) return []
	state.nativeText = undefined
	return withDelay([{ type: 'text', text }], delay)
}

function withDelay([first, ...others]: readonly Message[], delay: number | undefined): Message[] {
	if (!first) return []
	return [delay === undefined ? first : { ...first, delay }, ...others]
}

/** A message whose text the platform reads as markup. */
export function decodeMarkup(script: Script, at: Path, state: ScriptState): Decoded {
	const { text, attributes, metadata, type } = script
	const { messages, control, isPartial } = readMarkup(text ?? '', state.context.dialect)
	state.control = { ...control, ...state.control }
	const paragraphs = messages.length > 0 ? messages : [{ text: undefined }]
	const decoded = paragraphs.map((paragraph, i) => {
		const isLast = i === paragraphs.length - 1
		const own = isLast
			? { type: type && type !== 'text' ? type : paragraph.type, metadata: metadata ?? paragraph.metadata }
			: {}
		const ownAttributes = isLast ? attributes : undefined
		const attachment = paragraph.attributes?.attachment ?? ownAttributes?.attachment
		return decodeTimed(
			{ ...paragraph, ...own, attributes: { ...ownAttributes, attachment } },
			i === 0 ? undefined : defaultDelay,
			at,
			state,
		)
	})
	const isReplaced = attributes?.attachment && paragraphs.at(-1)?.attributes?.attachment
	return {
		messages: decoded.flatMap(({ messages }) => messages),
		unread: [
			...(isPartial ? [fieldPath([...at, 'text'])] : []),
			...(isReplaced ? [fieldPath([...at, 'attributes', 'attachment'])] : []),
			...decoded.flatMap(({ unread }) => unread),
		],
	}
}
