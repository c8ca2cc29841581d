/** The arbitraries keep to the model's schemas and reach every field of them. */
import fc from 'fast-check'
import * as v from 'valibot'
import { expect, test } from 'vitest'
import { CanonicalEvent, CanonicalReply, Json } from '../src/model/index.ts'
import { canonicalEvents, canonicalReplies } from './arbitraries.ts'

const native = { name: 'here', schema: v.object({ flag: v.boolean() }) }
const hints = { name: 'here', words: ['my field'], natives: [native] }

test.each([
	['events', CanonicalEvent, canonicalEvents(hints)],
	['replies', CanonicalReply, canonicalReplies(hints)],
] as const)('random %s satisfy the schema and fill every field', (_name, schema, arbitrary) => {
	const samples = fc.sample<unknown>(arbitrary, { numRuns: 600, seed: 7 })
	const seen = new Set<string>()
	for (const sample of samples) {
		expect(v.is(schema, sample)).toBe(true)
		expect(JSON.parse(JSON.stringify(sample))).toStrictEqual(sample)
		fieldsOfValue(sample, '', seen)
	}
	expect([...fieldsOfSchema(schema, '')].filter((field) => !seen.has(field))).toEqual([])
})

interface Parts {
	readonly kind?: string
	readonly wrapped?: v.GenericSchema
	readonly item?: v.GenericSchema
	readonly entries?: { readonly [key: string]: v.GenericSchema }
	readonly options?: readonly v.GenericSchema[]
	readonly literal?: string
}

/** Paths of all fields; those of a variant carry its type: `messages[]<text>.buttons`. */
function fieldsOfSchema(schema: v.GenericSchema, path: string): string[] {
	const { wrapped, item, entries, options }: Parts = schema
	if (wrapped) return fieldsOfSchema(wrapped, path)
	if (item) return fieldsOfSchema(item, `${path}[]`)
	if (entries) {
		const type: Parts | undefined = entries.type
		const here = type?.literal === undefined ? path : `${path}<${type.literal}>`
		return Object.entries(entries).flatMap(([key, entry]) => [
			`${here}.${key}`,
			...fieldsOfSchema(entry, `${here}.${key}`),
		])
	}
	return (options ?? []).filter((option) => option.kind === 'schema').flatMap((option) => fieldsOfSchema(option, path))
}

function fieldsOfValue(value: unknown, path: string, seen: Set<string>): void {
	if (Array.isArray(value)) for (const item of value) fieldsOfValue(item, `${path}[]`, seen)
	else if (typeof value === 'object' && value !== null) {
		const here = 'type' in value && typeof value.type === 'string' ? `${path}<${value.type}>` : path
		for (const [key, member] of Object.entries(value)) {
			seen.add(`${here}.${key}`)
			if (!/attributes|parameters|extensions|overrides/.test(key) || (key === 'attributes' && path === ''))
				fieldsOfValue(member, `${here}.${key}`, seen)
		}
	}
}

test('they include lone surrogates, reserved names, valid and invalid native parts, huge and empty values', () => {
	const samples = fc.sample(canonicalReplies(hints), { numRuns: 600, seed: 7 })
	const all = samples.map((sample) => JSON.stringify(sample))
	for (const text of ['\\ud83d', '::next::', 'my field', '{{x}}', 'another-format', '"here":{"flag":'])
		expect(all.some((sample) => sample.includes(text))).toBe(true)
	expect(all.some((sample) => sample.length > 100_000)).toBe(true)
	expect(samples.some((sample) => sample.messages.length === 0)).toBe(true)
	expect(samples.some((sample) => sample.messages.length > 90)).toBe(true)
	expect(
		samples.some((sample) => 'here' in (sample.overrides ?? {}) && !v.is(native.schema, sample.overrides?.here)),
	).toBe(true)
	expect(v.is(Json, samples)).toBe(true)
})
