/** Messages with pauses between them: one message, or a list of commands, each a message or a wait. */
import * as v from 'valibot'
import { decodeTyped, Json, type Path } from '../../../src/format/index.ts'
import { decodeMessage, type EncodedMessage, type MessageContext, unreadParts, WireMessage } from './message.ts'

/** Milliseconds between two messages: what the engine puts between paragraphs, and its designer by default. */
export const defaultDelay = 500

/** A message, or a list of commands in its place. */
export const Script = v.object({
	...WireMessage.entries,
	attributes: v.nullish(
		v.object({ ...WireMessage.entries.attributes.wrapped.entries, commands: v.nullish(v.array(Json)) }),
	),
})
type Script = v.InferOutput<typeof Script>
const Command = v.variant('type', [
	v.object({ type: v.literal('wait'), time: v.nullish(v.pipe(v.number(), v.minValue(0))) }),
	v.object({ type: v.literal('message'), message: WireMessage }),
])

/** A text in the platform's own markup. Alone it is the whole answer; after messages only its variables are filled in. */
export const Markup = v.pipe(
	v.string(),
	v.check((text) => text.trim() !== '', 'must not be blank'),
)

/** What decoding depends on, and the first text in markup that it found. */
export interface ScriptState {
	readonly context: MessageContext
	nativeText?: string
}

/** What a list of items is in the model. */
export type DecodedList = ReturnType<typeof decodeTyped>

/** An encoded message with its pause. */
export interface TimedMessage {
	/** Milliseconds before the message. */
	readonly delay: number
	readonly message: EncodedMessage
}

/** The messages of a script, and the paths of what is left out. */
export function decodeScript(script: Script, at: Path, state: ScriptState): DecodedList {
	const commands = script.attributes?.commands
	if (commands?.length) return decodeCommands(commands, [...at, 'attributes', 'commands'], state)
	return { natives: [], ...decodeTimed(script, defaultDelay, at, state) }
}

function decodeCommands(commands: readonly Json[], at: Path, state: ScriptState): DecodedList {
	let delay: number | undefined
	return decodeTyped(commands, {
		schema: Command,
		at,
		isNative: () => false,
		decode(command, here) {
			if (command.type === 'wait') {
				delay = (delay ?? 0) + Math.round(command.time ?? defaultDelay)
				return {}
			}
			const decoded = decodeTimed(command.message, delay ?? defaultDelay, [...here, 'message'], state)
			delay = undefined
			return decoded
		},
	})
}

/** A wait stands before each message but a first one with the default delay. */
export function encodeCommands(timed: readonly TimedMessage[]): object[] {
	return timed.flatMap(({ delay, message }, i) => [
		...(i > 0 || delay !== defaultDelay ? [{ type: 'wait', time: delay }] : []),
		{ type: 'message', message },
	])
}

function decodeTimed(wire: WireMessage, delay: number, at: Path, state: ScriptState): Omit<DecodedList, 'natives'> {
	const { markbot, attachment } = wire.attributes ?? {}
	if (markbot && !attachment && state.nativeText === undefined && v.is(Markup, wire.text)) {
		state.nativeText = wire.text
		return { messages: [], unread: [] }
	}
	const [first, ...others] = decodeMessage(wire, state.context)
	return { messages: first ? [{ ...first, delay }, ...others] : [], unread: unreadParts(wire, at) }
}
