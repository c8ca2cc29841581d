/** The answer to an intent's webhook: Tiledesk/tiledesk-chatbot, index.js; Tiledesk/tiledesk-server, services/faqBotSupport.js. */
import * as v from 'valibot'
import {
	atLeastOneMember,
	blankIsSilence,
	bodyAsJson,
	type CanonicalReply,
	type Carries,
	compact,
	compactOrNone,
	decodeTyped,
	emptyReply,
	fieldPath,
	Json,
	jsonResponse,
	nonEmptyList,
	type ReplyLeg,
	validate,
} from '../../../src/format/index.ts'
import { targetPattern } from '../button-action.ts'
import { type AnsweredDialect, name } from '../dialect.ts'
import { markupOf, unfilled, variables, visible } from '../markup.ts'
import { placeholderTypes } from '../media.ts'
import type { Options } from '../options.ts'
import {
	type Control,
	ControlAction,
	decodeControl,
	designerEntries,
	encodeControl,
	NativeAction,
	replyType,
} from './actions.ts'
import { encodeMessage, type MessageContext } from './message.ts'
import { refineReply } from './refine.ts'
import {
	type DecodedList,
	decodeScript,
	defaultDelay,
	encodeCommands,
	Markup,
	Script,
	type ScriptState,
	type TimedMessage,
} from './script.ts'

const ReplyAction = v.object({ ...Script.entries, ...designerEntries, _tdActionType: v.literal(replyType) })
/** The actions that the model can express: messages, and changes to the conversation. */
const Action = v.variant('_tdActionType', [ReplyAction, ...ControlAction.options])

/** `success` alone is the answer of a backend that has nothing to say. */
const Answer = v.object({ ...Script.entries, actions: v.nullish(v.array(Json)), success: v.optional(v.unknown()) })

/** What only this platform can say in a reply. */
const Native = v.pipe(
	v.strictObject({ text: v.optional(Markup), actions: v.optional(v.pipe(v.array(NativeAction), v.nonEmpty())) }),
	atLeastOneMember(),
)
/** The older engine runs no actions. */
const NativeOfServer = v.strictObject({ text: Markup })

function carriesOf(dialect: AnsweredDialect, { caption, silence }: Options): Carries<CanonicalReply> {
	const markup = markupOf(dialect)
	const words = { pattern: visible, escape: markup, default: caption }
	const label = { escape: variables }
	const url = { pattern: unfilled }
	return {
		'reply.messages': {},
		'reply.text': {
			notBlank: true,
			escape: markup,
			...(dialect === 'server' && silence !== undefined && { default: silence }),
		},
		'reply.text.buttons': {},
		'reply.image': url,
		'reply.image.alt': words,
		'reply.video': url,
		'reply.audio': url,
		'reply.file': url,
		'reply.media.name': words,
		'reply.media.mimeType': { reserved: placeholderTypes },
		'reply.cards': {},
		'reply.card.title': label,
		'reply.card.subtitle': label,
		// The widget shows a broken picture for none.
		'reply.card.image': { ...url, required: true },
		'reply.card.buttons': {},
		'reply.button.title': label,
		'reply.button.postback': {},
		'reply.button.link': url,
		'reply.button.webview': url,
		'reply.button.goto': { pattern: targetPattern(dialect) },
		// Without one, the widget waits for a second. After half a minute, it shows the next message in any case.
		'reply.delay': { default: defaultDelay, min: 1, max: 30_000 },
		...(dialect === 'runtime' && {
			'reply.control.close': {},
			'reply.control.handover': { values: ['human', 'department', 'bot'] },
			'reply.control.handover.name': { pattern: unfilled },
			'reply.control.goto': {},
		}),
	}
}

