/** The answer to an intent's webhook: Tiledesk/tiledesk-chatbot, index.js; Tiledesk/tiledesk-server, services/faqBotSupport.js. */
import * as v from 'valibot'
import {
	atLeastOneMember,
	type CanonicalReply,
	type Carries,
	compact,
	compactOrNone,
	emptyReply,
	fieldPath,
	Json,
	jsonResponse,
	type Message,
	nonEmptyList,
	type ReplyLeg,
	readJson,
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
	controlTypes,
	decodeControl,
	designerEntries,
	encodeControl,
	NativeAction,
	replyType,
} from './actions.ts'
import {
	decodeMessage,
	type EncodedMessage,
	encodeMessage,
	type MessageContext,
	type Path,
	unreadParts,
	WireMessage,
} from './message.ts'
import { refineReply } from './refine.ts'

/** Milliseconds between two messages: what the engine puts between paragraphs, and its designer by default. */
const defaultDelay = 500

/** A message, or a list of commands in its place. */
const Script = v.object({
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
const KnownCommand = v.object({ type: v.picklist(['wait', 'message']) })
const ReplyAction = v.object({ ...Script.entries, ...designerEntries, _tdActionType: v.literal(replyType) })
const IsReply = v.object({ _tdActionType: v.literal(replyType) })
const IsControl = v.object({ _tdActionType: v.picklist(controlTypes) })

/** `success` alone is the answer of a backend that has nothing to say. */
const Answer = v.object({ ...Script.entries, actions: v.nullish(v.array(Json)), success: v.optional(v.unknown()) })

/** A text in the platform's own markup. Alone it is the whole answer; after messages only its variables are filled in. */
const Markup = v.pipe(
	v.string(),
	v.check((text) => text.trim() !== '', 'must not be blank'),
)
/** What only this platform can say in a reply. */
const Native = v.pipe(
	v.strictObject({ text: v.optional(Markup), actions: v.optional(v.pipe(v.array(NativeAction), v.nonEmpty())) }),
	atLeastOneMember(),
)
type Native = v.InferOutput<typeof Native>
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

			decode(answer) {
				if (answer.body.trim() === '') return { model: emptyReply, unread: [] }
				// Whatever its media type: the platform parses every answer as JSON, such as PHP's, labelled as HTML.
				const { wire, unread } = validate(Answer, readJson(answer.body))
				const { messages, control, nativeText, nativeActions } = decodeAnswer(wire, context, unread)
				const native = compactOrNone<Native>({ text: nativeText, actions: nonEmptyList(nativeActions) })
				const model = compact<CanonicalReply>({
					messages,
					attributes: emptyReply.attributes,
					control: compactOrNone(control),
					overrides: native && { [name]: native },
				})
				return { model, unread }
			},

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

/** An answer as far as it is decoded. */
interface DecodedAnswer {
	readonly messages: Message[]
	control: Control
	nativeText?: string
	readonly nativeActions: NativeAction[]
	readonly unread: string[]
	readonly context: MessageContext
}

interface TimedMessage {
	/** Milliseconds before the message. */
	readonly delay: number
	readonly message: EncodedMessage
}

/** Adds to `unread` the paths of what is left out. In the current engine, actions replace the rest of the answer. */
function decodeAnswer(
	{ actions, ...script }: v.InferOutput<typeof Answer>,
	context: MessageContext,
	unread: string[],
): DecodedAnswer {
	const answer: DecodedAnswer = { messages: [], control: {}, nativeActions: [], unread, context }
	if (context.dialect === 'runtime' && actions?.length) {
		const { text, metadata, attributes } = script
		unread.push(...Object.entries({ text, metadata, attributes }).flatMap(([key, value]) => (value ? [key] : [])))
		for (const [i, action] of actions.entries()) decodeAction(action, ['actions', i], answer)
	} else {
		if (actions?.length) unread.push('actions')
		decodeScript(script, [], answer)
	}
	return answer
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

function decodeAction(action: Json, at: Path, answer: DecodedAnswer): void {
	if (v.is(IsReply, action)) {
		const { wire, unread } = validate(ReplyAction, action, at)
		answer.unread.push(...unread)
		decodeScript(wire, at, answer)
	} else if (v.is(IsControl, action)) {
		const { wire, unread } = validate(ControlAction, action, at)
		answer.unread.push(...unread)
		const control = decodeControl(answer.control, wire)
		if (control) answer.control = control
		else answer.unread.push(fieldPath(at))
	} else if (v.is(NativeAction, action)) answer.nativeActions.push(action)
	else answer.unread.push(fieldPath(at))
}

function decodeScript(script: Script, at: Path, answer: DecodedAnswer): void {
	const commands = script.attributes?.commands
	if (commands?.length) decodeCommands(commands, [...at, 'attributes', 'commands'], answer)
	else decodeTimed(script, defaultDelay, at, answer)
}

function decodeCommands(commands: readonly Json[], at: Path, answer: DecodedAnswer): void {
	let delay: number | undefined
	for (const [i, each] of commands.entries()) {
		const here = [...at, i]
		if (!v.is(KnownCommand, each)) {
			answer.unread.push(fieldPath(here))
			continue
		}
		const { wire: command, unread } = validate(Command, each, here)
		answer.unread.push(...unread)
		if (command.type === 'wait') delay = (delay ?? 0) + Math.round(command.time ?? defaultDelay)
		else {
			decodeTimed(command.message, delay ?? defaultDelay, [...here, 'message'], answer)
			delay = undefined
		}
	}
}

function encodeCommands(timed: readonly TimedMessage[]): object[] {
	return timed.flatMap(({ delay, message }, i) => [
		...(i > 0 || delay !== defaultDelay ? [{ type: 'wait', time: delay }] : []),
		{ type: 'message', message },
	])
}

function decodeTimed(wire: WireMessage, delay: number, at: Path, answer: DecodedAnswer): void {
	const { markbot, attachment } = wire.attributes ?? {}
	if (markbot && !attachment && answer.nativeText === undefined && v.is(Markup, wire.text)) {
		answer.nativeText = wire.text
		return
	}
	answer.unread.push(...unreadParts(wire, at))
	const [first, ...others] = decodeMessage(wire, answer.context)
	if (first) answer.messages.push({ ...first, delay }, ...others)
}
