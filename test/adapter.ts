/** Tests an adapter: the laws with random values on both legs, and its fixtures. An adapter's own test is one call of it. */
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import type * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { GatewayError } from '../src/errors.ts'
import type {
	AdapterFactory,
	Push,
	PushCall,
	PushLeg,
	ReplyLeg,
	WireRequest,
	WireResponse,
} from '../src/format/index.ts'
import type { CanonicalEvent, Json } from '../src/model/index.ts'
import { canonicalEvents, canonicalReplies, hintsOf } from './arbitraries.ts'
import { expectLaw } from './broken-law.ts'
import { testCrypto } from './crypto.ts'
import { drawnOnce } from './drawn-once.ts'
import {
	type BadFixture,
	type BadPushFixture,
	type Fixture,
	type Fixtures,
	readFixtures,
	type Written,
} from './fixtures.ts'
import * as laws from './laws.ts'
import { type Mutation, mutate, mutations } from './mutations.ts'
import { pairing } from './pairing.ts'

/**
 * What the platform accepts and sends, as schemas of a body: JSON as a value, the fields of a form or a query as an object
 * of strings. Written from the platform's documents and apart from the adapter's code, so that one can test the other.
 * Absent: the documents name no limits.
 */
export interface PlatformLimits {
	readonly event?: v.GenericSchema
	readonly reply?: v.GenericSchema
	/** Of the calls of a push: a list of `{ method, path, body?, lookup? }`, where a body is JSON as a value. */
	readonly push?: v.GenericSchema
}

/** What there is to test an adapter with. */
export interface AdapterTest {
	/** The directory of its fixtures. */
	readonly fixtures: URL
	/** What the platform accepts, from its documents. */
	readonly limits?: PlatformLimits
	/** Addresses as its `push` makes them, with which its pushes are tried. Absent: it has no push. */
	readonly addresses?: readonly Json[]
	/** Random values per law. Default 200; the environment's LAW_RUNS goes before. */
	readonly runs?: number
}

const legLaws = {
	'what encode writes, decode reads back, and nothing is unread': laws.roundTrip,
	'what fits once fits as it stands': laws.idempotence,
	'nothing is changed in silence, nor a change reported that was none': laws.within,
	'all that was said stands, or a change names it': laws.conservation,
	'no cut parts a grapheme': laws.graphemes,
	'what is written is within the platform’s limits': laws.limits,
	'what is pressed does what the author said': pairing,
} as const

/** Registers the tests of an adapter. A law that fails prints the place, the smallest value and the seed. */
export function testAdapter(
	factory: AdapterFactory,
	{ fixtures, limits = {}, addresses = [], runs = 200 }: AdapterTest,
): void {
	const numRuns = Number(process.env.LAW_RUNS) || runs
	const pinned = readFixtures(fixtures)
	describe(factory.name, () => {
		for (const options of factory.examples) {
			describe(`laws with ${JSON.stringify(options)}`, () => {
				testLaws(factory, options, limits, addresses, pinned, numRuns)
			})
		}
		testFixtures(factory, pinned)
	})
}

