/** The contract with backends as JSON Schemas, made from the schemas by which the gateway reads and writes. */
import { type ConversionConfig, toJsonSchema } from '@valibot/to-json-schema'
import type * as v from 'valibot'
import { limits } from '../src/limits.ts'
import { absolute } from '../src/model/addresses.ts'
import { Address, isInCalendar, isSomeAddress, Timestamp } from '../src/model/constraints.ts'
import { isNotBlank } from '../src/model/event.ts'
import {
	Attributes,
	BackendReply,
	BackendRequest,
	Button,
	CanonicalEvent,
	Card,
	Choice,
	Json,
	Message,
	reservedKeys,
	Turn,
} from '../src/model/index.ts'
import { JsonByAdapter } from '../src/model/json.ts'
import { FeatureName, ReplyFeatureName } from '../src/model/turn.ts'
import { readModelWords } from './model-words.ts'

/** A JSON Schema that is an object, as all of these are. */
export interface JsonSchema {
	readonly [keyword: string]: unknown
}

/** What the gateway refuses in a reply although the schema accepts it, and why JSON Schema cannot say it. */
export const unsaidOfReplies: readonly string[] = [
	`All messages together may have at most ${inWords(limits.elements.value)} messages, alternatives, buttons, choices and cards: JSON Schema cannot add up lengths.`,
	`The body may have at most ${inWords(limits.replyBytes.value)} bytes, ${inWords(limits.values.value)} values and ${limits.jsonDepth.value} levels: JSON Schema sees values, not the text.`,
]

/** The members of a schema that may be named by a reference. */
const definitions = { Message, Button, Choice, Card, Attributes, Json, Address, Timestamp }

/** The documents, by the name of their file without its ending. */
export const contract = {
	request: {
		schema: BackendRequest,
		title: 'A call to a backend',
		description:
			'The body of each call to a backend: what happened on a platform, and what the gateway says about the turn. Ignore members that are not listed: later releases may add some. Names in "carries" and "changes" may be added, too.',
	},
	event: {
		schema: CanonicalEvent,
		title: 'An event',
		description:
			'What happened on a platform, from the user to the bot. Ignore members that are not listed: later releases may add some.',
	},
	turn: {
		schema: Turn,
		title: 'A turn',
		description:
			'What the gateway says about a call, in addition to the event. Ignore members that are not listed: later releases may add some. Names in "carries" and "changes" may be added, too.',
	},
	reply: {
		schema: BackendReply,
		title: 'A reply',
		description: [
			'The body of a backend’s answer, or of a reply that it sends to turn.replyUrl. Whatever is empty may be left out. Members that are not listed are errors.',
			'What this schema cannot say:',
			...unsaidOfReplies.map((rule) => `- ${rule}`),
		].join('\n'),
	},
} as const satisfies { readonly [name: string]: { schema: v.GenericSchema; title: string; description: string } }

/** The name of a document of the contract. */
export type ContractName = keyof typeof contract

/** How a document is written. */
interface Style {
	/** Where its definitions are. */
	readonly base: string
	/** Whether later releases may add nothing to it. */
	readonly isClosed: boolean
	/** Whether addresses have to be absolute, as those of replies. */
	readonly isReply: boolean
}

/** A document of the contract. `base` is where its definitions are. */
export function contractSchema(name: ContractName, base = '#/$defs/'): JsonSchema {
	const { schema, title, description } = contract[name]
	const isReply = name === 'reply'
	const { $schema, $defs, ...keywords } = convert(schema, { base, isClosed: isReply, isReply })
	const words: Words = new Map([...readModelWords(), ...requestWords])
	const described = describe(keywords, sectionsOf[name], '', words)
	const definitions = Object.entries(isObject($defs) ? $defs : {}).map(([name, definition]) => {
		return [name, isObject(definition) ? describeDefinition(name, definition, words) : definition]
	})
	const used = usedDefinitions(described, Object.fromEntries(definitions), base)
	return { $schema, title, description, ...described, ...(Object.keys(used).length > 0 && { $defs: used }) }
}

/** The same without the room for later releases, and without words: it is as strict as the gateway is with itself. */
export function closedSchema(name: ContractName): JsonSchema {
	return convert(contract[name].schema, { base: '#/$defs/', isClosed: true, isReply: name === 'reply' })
}

