/**
 * Backends of every release go on working: what the gateway sends is still what the released schemas describe, and what the
 * released schema of replies accepts is still accepted, and read in the same way.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { canonical } from '../../adapters/canonical/index.ts'
import manifest from '../../package.json' with { type: 'json' }
import { parseRequest } from '../../src/backend/index.ts'
import type { Json } from '../../src/model/index.ts'
import { gaps, type Schema } from './schema-gaps.ts'

const read = (path: string) => JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'))
const present = (name: string): Schema => read(`../../schema/${name}.schema.json`)

const releases = readdirSync(new URL('.', import.meta.url), { withFileTypes: true })
	.filter((entry) => entry.isDirectory())
	.map(({ name }) => name)

test('the release of package.json is here: copy schema/{request,reply}.schema.json to test/contract/<version>/', () => {
	expect(releases).toContain(manifest.version)
})

describe.each(releases)('%s', (release) => {
	const released = (name: string) => read(`./${release}/${name}.json`)

	test('every event that the gateway sends today is one of the release', () => {
		expect(gaps(present('request'), released('request.schema'))).toEqual([])
	})

	test('every reply of the release is accepted today', () => {
		expect(gaps(released('reply.schema'), present('reply'))).toEqual([])
	})

	test('its requests are valid, and the kit reads them', () => {
		const ajv = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false })
		addFormats.default(ajv)
		const isValid = ajv.compile(present('request'))
		for (const { note, request } of v.parse(Requests, released('requests'))) {
			expect(isValid(request), `${note}: ${ajv.errorsText(isValid.errors)}`).toBe(true)
			expect(parseRequest(JSON.stringify(request)), note).toEqual(request)
		}
	})

	test('its replies mean the same', () => {
		const leg = canonical.create().reply({ kind: 'message', attributes: {} })
		for (const { note, sent, read } of v.parse(Replies, released('replies'))) {
			const decoded = leg?.decode({ status: 200, headers: [], body: JSON.stringify(sent) })
			expect(decoded, note).toEqual({ model: read, unread: [] })
		}
	})
})

const AnyJson = v.custom<Json>(() => true)
const Requests = v.pipe(v.array(v.object({ note: v.string(), request: AnyJson })), v.nonEmpty())
const Replies = v.pipe(v.array(v.object({ note: v.string(), sent: AnyJson, read: AnyJson })), v.nonEmpty())

/** The schema with the value at the path, as somebody may change it one day. Undefined: without what is there. */
function changed(name: string, path: readonly (string | number)[], value: unknown): Schema {
	const schema = present(name)
	const [last = '', ...outer] = path.toReversed()
	const place = outer.toReversed().reduce<object>((node, key) => Object(Reflect.get(node, key)), schema)
	expect(Object.keys(place).length, path.join('.')).toBeGreaterThan(0)
	if (value === undefined) Reflect.deleteProperty(place, last)
	else Reflect.set(place, last, value)
	return schema
}

const event = ['properties', 'event', 'properties'] as const
const buttons = ['$defs', 'Message', 'oneOf', 0, 'properties', 'buttons'] as const

test.each([
	['a field of events is gone', [...event, 'text'], undefined, '.event.text is not described'],
	['a field may be absent', ['properties', 'event', 'required'], ['kind'], '.event.attributes may be absent'],
	['an event may be of another kind', [...event, 'kind', 'enum'], ['message', 'typing'], '.event.kind may be "typing"'],
	['an id may be a number', [...event, 'id', 'type'], 'number', '.event.id may be of another type than string'],
	['a text may be empty', [...event, 'text', 'minLength'], 0, '.event.text: minLength'],
	['a time may have any form', [...event, 'occurredAt'], { type: 'string' }, '.event.occurredAt: pattern'],
	['a user may be blank', [...event, 'user', 'anyOf'], undefined, '.event.user: minProperties'],
	['the version rises', ['properties', 'version', 'const'], 2, '.version may be 2'],
])('of requests, it finds that %s', (_, path, value, gap) => {
	expect(gaps(changed('request', path, value), present('request'))).toContain(gap)
})

test.each([
	['a field is gone', ['properties', 'control'], undefined, '.control is not accepted'],
	['a field is required', ['required'], ['messages'], '.messages may be absent'],
	['fewer messages are accepted', ['properties', 'messages', 'maxItems'], 100, '.messages: maxItems'],
	['a type of message is gone', ['$defs', 'Message', 'oneOf', 3], { type: 'null' }, '.messages[]<audio>'],
	['fewer buttons are accepted', [...buttons, 'maxItems'], 3, '.messages[]<text>.buttons: maxItems'],
	[
		'a target is gone',
		['$defs', 'Button', 'oneOf', 4, 'properties', 'target'],
		undefined,
		'<goto>.target is not accepted',
	],
	[
		'a text has another pattern',
		['$defs', 'Message', 'oneOf', 0, 'properties', 'text', 'pattern'],
		'^a',
		'.text: pattern',
	],
	['a default is another', ['properties', 'messages', 'default'], [{ type: 'text', text: '…' }], '.messages: default'],
])('of replies, it finds that %s', (_, path, value, gap) => {
	const found = gaps(present('reply'), changed('reply', path, value))
	expect(found.join('\n')).toContain(gap)
})

test('new fields are compatible, and so is a wider reply', () => {
	const newField = { type: 'string', minLength: 1 }
	const request = changed('request', [...event, 'mood'], newField)
	expect(gaps(request, present('request'))).toEqual([])
	expect(gaps(present('reply'), changed('reply', ['properties', 'mood'], newField))).toEqual([])
	expect(gaps(present('reply'), changed('reply', ['properties', 'messages', 'maxItems'], 500))).toEqual([])
})