/** Makes the leg of a dialect whose caller reads the answer. `home`: the intent that called. */
export function replyLegs(options: Options): (dialect: AnsweredDialect, home: string | undefined) => ReplyLeg {
	const carries = { runtime: carriesOf('runtime', options), server: carriesOf('server', options) }
	return (dialect, home) => {
		const context: MessageContext = { dialect, caption: options.caption, home }
		const { 'reply.control.goto': jump, ...others } = carries[dialect]
		return {
			// A jump to the intent that calls us would call us again, a thousand times.
			carries:
				jump && home !== undefined ? { ...others, 'reply.control.goto': { reserved: [home] } } : carries[dialect],
			native: { name, schema: dialect === 'server' ? NativeOfServer : Native },

			decode: blankIsSilence((answer) => {
				// Whatever its media type: the platform parses every answer as JSON, such as PHP's, labelled as HTML.
				const { wire, unread } = validate(Answer, bodyAsJson(answer))
				const state: DecodeState = { context, control: {} }
				const { messages, natives, unread: ignored } = decodeAnswer(wire, state)
				const native = compactOrNone<{ text?: string; actions?: Json[] }>({
					text: state.nativeText,
					actions: nonEmptyList(natives),
				})
				return {
					model: compact<CanonicalReply>({
						messages,
						attributes: emptyReply.attributes,
						control: compactOrNone(state.control),
						overrides: native && { [name]: native },
					}),
					unread: [...unread, ...ignored],
				}
			}),

			encode({ messages, control, overrides }) {
				const native = v.parse(v.optional(Native), overrides?.[name])
				const timed: TimedMessage[] = messages.map((message) => ({
					delay: message.delay ?? defaultDelay,
					message: encodeMessage(message, context),
				}))
				if (native?.text !== undefined) {
					const message = { type: 'text', text: native.text, attributes: { markbot: true } }
					timed.push({ delay: defaultDelay, message })
				}
				return jsonResponse(encodeAnswer(timed, [...(native?.actions ?? []), ...encodeControl(control ?? {})], dialect))
			},

			refine: refineReply,
		}
	}
}

/** What decoding depends on, and what it found beside messages. */
interface DecodeState extends ScriptState {
	control: Control
}

/** In the current engine, actions replace the rest of the answer. */
function decodeAnswer({ actions, ...script }: v.InferOutput<typeof Answer>, state: DecodeState): DecodedList {
	if (state.context.dialect === 'runtime' && actions?.length) {
		const { text, metadata, attributes } = script
		const replaced = Object.entries({ text, metadata, attributes }).flatMap(([key, value]) => (value ? [key] : []))
		const decoded = decodeActions(actions, state)
		return { ...decoded, unread: [...replaced, ...decoded.unread] }
	}
	const decoded = decodeScript(script, [], state)
	return { ...decoded, unread: [...(actions?.length ? ['actions'] : []), ...decoded.unread] }
}

/** A single message is the answer itself; otherwise the current engine takes actions, and the older one a script. */
function encodeAnswer(timed: readonly TimedMessage[], actions: readonly object[], dialect: AnsweredDialect): object {
	const [first, ...others] = timed
	if (first && others.length === 0 && actions.length === 0 && first.delay === defaultDelay) return first.message
	const commands = encodeCommands(timed)
	if (dialect === 'server') {
		// The widget shows the commands; lists of conversations and other channels show the text.
		const text = timed.map(({ message }) => message.text).join('\n\n')
		return commands.length > 0 ? { text, attributes: { commands } } : {}
	}
	const reply = commands.length > 0 ? [{ _tdActionType: replyType, attributes: { commands } }] : []
	return { actions: nonEmptyList([...reply, ...actions]) }
}

function decodeActions(actions: readonly Json[], state: DecodeState): DecodedList {
	return decodeTyped(actions, {
		schema: Action,
		at: ['actions'],
		isNative: (action) => v.is(NativeAction, action),
		decode(action, at) {
			if (action._tdActionType === replyType) return decodeScript(action, at, state)
			const control = decodeControl(state.control, action)
			if (!control) return { unread: [fieldPath(at)] }
			state.control = control
			return {}
		},
	})
}
