/** The files of a new adapter: a small format of texts and attributes that passes the laws. */

/** Where an adapter imports from. */
export interface Places {
	/** The contract of adapters. */
	readonly format: string
	/** The laws. */
	readonly testing: string
}

/** The files by their paths in the adapter's folder. */
export function adapterFiles(name: string, { format, testing }: Places): { readonly [path: string]: string } {
	const constant = name.replaceAll(/-([a-z\d])/g, (_, letter: string) => letter.toUpperCase())
	const note = 'made up: replace it by a payload from the documents of the platform'
	return {
		'index.ts': `/** What ${name} is, and where its documents are. */
import * as v from 'valibot'
import { defineAdapter } from '${format}'
import { event } from './event.ts'
import { reply } from './reply.ts'

export const ${constant} = defineAdapter({
	name: '${name}',
	options: v.strictObject({}),
	examples: [{}],
	create: () => ({ methods: ['POST'], event, reply: () => reply }),
})
`,
		'event.ts': `/** The platform's call: what a user said. */
import * as v from 'valibot'
import {
	type CanonicalEvent,
	compact,
	type EventLeg,
	jsonRequest,
	readJsonBody,
	validate,
	WireAttributes,
	WireNonEmpty,
} from '${format}'

/** The fields that we read, in the platform's own names. Others are reported as unread. */
const Call = v.object({
	chat: v.optional(WireNonEmpty),
	user: v.optional(WireNonEmpty),
	text: v.optional(v.string()),
	values: WireAttributes,
})

export const event: EventLeg = {
	carries: {
		'event.kind': { values: ['message'] },
		'event.sender': { required: true, values: ['user'] },
		'event.conversation': {},
		'event.user.id': {},
		'event.text': {},
		'event.attributes': {},
	},

	decode(call) {
		const { wire, unread } = validate(Call, readJsonBody(call))
		return {
			model: compact<CanonicalEvent>({
				kind: 'message',
				sender: 'user',
				conversation: wire.chat,
				user: wire.user === undefined ? undefined : { id: wire.user, attributes: {} },
				text: wire.text === '' ? undefined : wire.text,
				attributes: wire.values,
			}),
			unread,
		}
	},

	encode({ conversation, user, text, attributes }) {
		return jsonRequest(compact({ chat: conversation, user: user?.id, text, values: attributes }))
	},
}
`,
		'reply.ts': `/** The answer to a call: what the bot says. */
import * as v from 'valibot'
import {
	bodyAsJson,
	jsonResponse,
	type Message,
	type ReplyLeg,
	unreachable,
	validate,
	WireAttributes,
	WireText,
	wireList,
} from '${format}'

/** The fields that we read, in the platform's own names. */
const Answer = v.object({ texts: v.nullish(wireList(WireText), []), values: WireAttributes })

export const reply: ReplyLeg = {
	carries: {
		'reply.messages': {},
		'reply.text': {},
		'reply.attributes.session': {},
	},

	decode(answer) {
		const { wire, unread } = validate(Answer, bodyAsJson(answer))
		return {
			model: {
				messages: wire.texts.filter((text) => text !== '').map((text): Message => ({ type: 'text', text })),
				attributes: { session: wire.values, user: {} },
			},
			unread,
		}
	},

	encode({ messages, attributes }) {
		return jsonResponse({ texts: messages.map(encodeText), values: attributes.session })
	},
}

function encodeText(message: Message): string {
	return message.type === 'text' ? message.text : unreachable(message)
}
`,
		'limits.ts': `/** What the platform accepts and sends, from its documents. Kept apart from the adapter, which is tested against it. */
import * as v from 'valibot'

const values = v.record(v.string(), v.unknown())

/** The bodies of a call and of an answer. */
export const limits = {
	event: v.strictObject({
		chat: v.optional(v.string()),
		user: v.optional(v.string()),
		text: v.optional(v.string()),
		values,
	}),
	reply: v.strictObject({ texts: v.array(v.string()), values }),
}
`,
		[`${name}.test.ts`]: `import { testAdapter } from '${testing}'
import { ${constant} } from './index.ts'
import { limits } from './limits.ts'

testAdapter(${constant}, { fixtures: new URL('./fixtures/', import.meta.url), limits })
`,
		'fixtures/event.text.json': written({
			note: 'a user says something',
			source: note,
			wire: { json: { chat: 'c1', user: 'u1', text: 'Hello', values: { size: 'L' } } },
			canonical: {
				...{ kind: 'message', sender: 'user', conversation: 'c1' },
				...{ user: { id: 'u1', attributes: {} }, text: 'Hello', attributes: { size: 'L' } },
			},
		}),
		'fixtures/reply.texts.json': written({
			note: 'the bot says two things and stores a value',
			source: note,
			wire: { json: { texts: ['Hello', 'How are you?'], values: { greeted: 'yes' } } },
			canonical: {
				messages: [
					{ type: 'text', text: 'Hello' },
					{ type: 'text', text: 'How are you?' },
				],
				attributes: { session: { greeted: 'yes' }, user: {} },
			},
		}),
		'fixtures/bad.reply.list.json': written({
			note: 'an answer is an object',
			source: note,
			wire: { json: [] },
			error: { code: 'field-invalid' },
		}),
		'README.md': `# ${name}

What the platform is, how to set up its webhook, what it cannot do, and the options of this adapter.
`,
	}
}

function written(fixture: object): string {
	return `${JSON.stringify(fixture, null, '\t')}\n`
}