function convert(schema: v.GenericSchema, { base, isClosed, isReply }: Style): JsonSchema {
	const json = { $ref: `${base}Json` }
	const members = { propertyNames: { not: { enum: [...reservedKeys] } }, additionalProperties: json }
	const overrides = new Map<unknown, JsonSchema>([
		[Json, { ...members, items: json }],
		[Attributes, { type: 'object', ...members }],
		[JsonByAdapter, { type: 'object', ...members, minProperties: 1 }],
	])
	if (!isClosed) for (const names of [ReplyFeatureName, FeatureName]) overrides.set(names, { type: 'string' })
	const config: ConversionConfig = {
		typeMode: 'input',
		target: 'draft-2020-12',
		definitions,
		overrideRef: ({ referenceId }) => `${base}${referenceId}`,
		overrideSchema({ valibotSchema, jsonSchema }) {
			if (valibotSchema.type !== 'strict_object') return overrides.get(valibotSchema)
			const { additionalProperties, required = [], ...others } = jsonSchema
			return {
				...others,
				...(required.length > 0 && { required }),
				...(isClosed && { additionalProperties }),
			}
		},
		overrideAction({ valibotAction, jsonSchema }) {
			// JSON has no other numbers.
			if (valibotAction.type === 'finite') return jsonSchema
			if (valibotAction === isInCalendar) return { ...jsonSchema, format: 'date-time' }
			if (valibotAction === isSomeAddress && isReply) return { ...jsonSchema, pattern: absolute.source }
			if (valibotAction !== isNotBlank) return undefined
			return { ...jsonSchema, anyOf: [{ minProperties: 2 }, { properties: { attributes: { minProperties: 1 } } }] }
		},
	}
	return { ...toJsonSchema(schema, config) }
}

type Words = ReadonlyMap<string, string>

/** The sections of docs/canonical-model.md about the members of a document, the most specific one first. */
const sectionsOf: { readonly [Name in ContractName]: readonly string[] } = {
	request: ['request'],
	event: ['CanonicalEvent'],
	turn: ['Turn'],
	reply: ['CanonicalReply'],
}

/** What has no row on that page. */
const requestWords: Words = new Map([
	['request.version', 'The version of this contract.'],
	['request.event', `${contract.event.title}: what happened on a platform.`],
	['request.turn', `${contract.turn.title}: what the gateway says about this call.`],
])

/** The schema with a description of each of its members. Throws if there are no words for one. */
function describe(schema: JsonSchema, sections: readonly string[], path: string, words: Words): JsonSchema {
	const { properties, items } = schema
	return {
		...schema,
		...(isObject(properties) && { properties: describeMembers(properties, sections, path, words) }),
		...(isObject(items) && { items: describe(items, sections, `${path.slice(0, -1)}[].`, words) }),
	}
}

function describeMembers(members: JsonSchema, sections: readonly string[], path: string, words: Words): JsonSchema {
	const [section] = sections
	const described = Object.entries(members).map(([name, member]) => {
		const field = `${path}${name}`
		const description = sections.map((each) => words.get(`${each}.${field}`)).find((found) => found !== undefined)
		if (description === undefined || !isObject(member)) throw new Error(`No words for ${section}.${field}`)
		if (section !== 'request') return [name, { description, ...describe(member, sections, `${field}.`, words) }]
		const inner = name === 'event' || name === 'turn' ? sectionsOf[name] : []
		return [name, { description, ...describe(member, inner, '', words) }]
	})
	return Object.fromEntries(described)
}

/** A definition is one object, or one of several: the parts of the first kind have a section by its name, the others by their type. */
function describeDefinition(name: string, schema: JsonSchema, words: Words): JsonSchema {
	const keyword = 'oneOf' in schema ? 'oneOf' : 'anyOf'
	const { [keyword]: branches } = schema
	if (!Array.isArray(branches)) return describe(schema, [name], '', words)
	const described = branches.filter(isObject).map((branch) => describe(branch, [typeOf(branch), name], '', words))
	return { ...schema, [keyword]: described }
}

function typeOf({ properties }: JsonSchema): string {
	const type = isObject(properties) ? properties.type : undefined
	return isObject(type) ? String(type.const) : ''
}

/** The definitions to which the schema refers, and those to which they refer. */
function usedDefinitions(schema: JsonSchema, all: JsonSchema, base: string): JsonSchema {
	const used: { [name: string]: unknown } = {}
	const queue: unknown[] = [schema]
	for (const part of queue) {
		for (const [, ref = ''] of JSON.stringify(part).matchAll(/"\$ref":"([^"]+)"/g)) {
			const name = ref.slice(base.length)
			if (name in used) continue
			used[name] = all[name]
			queue.push(all[name])
		}
	}
	return used
}

function isObject(value: unknown): value is JsonSchema {
	return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function inWords(value: number): string {
	return value.toLocaleString('en')
}