function testLaws(
	{ name, create }: AdapterFactory,
	options: unknown,
	limits: PlatformLimits,
	addresses: readonly Json[],
	pinned: Fixtures,
	numRuns: number,
): void {
	const adapter = create(options)
	const events = laws.eventSide(adapter, limits.event)
	const event = canonicalEvents(hintsOf(name, options, [adapter.event]))
	const sentEvent = drawnOnce(event)
	const samples = fc.sample(event, { numRuns: 40, seed: 1 })
	const legs = samples.flatMap((each) => legsOf(adapter.reply(each)))
	const reply = canonicalReplies(hintsOf(name, options, legs))
	const replyTo = drawnOnce(fc.tuple(event, reply))
	// The limits say what is executed in words. For a backend of the same format that is left as it is.
	const replies = (to: CanonicalEvent) =>
		legsOf(adapter.reply(events.fit(to).value)).map((leg, i) => laws.replySide(leg, i === 0 ? limits.reply : undefined))
	const config = { numRuns, interruptAfterTimeLimit: 30_000 + numRuns * 100 }
	const few = { ...config, numRuns: Math.min(numRuns, 50) }
	const timeout = 60_000 + numRuns * 200
	const [onEvents, onReplies] = [`${name} event`, `${name} reply`]

	for (const [law, holds] of Object.entries(legLaws)) {
		test(`event: ${law}`, { timeout }, async () => {
			const property = fc.property(sentEvent, (x) => holds(events, x))
			await expectLaw(onEvents, property, config, ([x]) => x)
		})
		test(`reply: ${law}`, { timeout }, async () => {
			const property = fc.property(replyTo, ([to, x]) => {
				for (const side of replies(to)) holds(side, x)
			})
			await expectLaw(onReplies, property, config, ([[to, x]]) => asAnswer(to, x))
		})
	}

	if (adapter.push) testPush(name, options, adapter.push, { limits, addresses, pinned, config, timeout })

	test('reply: each choice that is offered can be reached', { timeout }, async () => {
		const property = fc.property(replyTo, ([to, x]) => {
			for (const side of replies(to)) laws.choices(side, x)
		})
		await expectLaw(onReplies, property, config, ([[to, x]]) => asAnswer(to, x))
	})
	test('event: any input is read or rejected', { timeout }, async () => {
		const encoded = event.map((x) => adapter.event.encode(events.fit(x).value))
		const calls = [...pinned.event, ...pinned.badEvent].map(({ wire }) => wire)
		const property = fc.property(either(calls, encoded), mutations, (call, done) => {
			laws.totality(events, mutate(call, done))
		})
		await expectLaw(onEvents, property, config, ([call, done]) => mutate(call, done))
	})
	test('reply: any input is read or rejected', { timeout }, async () => {
		const pinnedAnswers = [...pinned.reply, ...pinned.badReply].map(({ event, wire }) => ({ to: event, answer: wire }))
		const encoded = fc.record({ to: event, x: reply }).map(({ to, x }) => {
			const [side] = replies(to)
			return { to, answer: side?.leg.encode(side.fit(x).value) }
		})
		const property = fc.property(either(pinnedAnswers, encoded), mutations, ({ to, answer }, done) => {
			if (answer) for (const side of replies(to)) laws.totality(side, mutate(answer, done))
		})
		const show = (
			{ to, answer }: { to: CanonicalEvent; answer?: WireResponse | undefined },
			done: readonly Mutation[],
		) => asAnswer(to, answer && mutate(answer, done))
		await expectLaw(onReplies, property, config, ([given, done]) => show(given, done))
	})

	test('carries names the titles of what it shows', () => {
		for (const leg of [adapter.event, ...legs]) laws.carriesTitles(leg)
	})

	const secrets = fc.string({ unit: 'grapheme-ascii', minLength: 2, maxLength: 24 })
	test('only the whole right secret proves a call’s origin', { timeout }, async () => {
		const property = fc.asyncProperty(event, secrets, async (x, secret) => {
			await laws.origin(adapter, adapter.event.encode(events.fit(x).value), secret, testCrypto)
		})
		await expectLaw(onEvents, property, few, ([event, secret]) => ({ event, secret }))
	})
	test('the set-up call is answered as the platform wants', { timeout }, async () => {
		const property = fc.asyncProperty(secrets, secrets, (nonce, secret) =>
			laws.setUp(adapter, nonce, secret, testCrypto),
		)
		await expectLaw(name, property, few, ([nonce, secret]) => ({ nonce, secret }))
	})
}

/** A reply leg, and its variant for backends of the same format. */
function legsOf<W>(leg: ReplyLeg<W> | undefined): ReplyLeg<W>[] {
	return leg ? [leg, ...(leg.sameFormat ? [leg.sameFormat] : [])] : []
}

/** The laws of pushes to each of the addresses. */
function testPush(
	name: string,
	options: unknown,
	{ carries, target }: Push,
	{ limits, addresses, pinned, config, timeout }: PushTest,
): void {
	const sides = addresses.flatMap((address) =>
		legsOf(target(address).leg).map((leg, i) => laws.replySide(leg, i === 0 ? limits.push : undefined)),
	)
	const legs = sides.map(({ leg }) => leg)
	const reply = canonicalReplies(hintsOf(name, options, legs))
	const pushed = drawnOnce(fc.tuple(fc.constantFrom(...sides), reply))
	const who = `${name} push`

	test('push: there are addresses to try, each with a part of what it says it carries', () => {
		expect(legs.length).toBeGreaterThan(0)
		for (const leg of legs) {
			expect(Object.keys(carries)).toEqual(expect.arrayContaining(Object.keys(leg.carries)))
			laws.carriesTitles(leg)
		}
	})
	for (const [law, holds] of Object.entries({
		...legLaws,
		'each choice that is offered can be reached': laws.choices,
	})) {
		test(`push: ${law}`, { timeout }, async () => {
			const property = fc.property(pushed, ([side, x]) => holds(side, x))
			await expectLaw(who, property, config, ([[, x]]) => x)
		})
	}
	test('push: any calls are read or rejected', { timeout }, async () => {
		const pinnedCalls = [...pinned.push, ...pinned.badPush].map(({ wire }) => wire)
		const encoded = reply.chain((x) => fc.constantFrom(...sides.map(({ leg, fit }) => leg.encode(fit(x).value))))
		const property = fc.property(
			fc.constantFrom(...sides),
			either(pinnedCalls, encoded),
			fc.nat(),
			mutations,
			(side, calls, at, done) => laws.totality(side, mutateCall(calls, at, done)),
		)
		await expectLaw(who, property, config, ([, calls, at, done]) => mutateCall(calls, at, done))
	})
}

interface PushTest {
	readonly limits: PlatformLimits
	readonly addresses: readonly Json[]
	readonly pinned: Fixtures
	readonly config: { readonly numRuns: number; readonly interruptAfterTimeLimit: number }
	readonly timeout: number
}

