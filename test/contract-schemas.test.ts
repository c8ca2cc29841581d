/** The published JSON Schemas say what the gateway does: they accept what it sends, and exactly the replies that it accepts. */
import { readFileSync } from 'node:fs'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import fc from 'fast-check'
import * as v from 'valibot'
import { expect, test } from 'vitest'
import { canonical } from '../adapters/canonical/index.ts'
import { type ContractName, closedSchema, contract, unsaidOfReplies } from '../scripts/contract-schemas.ts'
import { limits } from '../src/limits.ts'
import { BackendRequest, CanonicalEvent, type Json, Turn } from '../src/model/index.ts'
import { decodePostedReply } from '../src/turn/decode.ts'
import { canonicalEvents, canonicalReplies, jsonValues } from './arbitraries.ts'
import { arbitraryOf } from './arbitrary-of-schema.ts'
import { mutate, mutations } from './mutations.ts'
import { near } from './near-schema.ts'

const ajv = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false })
addFormats.default(ajv)

const names = Object.keys(contract) as ContractName[]

function published(name: ContractName): ValidateFunction {
	return ajv.compile(JSON.parse(readFileSync(new URL(`../schema/${name}.schema.json`, import.meta.url), 'utf8')))
}

/** Whether the gateway takes it as the body of a reply. */
function isTaken(reply: unknown): boolean {
	const leg = canonical.create().reply({ kind: 'message', attributes: {} })
	if (!leg) throw new Error('The format has no replies')
	try {
		decodePostedReply(leg, { status: 200, headers: [], body: JSON.stringify(reply) })
		return true
	} catch {
		return false
	}
}

const isRight: { readonly [Name in ContractName]: (value: unknown) => boolean } = {
	request: (value) => v.is(BackendRequest, value),
	event: (value) => v.is(CanonicalEvent, value),
	turn: (value) => v.is(Turn, value),
	reply: isTaken,
}

const timestamps = fc.constantFrom('2026-01-02T03:04:05.678Z', '2026-01-02T03:04:05+02:00')
const turns = arbitraryOf(Turn, {
	text: fc.constantFrom('turn_1', 'shop', 'https://bots.example.com/-/reply/sealed'),
	json: jsonValues(),
	attributes: fc.constant({}),
	member: (name) => (name === 'receivedAt' || name === 'answerBy' ? timestamps : undefined),
})
const plainObjects = { noNullPrototype: true } as const

const rightValues: { readonly [Name in ContractName]: fc.Arbitrary<unknown> } = {
	request: fc.record({ version: fc.constant(1), event: canonicalEvents(), turn: turns }, plainObjects),
	event: canonicalEvents(),
	turn: turns,
	reply: canonicalReplies(),
}

/** Right values, right ones in which something was changed, and values near the schema. */
function samplesOf(name: ContractName): fc.Arbitrary<Json> {
	const right = rightValues[name].map(throughJson)
	const changed = fc.tuple(right, mutations).map(([value, done]) => {
		const { body } = mutate({ status: 200, headers: [], body: JSON.stringify(value) }, done)
		return isJson(body) ? throughJson(JSON.parse(body)) : null
	})
	return fc.oneof(right, changed, near(contract[name].schema).map(throughJson))
}

function isJson(text: string): boolean {
	try {
		JSON.parse(text)
		return true
	} catch {
		return false
	}
}

/** As it is after its way through JSON: without undefined members and NaN. */
function throughJson(value: unknown): Json {
	return JSON.parse(JSON.stringify(value) ?? 'null')
}

test.each(names)('%s: the schema and the gateway accept the same values', (name) => {
	const isValid = name === 'reply' ? published(name) : ajv.compile(closedSchema(name))
	const verdicts = { true: 0, false: 0 }
	fc.assert(
		fc.property(samplesOf(name), (value) => {
			const right = isRight[name](value)
			verdicts[`${right}`]++
			expect(isValid(value), JSON.stringify(isValid.errors)).toBe(right)
		}),
		{ numRuns: 300 },
	)
	// Values that are all wrong would show nothing.
	expect(Math.min(verdicts.true, verdicts.false)).toBeGreaterThan(30)
})

test.each(['request', 'event', 'turn'] as const)(
	'%s: whatever the gateway sends is valid, also with new members',
	(name) => {
		const isValid = published(name)
		fc.assert(
			fc.property(rightValues[name].map(throughJson), (value) => {
				expect(isValid(value), JSON.stringify(isValid.errors)).toBe(true)
				expect(isValid({ ...Object(value), added: 'later' })).toBe(true)
			}),
			{ numRuns: 50 },
		)
	},
)

const manyButtons = Array.from({ length: limits.listItems.value }, () => ({
	type: 'phone',
	title: 'Call',
	number: '1',
}))
const manyTexts = Array.from({ length: 6 }, () => ({ type: 'text', text: 'Hello', buttons: manyButtons }))
const manyValues = Array.from({ length: limits.values.value }, () => 0)

test('what the schema of replies says it cannot say is what the gateway refuses beyond it', () => {
	const unsaid = [{ messages: manyTexts }, { attributes: { session: { manyValues } } }]
	expect(unsaid).toHaveLength(unsaidOfReplies.length)
	const isValid = published('reply')
	for (const reply of unsaid) {
		expect(isValid(reply)).toBe(true)
		expect(isTaken(reply)).toBe(false)
	}
})
