/** The answer to an intent's webhook: Tiledesk/tiledesk-chatbot, index.js; Tiledesk/tiledesk-server, services/faqBotSupport.js. */
import * as v from 'valibot'
import {
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
} from '../../src/format/index.ts'
import { targetPattern } from './action.ts'
import { type Control, ControlAction, controls, NativeAction, readControl, reply, writeControl } from './control.ts'
import { name } from './dialect.ts'
import { emptyTypes } from './file.ts'
import { markupOf, unfilled, variables, visible } from './markup.ts'
import {
	type Path,
	readMessage,
	unreadParts,
	WireMessage,
	type Writing,
	type Written,
	writeMessage,
} from './messages.ts'
import type { Options } from './options.ts'

type Answering = 'runtime' | 'server'

/** Milliseconds between two messages, where nothing else is said: as the engine parts a text, and as its designer writes. */
const pace = 500

const Spoken = v.object({
	...WireMessage.entries,
	attributes: v.nullish(
		v.object({ ...WireMessage.entries.attributes.wrapped.entries, commands: v.nullish(v.array(Json)) }),
	),
})
type Spoken = v.InferOutput<typeof Spoken>
const Command = v.variant('type', [
	v.object({ type: v.literal('wait'), time: v.nullish(v.pipe(v.number(), v.minValue(0))) }),
	v.object({ type: v.literal('message'), message: WireMessage }),
])
const KnownCommand = v.object({ type: v.picklist(['wait', 'message']) })
const ReplyAction = v.object({
	...Spoken.entries,
	_tdActionType: v.literal(reply),
	_tdActionId: v.optional(v.unknown()),
	_tdActionTitle: v.optional(v.unknown()),
})
const IsControl = v.object({ _tdActionType: v.picklist(controls) })
const IsReply = v.object({ _tdActionType: v.literal(reply) })

/** `success` alone is what a backend answers that has nothing to say. */
const Answer = v.object({ ...Spoken.entries, actions: v.nullish(v.array(Json)), success: v.optional(v.unknown()) })

/** A text in the platform's own markup. It alone is the whole answer; behind messages only its variables are filled in. */
const Markup = v.pipe(
	v.string(),
	v.check((text) => text.trim() !== '', 'must not be blank'),
)
const Own = v.pipe(
	v.strictObject({ text: v.optional(Markup), actions: v.optional(v.pipe(v.array(NativeAction), v.nonEmpty())) }),
	v.check((own) => Object.keys(own).length > 0, 'must have at least one member'),
)
type Own = v.InferOutput<typeof Own>
/** The older engine runs no actions. */
const OwnOfServer = v.strictObject({ text: Markup })

function carriesOf(dialect: Answering, { caption, silence }: Options): Carries<CanonicalReply> {
	const text = { pattern: visible, escape: markupOf(dialect) }
	const words = { ...text, required: true, default: caption } as const
	const label = { escape: variables }
	const url = { pattern: unfilled }
	return {
		'reply.messages': {},
		'reply.text': {
			...text,
			...(dialect === 'server' && silence !== undefined && { required: true, default: silence }),
		},
		'reply.text.buttons': {},
		'reply.image': url,
		'reply.image.alt': words,
		'reply.video': url,
		'reply.audio': url,
		'reply.file': url,
		'reply.media.name': words,
		'reply.media.mimeType': { derived: true, reserved: emptyTypes },
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
		// The widget takes none for a second. Over half a minute, what comes next does not wait.
		'reply.delay': { required: true, default: String(pace), min: 1, max: 30_000 },
		...(dialect === 'runtime' && {
			'reply.control.close': {},
			'reply.control.handover': { values: ['human', 'department', 'bot'] },
			'reply.control.handover.name': { required: true, pattern: unfilled },
			'reply.control.goto': {},
		}),
	}
}