/** The calls after mutations of one of them. */
function mutateCall(calls: readonly PushCall[], at: number, done: readonly Mutation[]): readonly PushCall[] {
	return calls.map((call, i) => {
		if (i !== at % calls.length) return call
		const { method, headers, body } = mutate<WireRequest>({ ...call, query: [] }, done)
		return { ...call, method, headers, body }
	})
}

const minimalEvent: CanonicalEvent = { kind: 'message', attributes: {} }

/** The reply or answer of a counterexample, with the event only where the law needs it. */
function asAnswer(to: CanonicalEvent, answer: unknown): unknown {
	return isDeepStrictEqual(to, minimalEvent) ? answer : { to, answer }
}

/** A pinned value or a random one, half and half where there are both. */
function either<A, B>(pinned: readonly A[], random: fc.Arbitrary<B>): fc.Arbitrary<A | B> {
	return pinned.length === 0 ? random : fc.oneof(fc.constantFrom(...pinned), random)
}

function testFixtures(factory: AdapterFactory, { event, reply, push, badEvent, badReply, badPush }: Fixtures): void {
	for (const fixture of event) {
		test(`${fixture.name}: ${fixture.note}`, () => {
			testFixture(laws.eventSide(factory.create(fixture.options)), fixture)
		})
	}
	for (const fixture of reply) {
		test(`${fixture.name}: ${fixture.note}`, () => {
			testFixture(laws.replySide(replyLeg(factory, fixture)), fixture)
		})
	}
	for (const fixture of push) {
		test(`${fixture.name}: ${fixture.note}`, () => {
			const { leg, fit } = laws.replySide(pushLeg(factory, fixture))
			const { wire, canonical, unread, encoded } = fixture
			const decoded = leg.decode(wire)
			expect(decoded.model).toStrictEqual(canonical)
			expect(decoded.unread.toSorted()).toEqual(unread.toSorted())
			expect(leg.encode(fit(canonical).value).map(readCall)).toStrictEqual(encoded.map(readCall))
		})
	}
	for (const fixture of badPush) {
		test(`${fixture.name}: ${fixture.note}`, () => {
			const leg = pushLeg(factory, fixture)
			expectRefusal(() => leg.decode(fixture.wire), fixture)
		})
	}
	for (const fixture of badEvent) {
		test(`${fixture.name}: ${fixture.note}`, () => {
			const { event } = factory.create(fixture.options)
			expectRefusal(() => event.decode(fixture.wire), fixture)
		})
	}
	for (const fixture of badReply) {
		test(`${fixture.name}: ${fixture.note}`, () => {
			const leg = replyLeg(factory, fixture)
			expectRefusal(() => leg.decode(fixture.wire), fixture)
		})
	}
}

function replyLeg(
	factory: AdapterFactory,
	{ options, event, sameFormat }: { options?: unknown; event: CanonicalEvent; sameFormat?: boolean | undefined },
): ReplyLeg {
	const translated = factory.create(options).reply(event)
	const leg = sameFormat ? translated?.sameFormat : translated
	if (!leg) throw new Error('the platform reads no answer to this event, so that there is no reply to pin')
	return leg
}

function pushLeg(factory: AdapterFactory, { options, address }: Pick<BadPushFixture, 'options' | 'address'>): PushLeg {
	const { push } = factory.create(options)
	if (!push) throw new Error('with these options, nothing can be pushed')
	return push.target(address).leg
}

function readCall({ body, ...call }: PushCall): object {
	return { ...call, body: body === '' ? '' : JSON.parse(body) }
}

/** Law 10: a pinned payload means what its fixture says, and is written as it says. */
export function testFixture<W extends WireRequest | WireResponse, M>(
	{ leg, fit }: laws.Side<W, M>,
	{ wire, canonical, unread, encoded }: Pick<Fixture<W, M>, 'wire' | 'canonical' | 'unread' | 'encoded'>,
): void {
	const decoded = leg.decode(wire)
	expect(decoded.model).toStrictEqual(canonical)
	expect(decoded.unread.toSorted()).toEqual(unread.toSorted())
	expectSameWire(leg.encode(fit(canonical).value), encoded)
}

function expectSameWire<W extends WireRequest | WireResponse>(actual: W, { wire, isJson }: Written<W>): void {
	expect({ ...actual, body: '' }).toStrictEqual({ ...wire, body: '' })
	if (!isJson) expect(actual.body).toBe(wire.body)
	else if (actual.body !== wire.body) expect(JSON.parse(actual.body)).toStrictEqual(JSON.parse(wire.body))
}

function expectRefusal(decode: () => unknown, { error }: Pick<BadFixture<unknown>, 'error'>): void {
	let thrown: unknown
	try {
		decode()
	} catch (refusal) {
		thrown = refusal
	}
	if (!(thrown instanceof GatewayError)) throw new Error('decode does not refuse it', { cause: thrown })
	const { code, context } = thrown
	expect({ code, ...(error.field !== undefined && { field: context.field }) }).toEqual(error)
}
