/** The answer as the platform reads it: one message, or a list of actions in its place. */
import * as v from 'valibot'
import {
	decodeTyped,
	fieldPath,
	GatewayError,
	type Json,
	matches,
	nonEmptyList,
	type Path,
	refuseMisspelt,
	validate,
	WireJson,
	wireList,
} from '../../../src/format/index.ts'
import type { AnsweredDialect } from '../dialect.ts'
import {
	AnyAction,
	ControlAction,
	decodeControl,
	decodeSetAttribute,
	designerEntries,
	randomType,
	replyTypes,
} from './actions.ts'
import { WrittenAction } from './native.ts'
import {
	type DecodedList,
	decodeMarkup,
	decodeScript,
	encodeCommands,
	outerText,
	Script,
	type ScriptState,
	type TimedMessage,
} from './script.ts'

const replyAction = <T extends string>(type: T) =>
	v.object({ _tdActionType: v.literal(type), ...designerEntries, ...Script.entries })
const replies = [replyAction(replyTypes[0]), replyAction(replyTypes[1])] as const
/** The actions that the model can express: messages, and changes to the conversation. */
const Action = v.variant('_tdActionType', [...replies, replyAction(randomType), ...ControlAction.options])
/** The actions that hold messages, which are all that is read of a backend whose answer stays on the platform. */
const ReplyAction = v.variant('_tdActionType', replies)

/** `success` alone is the answer of a backend that has nothing to say. */
const Answer = v.object({ ...Script.entries, actions: v.nullish(wireList(WireJson)), success: v.optional(v.unknown()) })
/** An answer that reports an error, where it has neither words nor actions. */
const Failure = v.union([
	v.object({ success: v.union([v.literal(false), v.literal('false')]) }),
	v.object({
		error: v.pipe(
			v.unknown(),
			v.check((error) => Boolean(error)),
		),
	}),
])
const reportedFailure = new GatewayError('field-missing', {
	field: 'text',
	expected: 'a text or actions, in place of an error',
})
type Answer = v.InferOutput<typeof Answer>

const messageMembers = ['text', 'metadata', 'attributes']
/** The members that say something; the older engine runs no actions. */
const saying = { runtime: [...messageMembers, 'actions'], server: messageMembers }

/** Whether the platform shows nothing, or the static reply, without a `success` that says it is meant. */
function isSilent({ text, actions, success }: Answer, dialect: AnsweredDialect): boolean {
	return !text?.trim() && !(dialect === 'runtime' && actions?.length) && success === undefined
}

/** Whether a value says something as this member. A backend that has nothing to say may answer `{"sent": true}`. */
function says(member: string, value: Json): boolean {
	if (member === 'text') return typeof value === 'string' && value.trim() !== ''
	return typeof value === 'object' && value !== null && Object.keys(value).length > 0
}

/**
 * The answer of a body, and the paths of members that it does not list. Throws a GatewayError if it is no valid one, reports
 * an error, or says nothing because a member is misspelt.
 */
export function readAnswer(body: Json, dialect: AnsweredDialect): { wire: Answer; unread: string[] } {
	const { wire, unread } = validate(Answer, body)
	// The platform would show the static reply, or nothing.
	if (!wire.text && !wire.actions && !wire.attributes && matches(Failure, body)) throw reportedFailure
	if (unread.length > 0 && isSilent(wire, dialect)) refuseMisspelt(body, saying[dialect], says)
	return { wire, unread }
}

/** What decoding depends on, and what it found beside messages. */
export interface DecodeState extends ScriptState {
	readonly attributes: Map<string, Json>
	/** How many of the native actions stand before the messages. */
	before: number
}

const replacedByActions = ['text', 'metadata', 'attributes'] as const