/** The legs of the dialects that read answers. `home`: the intent that called. */
export function replyLegs(options: Options): (dialect: Answering, home: string | undefined) => ReplyLeg {
	const carries = { runtime: carriesOf('runtime', options), server: carriesOf('server', options) }
	const { caption } = options
	return (dialect, home) => {
		const writing: Writing = { dialect, caption, home }
		const { 'reply.control.goto': jump, ...others } = carries[dialect]
		return {
			// A jump to the intent that calls us would call us again, a thousand times.
			carries:
				jump && home !== undefined ? { ...others, 'reply.control.goto': { reserved: [home] } } : carries[dialect],
			native: { name, schema: dialect === 'server' ? OwnOfServer : Own },

			decode(answer) {
				if (answer.body.trim() === '') return { model: emptyReply, unread: [] }
				// Whatever its type: the platform parses every answer as JSON, as PHP's under its label of HTML.
				const { wire, unread } = validate(Answer, readJson(answer.body))
				const reading: Reading = { messages: [], actions: [], control: {}, unread, writing }
				const { actions, ...spoken } = wire
				const runs = dialect === 'runtime' && actions?.length
				if (runs) {
					unread.push(...membersOf(spoken))
					for (const [i, action] of actions.entries()) readAction(action, ['actions', i], reading)
				} else {
					if (actions?.length) unread.push('actions')
					readSpoken(spoken, [], reading)
				}
				const own = compactOrNone<Own>({ text: reading.text, actions: nonEmptyList(reading.actions) })
				const model: CanonicalReply = {
					messages: reading.messages,
					attributes: emptyReply.attributes,
					control: compactOrNone(reading.control),
					overrides: own && { [name]: own },
				}
				return { model: compact(model), unread }
			},

			encode({ messages, control, overrides }) {
				const own = v.parse(v.optional(Own), overrides?.[name])
				const spoken: { delay: number; message: Written }[] = messages.map((message) => ({
					delay: message.delay ?? pace,
					message: writeMessage(message, writing),
				}))
				if (own?.text !== undefined) {
					spoken.push({ delay: pace, message: { type: 'text', text: own.text, attributes: { markbot: true } } })
				}
				const actions = [...(own?.actions ?? []), ...writeControl(control ?? {})]
				const [first, ...others] = spoken
				if (first && others.length === 0 && actions.length === 0 && first.delay === pace)
					return jsonResponse(first.message)
				const commands = spoken.flatMap(({ delay, message }, i) => [
					...(i > 0 || delay !== pace ? [{ type: 'wait', time: delay }] : []),
					{ type: 'message', message },
				])
				if (dialect === 'server') return jsonResponse(commands.length > 0 ? inOneAnswer(spoken, commands) : {})
				const all = nonEmptyList([
					...(commands.length > 0 ? [{ _tdActionType: reply, attributes: { commands } }] : []),
					...actions,
				])
				return jsonResponse({ actions: all })
			},
		}
	}
}

/** The widget shows the commands instead of the answer's own text, which lists and other channels show. */
function inOneAnswer(spoken: readonly { message: Written }[], commands: readonly object[]): object {
	return { text: spoken.map(({ message }) => message.text).join('\n\n'), attributes: { commands } }
}

/** What an answer says beside the actions, which replace it. */
function membersOf({ text, metadata, attributes }: Spoken): string[] {
	return Object.entries({ text, metadata, attributes }).flatMap(([key, value]) => (value ? [key] : []))
}

/** What of an answer has been read so far. */
interface Reading {
	readonly messages: Message[]
	readonly actions: NativeAction[]
	control: Control
	text?: string
	readonly unread: string[]
	readonly writing: Writing
}

function readAction(action: Json, at: Path, reading: Reading): void {
	if (v.is(IsReply, action)) {
		const { wire, unread } = validate(ReplyAction, action, at)
		reading.unread.push(...unread)
		readSpoken(wire, at, reading)
	} else if (v.is(IsControl, action)) {
		const { wire, unread } = validate(ControlAction, action, at)
		reading.unread.push(...unread)
		const control = readControl(reading.control, wire)
		if (control) reading.control = control
		else reading.unread.push(fieldPath(at))
	} else if (v.is(NativeAction, action)) reading.actions.push(action)
	else reading.unread.push(fieldPath(at))
}

function readSpoken(spoken: Spoken, at: Path, reading: Reading): void {
	const commands = spoken.attributes?.commands
	if (!commands?.length) {
		readOne(spoken, pace, at, reading)
		return
	}
	let waited: number | undefined
	for (const [i, each] of commands.entries()) {
		const here = [...at, 'attributes', 'commands', i]
		if (!v.is(KnownCommand, each)) {
			reading.unread.push(fieldPath(here))
			continue
		}
		const { wire: command, unread } = validate(Command, each, here)
		reading.unread.push(...unread)
		if (command.type === 'wait') waited = (waited ?? 0) + Math.round(command.time ?? pace)
		else {
			readOne(command.message, waited ?? pace, [...here, 'message'], reading)
			waited = undefined
		}
	}
}

function readOne(wire: WireMessage, delay: number, at: Path, reading: Reading): void {
	const { markbot, attachment } = wire.attributes ?? {}
	if (markbot && !attachment && reading.text === undefined && v.is(Markup, wire.text)) {
		reading.text = wire.text
		return
	}
	reading.unread.push(...unreadParts(wire, at))
	const [first, ...others] = readMessage(wire, reading.writing)
	if (first) reading.messages.push({ ...first, delay }, ...others)
}
