/** What Pingstreams sends and shows, as observed. Kept apart from the adapter, which is tested against it. */
import * as v from 'valibot'
import { pushLimits } from './push/limits.ts'

const some = <S extends v.GenericSchema>(item: S) => v.pipe(v.array(item), v.nonEmpty())
const nonEmpty = v.pipe(v.string(), v.nonEmpty())
const optional = v.optional(nonEmpty)

// What the platform calls with: Tiledesk/tiledesk-server, models/message.js, request.js, lead.js, faq.js, faq_kb.js.
const pixels = v.optional(v.pipe(v.number(), v.integer(), v.minValue(0)))
const lead = v.strictObject({
	lead_id: nonEmpty,
	fullname: optional,
	email: optional,
	phone: optional,
	attributes: v.optional(v.record(v.string(), v.any())),
})
const message = v.strictObject({
	_id: nonEmpty,
	sender: nonEmpty,
	senderFullname: optional,
	recipient: nonEmpty,
	type: v.picklist(['text', 'image', 'file']),
	text: v.string(),
	metadata: v.optional(
		v.strictObject({
			src: optional,
			name: optional,
			type: optional,
			width: pixels,
			height: pixels,
			button: v.optional(v.literal(true)),
		}),
	),
	attributes: v.optional(
		v.strictObject({
			action: optional,
			subtype: v.optional(v.literal('private')),
			payload: v.optional(v.record(v.string(), v.any())),
		}),
	),
	createdAt: v.optional(v.pipe(v.string(), v.isoTimestamp())),
	channel: v.optional(v.strictObject({ name: nonEmpty })),
	id_project: optional,
	request: v.strictObject({
		request_id: nonEmpty,
		id_project: optional,
		language: optional,
		lead,
		draft: v.optional(v.literal(true)),
		department: v.optional(v.strictObject({ _id: optional, name: optional })),
	}),
})
const bot = v.strictObject({ _id: optional, name: optional, id_project: optional })
const intent = v.strictObject({
	intent_id: optional,
	intent_display_name: optional,
	question: optional,
	answer: optional,
})
const call = v.union([
	v.strictObject({
		payload: v.strictObject({ botId: optional, bot, message, intent }),
		variables: v.record(v.string(), v.any()),
	}),
	v.strictObject({ payload: v.strictObject({ text: v.string(), bot, message, intent }) }),
	v.strictObject({ payload: message, hook: bot }),
	v.strictObject({
		payload: message,
		hook: v.strictObject({ event: v.pipe(v.string(), v.startsWith('message.')), id_project: optional }),
	}),
])

// What the engines execute, found in a text by their own patterns: Tiledesk/tiledesk-chatbot-util, index.js; Filler.js.
const executed = /(?:\\_td|\\agent|\\close)|\$\{|\{\{|\{%|^\\(?:image|webhook)|^\*\s|^td(?:Image|Frame|Video).*:http/m
const words = v.pipe(
	v.string(),
	v.check((text) => text.trim() !== '', 'is blank'),
	v.check((text) => !executed.test(text) && !executed.test(text.trim()), 'is executed'),
)
const label = v.pipe(
	nonEmpty,
	v.check((text) => !/\$\{|\{\{|\{%/.test(text), 'is filled in'),
)
const filled = v.pipe(
	v.string(),
	v.check((text) => !/\$\{|\{\{|\{%/.test(text), 'is filled in'),
)
const button = v.variant('type', [
	v.strictObject({ type: v.literal('text'), value: label }),
	v.strictObject({
		type: v.literal('url'),
		value: label,
		link: label,
		target: v.picklist(['blank', 'parent', 'self']),
	}),
	v.strictObject({ type: v.literal('action'), value: label, action: nonEmpty, show_echo: v.boolean() }),
])
const template = (entries: v.ObjectEntries) =>
	v.strictObject({ attachment: v.strictObject({ type: v.literal('template'), ...entries }) })
const card = v.strictObject({
	preview: v.strictObject({ src: label }),
	title: label,
	description: v.optional(label),
	buttons: v.optional(some(button)),
})
const spoken = v.union([
	v.strictObject({ type: v.literal('text'), text: words, attributes: v.optional(template({ buttons: some(button) })) }),
	// What an author wrote in markup, on purpose.
	v.strictObject({ type: v.literal('text'), text: nonEmpty, attributes: v.strictObject({ markbot: v.literal(true) }) }),
	// What the user does not see.
	v.strictObject({
		type: v.literal('text'),
		text: nonEmpty,
		attributes: v.strictObject({ subtype: v.picklist(['private', 'info']) }),
	}),
	v.strictObject({ type: v.literal('image'), text: words, metadata: v.strictObject({ src: label }) }),
	v.strictObject({
		type: v.literal('frame'),
		text: words,
		metadata: v.strictObject({ src: label, type: v.pipe(v.string(), v.regex(/^video(?:\/|$)/i)) }),
	}),
	v.strictObject({
		type: v.literal('file'),
		text: words,
		metadata: v.strictObject({ src: label, name: words, type: nonEmpty }),
	}),
	v.strictObject({ type: v.literal('gallery'), text: words, attributes: template({ gallery: some(card) }) }),
])
const wait = v.strictObject({ type: v.literal('wait'), time: v.pipe(v.number(), v.minValue(1)) })
const command = v.strictObject({ type: v.literal('message'), message: spoken })
const commands = v.pipe(
	some(v.union([wait, command])),
	// At the second message and later the widget reads what stands two places before.
	v.check((all) => all.every(({ type }, i) => type !== all[i - 1]?.type), 'two of a kind in a row'),
	v.check((all) => all.at(-1)?.type === 'message', 'ends with a wait'),
)
const action = v.union([
	v.strictObject({
		_tdActionType: v.literal('reply'),
		attributes: v.strictObject({ commands, disableInputMessage: v.optional(v.literal(true)) }),
	}),
	v.strictObject({ _tdActionType: v.literal('move_to_unassigned') }),
	v.strictObject({ _tdActionType: v.literal('replacebotv3'), botId: label, blockName: optional }),
	v.strictObject({
		_tdActionType: v.literal('setattribute-v2'),
		destination: label,
		operation: v.strictObject({
			operands: v.strictTuple([v.strictObject({ value: filled, isVariable: v.literal(false) })]),
		}),
	}),
	v.strictObject({ _tdActionType: v.literal('agent') }),
	v.strictObject({ _tdActionType: v.literal('department'), depName: nonEmpty }),
	v.strictObject({ _tdActionType: v.literal('replacebotv2'), botName: label, blockName: optional }),
	v.strictObject({ _tdActionType: v.literal('close') }),
	// The intent that calls would call again: no law's event has this name.
	v.strictObject({ _tdActionType: v.literal('intent'), intentName: nonEmpty }),
	v.looseObject({
		_tdActionType: v.pipe(
			nonEmpty,
			v.notValues([
				'reply',
				'setattribute-v2',
				'move_to_unassigned',
				'replacebotv3',
				'agent',
				'department',
				'replacebotv2',
				'close',
				'intent',
			]),
		),
	}),
])
const answer = v.union([
	v.strictObject({}),
	spoken,
	v.strictObject({ actions: some(action) }),
	v.strictObject({ text: v.pipe(v.string(), v.nonEmpty()), attributes: v.strictObject({ commands }) }),
])

/** The bodies of a call and, where it is read, of an answer; the calls of a push. */
export const limits = { event: call, reply: answer, push: pushLimits }