/** In the current engine, actions replace the rest of the answer. */
export function decodeAnswer(answer: Answer, state: DecodeState): DecodedList {
	const { actions, attributes } = answer
	const { dialect, asWritten } = state.context
	if (dialect === 'runtime' && actions?.length) {
		const decoded = asWritten ? decodeWritten(actions, state) : decodeActions(actions, state)
		decoded.unread.unshift(...replacedByActions.filter((name) => answer[name]))
		return decoded
	}
	const { commands, markbot, subtype } = attributes ?? {}
	const isNative = markbot && !attributes?.attachment
	const isMarkup = !asWritten && !commands?.length && !isNative && !subtype
	const decoded = isMarkup ? { natives: [], ...decodeMarkup(answer, [], state) } : decodeScript(answer, [], state)
	return { ...decoded, unread: [...(actions?.length ? ['actions'] : []), ...decoded.unread] }
}

function decodeActions(actions: readonly Json[], state: DecodeState): DecodedList {
	const { natives, ...decoded } = decodeTyped(actions, {
		schema: Action,
		at: ['actions'],
		isNative: (action) => matches(AnyAction, action),
		decode(action, at) {
			switch (action._tdActionType) {
				case 'reply':
				case 'replyv2':
					return decodeScript(action, at, state)
				case 'randomreply':
					return decodeRandom(decodeScript(action, at, state), at)
				default: {
					const control = decodeControl(state.control, action)
					if (!control) return { unread: [fieldPath(at)] }
					state.control = control
					return {}
				}
			}
		},
	})
	const others = natives.filter((action) => {
		const attribute = decodeSetAttribute(action)
		if (attribute) state.attributes.set(...attribute)
		return !attribute
	})
	return { ...decoded, natives: others }
}

/** One message of several: texts are alternatives of each other; of other messages only the first is read. */
function decodeRandom({ messages, ...decoded }: DecodedList, at: Path): DecodedList {
	const [first, ...others] = messages
	if (!first || others.length === 0) return { ...decoded, messages }
	const texts = messages.flatMap((message) => (message.type === 'text' && !message.buttons ? [message.text] : []))
	if (first.type === 'text' && texts.length === messages.length) {
		return { ...decoded, messages: [{ ...first, alternatives: texts.slice(1) }] }
	}
	return { ...decoded, messages: [first], unread: [...decoded.unread, fieldPath([...at, 'attributes', 'commands'])] }
}

function decodeWritten(actions: readonly Json[], state: DecodeState): DecodedList {
	let natives = 0
	let isFirst = true
	return decodeTyped(actions, {
		schema: ReplyAction,
		at: ['actions'],
		isNative(action) {
			const isNative = matches(WrittenAction, action)
			if (isNative) natives++
			return isNative
		},
		decode(action, at) {
			if (isFirst) state.before = natives
			isFirst = false
			return decodeScript(action, at, state)
		},
	})
}

/** A single message is the answer itself; several are a script. */
export function encodeForServer(timed: readonly TimedMessage[]): object {
	const single = singleMessage(timed)
	if (single) return single
	if (timed.length === 0) return {}
	// The widget shows the commands; lists of conversations and other channels show the text.
	return { text: outerText(timed.map(({ message }) => message)), attributes: { commands: encodeCommands(timed) } }
}

/** What an answer to the current engine holds. */
interface RuntimeAnswer {
	readonly timed: readonly TimedMessage[]
	readonly hidden: readonly TimedMessage[]
	/** Actions before the messages, whose texts may name the attributes that these set. */
	readonly before: readonly unknown[]
	/** Actions after the messages. */
	readonly actions: readonly unknown[]
	readonly blockInput: true | undefined
}

/** A single message is the answer itself; everything else is a list of actions. */
export function encodeForRuntime({ timed, hidden, before, actions, blockInput }: RuntimeAnswer): object {
	const single = singleMessage([...hidden, ...timed])
	if (single && before.length === 0 && actions.length === 0 && !blockInput) return single
	const reply = (messages: readonly TimedMessage[], more: object = {}): object[] =>
		messages.length === 0
			? []
			: [{ _tdActionType: replyTypes[0], attributes: { commands: encodeCommands(messages), ...more } }]
	const said = reply(timed, blockInput && { disableInputMessage: true })
	return { actions: nonEmptyList([...before, ...reply(hidden), ...said, ...actions]) }
}

function singleMessage([first, ...others]: readonly TimedMessage[]): object | undefined {
	return first && others.length === 0 && first.delay === undefined ? first.message : undefined
}
