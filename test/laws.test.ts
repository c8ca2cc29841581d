/**
 * Each law is broken by a planted fault, so that none of them passes whatever an adapter does:
 *
 * | Law | Faults that trip it |
 * |---|---|
 * | roundTrip | encode forgets a field; decode unescapes; decode refuses what encode wrote; encode writes what decode does not read |
 * | idempotence | fit marks a text anew each time; fit returns what is not of the model |
 * | within | fit changes in silence; fit reports a change that was none |
 * | conservation | fit loses an attribute beside other changes; it says `converted` of words that are gone |
 * | graphemes | a cut between UTF-16 units |
 * | pairing | an offer means another choice |
 * | choices | numbers begin at 1 again; choices are shown that are not offered |
 * | limits | the adapter claims to carry more than the platform takes; bytes over the ceiling; a wrong method |
 * | totality | decode throws a TypeError; it returns undefined members; it returns a value not of the model |
 * | origin | verify compares prefixes; it holds without secrets; it holds for any secret |
 * | setUp | the challenge comes back in JSON quotes; no handshake; accepts takes any body |
 * | carriesTitles | choices without their titles |
 */
import fc from 'fast-check'
import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import type { Fitted } from '../src/fit/types.ts'
import {
	type Adapter,
	type Auth,
	jsonRequest,
	jsonResponse,
	type Leg,
	queryToken,
	readJsonBody,
	validate,
	type WireResponse,
} from '../src/format/index.ts'
import { Attributes, type CanonicalEvent, type CanonicalReply } from '../src/model/index.ts'
import { canonicalReplies } from './arbitraries.ts'
import { expectLaw } from './broken-law.ts'
import { testCrypto } from './crypto.ts'
import * as laws from './laws.ts'
import { mutate, mutations } from './mutations.ts'
import { pairing } from './pairing.ts'

type Side = laws.Side<WireResponse, CanonicalReply>

const Answer = v.object({ texts: v.array(v.pipe(v.string(), v.nonEmpty())), memory: Attributes })

/** A format of texts of 20 units, in which a hash has a meaning, and of attributes that are strings. */
const leg: Leg<WireResponse, CanonicalReply> = {
	carries: {
		reply: { bytes: 100_000 },
		'reply.text': { chars: 20, escape: '#(?!\\u2060)' },
		'reply.attributes.session': { strings: true },
		'reply.attributes.delete': {},
	},
	decode(answer) {
		const { wire, unread } = validate(Answer, readJsonBody(answer))
		const messages = wire.texts.map((text) => ({ type: 'text', text }) as const)
		return { model: { messages, attributes: { session: wire.memory, user: {} } }, unread }
	},
	encode: ({ messages, attributes }) => jsonResponse({ texts: messages.map(textOf), memory: attributes.session }),
}

function textOf(message: CanonicalReply['messages'][number]): string {
	return message.type === 'text' ? message.text : ''
}

const limits = v.object({ texts: v.array(v.pipe(v.string(), v.maxLength(20))), memory: v.any() })
const sound: Side = laws.replySide(leg, limits)

/** The sound side with another leg, or with something done to what fit returns. */
function withLeg(fault: Partial<Side['leg']>): Side {
	return { ...sound, leg: { ...leg, ...fault } }
}
function withFit(fault: (fitted: Fitted<CanonicalReply>, x: CanonicalReply) => Partial<Fitted<CanonicalReply>>): Side {
	return { ...sound, fit: (x) => ({ ...sound.fit(x), ...fault(sound.fit(x), x) }) }
}
function withDecode(fault: (model: CanonicalReply) => unknown): Side {
	// A decode that breaks its type is what a law is for.
	return withLeg({
		decode: (wire) => ({ ...leg.decode(wire), model: fault(leg.decode(wire).model) as CanonicalReply }),
	})
}
function withTexts(reply: CanonicalReply, change: (text: string) => string): CanonicalReply {
	return { ...reply, messages: reply.messages.map((message) => ({ type: 'text', text: change(textOf(message)) })) }
}

const reply = canonicalReplies({ name: 'tiny', words: ['a#b'] })
const config = { numRuns: 400, seed: 11, endOnFailure: true }
const answers = fc
	.record({ x: reply, done: mutations })
	.map(({ x, done }) => mutate(leg.encode(sound.fit(x).value), done))

const onReply = (law: (side: Side, x: CanonicalReply) => void) => (side: Side) =>
	fc.property(reply, (x) => law(side, x))
const properties = {
	roundTrip: onReply(laws.roundTrip),
	idempotence: onReply(laws.idempotence),
	within: onReply(laws.within),
	conservation: onReply(laws.conservation),
	graphemes: onReply(laws.graphemes),
	pairing: onReply(pairing),
	choices: onReply(laws.choices),
	limits: onReply(laws.limits),
	totality: (side: Side) => fc.property(answers, (wire) => laws.totality(side, wire)),
}
type Law = keyof typeof properties
const lawNames: Law[] = [
	'roundTrip',
	'idempotence',
	'within',
	'conservation',
	'graphemes',
	'pairing',
	'choices',
	'limits',
	'totality',
]
const check = (law: Law, side: Side) =>
	law === 'totality'
		? expectLaw('tiny reply', properties.totality(side), config, ([wire]) => wire)
		: expectLaw('tiny reply', properties[law](side), config, ([x]) => x)

describe('a sound format breaks no law', () => {
	test.each(lawNames)('%s', (law) => check(law, sound))
})

/** The law, the fault, the faulty side, and what the failure says. */
const faults: [Law, string, Side, RegExp][] = [
	[
		'roundTrip',
		'encode forgets a field',
		withLeg({ encode: (x) => jsonResponse({ texts: x.messages.map(textOf), memory: {} }) }),
		/^decode\(encode\(f\)\) lost reply\.attributes\.session at attributes\.session.+: expected .+, got undefined$/s,
	],
	[
		'roundTrip',
		'decode unescapes',
		withDecode((x) => withTexts(x, (text) => text.replaceAll('\u2060', ''))),
		/^decode\(encode\(f\)\) changed reply\.text at messages\[\d+\]\.text: expected ".+", got ".+"$/s,
	],
	[
		'roundTrip',
		'decode refuses what encode wrote',
		withLeg({ encode: (x) => jsonResponse({ ...body(x), memory: [1] }) }),
		/^GatewayError field-invalid at memory: expected .+$/,
	],
	[
		'roundTrip',
		'encode writes what decode does not read',
		withLeg({ encode: (x) => jsonResponse({ ...body(x), type: 1 }) }),
		/^decode does not read what encode wrote at type$/,
	],
	[
		'idempotence',
		'fit marks anew',
		withFit(({ value }) => ({ value: withTexts(value, (text) => `${text}!`) })),
		/^fit\(f\) changed reply\.text at messages\[\d+\]\.text: expected ".+!", got ".*!!"$/s,
	],
	[
		'idempotence',
		'fit empties a text',
		withFit(({ value }) => ({ value: withTexts(value, (text) => text.trim()) })),
		/^fit\(x\) is not of the model at messages\[\d+\]\.text: expected at least one character, got ""$/,
	],
	[
		'within',
		'silence',
		withFit(() => ({ changes: [] })),
		/^fit reports no change, but (lost|changed|added) reply\S* at /,
	],
	[
		'within',
		'a false report',
		withFit(({ changes }) => ({ changes: [...changes, { path: 'messages', feature: 'reply.text', did: 'merged' }] })),
		/^fit reports messages merged, but changed nothing$/,
	],
	[
		'conservation',
		'a loss beside other changes',
		withFit(({ value }) => ({ value: { ...value, attributes: { session: {}, user: {} } } })),
		/^fit lost attributes\.\w+.+ \(.+\), and no change names it; the changes: /s,
	],
	[
		'conservation',
		'"converted" of words that are gone',
		withFit(({ changes }) => ({ changes: changes.map((change) => ({ ...change, did: 'converted' })) })),
		/^fit lost .+ \(.+\), and no change names it; the changes: .* converted/s,
	],
	[
		'graphemes',
		'a cut between units',
		withFit(({ value }) => ({ value: withTexts(value, (text) => text.slice(0, 3)) })),
		/^fit cut a character in two: \[".*\\ud[0-9a-f]{3}.*"\]$/s,
	],
	[
		'pairing',
		'an offer means another choice',
		withFit(({ offers }) => ({
			offers: offers.map(({ choice, ...offer }) => ({ ...offer, choice: { ...choice, value: `${choice.value}!` } })),
		})),
		/^fit offers ".*" for ".*!", which the author did not put together$/s,
	],
	[
		'choices',
		'numbers begin at 1 again',
		withFit(({ offers }) => ({ offers: offers.map((offer) => ({ ...offer, number: 1 })) })),
		/^two choices have the number 1$/,
	],
	[
		'choices',
		'choices are shown that are not offered',
		withFit(() => ({ offers: [] })),
		/^".*" at messages\[\d+\].+ is not offered, and no change names it$/s,
	],
	[
		'limits',
		'more is claimed than the platform takes',
		laws.replySide({ ...leg, carries: { ...leg.carries, 'reply.text': { chars: 21 } } }, limits),
		/^encode\(f\) breaks the limits of the platform at texts\[\d+\]: expected at most 20 characters, got ".+"$/s,
	],
	['limits', 'bytes over the ceiling', { ...sound, bytes: 500 }, /^encode\(f\) has \d+ bytes, and carries allows 500$/],
	[
		'limits',
		'a call that the platform never makes',
		{ ...sound, isCall: () => false },
		/^encode\(f\) is no call of this platform/,
	],
	[
		'totality',
		'a TypeError',
		withLeg({ decode: (wire) => leg.decode({ ...wire, body: JSON.parse(wire.body).texts[0].at(0) }) }),
		/^decode threw \w+Error: .+, and not a GatewayError with a code of its own$/,
	],
	[
		'totality',
		'an undefined member',
		withDecode((x) => ({ ...x, control: undefined })),
		/^decode returned control as undefined; leave the member out$/,
	],
	[
		'totality',
		'not of the model',
		withDecode((x) => ({ ...x, control: {} })),
		/^decode returned what is not of the model at control: expected at least one member, got \{\}$/,
	],
]

function body(reply: CanonicalReply): object {
	return { texts: reply.messages.map(textOf), memory: reply.attributes.session }
}

describe('a fault breaks the law', () => {
	test.each(faults)('%s: %s', async (law, _fault, side, reason) => {
		const { message } = await failureOf(check(law, side))
		const [, said] = /^tiny reply: (.+); smallest value: \{.*; seed 11$/s.exec(message) ?? []
		expect(said, message).toMatch(reason)
	})

	test('a failure shows the smallest value', async () => {
		const property = properties.roundTrip(withLeg({ encode: (x) => jsonResponse({ ...body(x), memory: {} }) }))
		const { message } = await failureOf(
			expectLaw('tiny reply', property, { ...config, endOnFailure: false }, ([x]) => x),
		)
		expect(message).toMatch(
			/; smallest value: \{"messages":\[\],"attributes":\{"session":\{.{4,40}\},"user":\{\}\}\}; seed 11$/,
		)
	})
})

function failureOf(checked: Promise<void>): Promise<Error> {
	return checked.then(
		() => expect.fail('the law holds'),
		(thrown) => thrown,
	)
}

const token = queryToken('token')
const call = jsonRequest({ text: 'hello' })
const adapter: Adapter = {
	methods: ['POST'],
	event: {
		carries: {},
		decode: () => ({ model: { kind: 'message', attributes: {} } satisfies CanonicalEvent, unread: [] }),
		encode: () => call,
	},
	reply: () => undefined,
	auth: token,
	challenge: ({ query }) => answerTo(query.find(([name]) => name === 'challenge')?.[1]),
	handshake: (nonce) => ({
		call: { method: 'GET', query: [['challenge', nonce]], headers: [], body: '' },
		accepts: ({ status, body }) => status === 200 && body === nonce,
	}),
}

function answerTo(challenge: string | undefined, write: (text: string) => string = String): WireResponse | undefined {
	return challenge === undefined ? undefined : { status: 200, headers: [], body: write(challenge) }
}

function withVerify(verify: (token: string, secrets: readonly string[]) => boolean): Adapter {
	const auth: Auth = { ...token, verify: async ({ query }, secrets) => verify(query[0]?.[1] ?? '', secrets) }
	return { ...adapter, auth }
}

test.each([
	[
		'prefixes of the secret',
		withVerify((token, secrets) => secrets.some((each) => token !== '' && each.startsWith(token))),
	],
	['longer secrets', withVerify((token, secrets) => secrets.some((each) => token.startsWith(each)))],
	['any secret', withVerify((token, secrets) => token !== '' && secrets.length > 0)],
	['calls without secrets', withVerify((token, secrets) => secrets.length === 0 || secrets.includes(token))],
	['the first secret only', withVerify((token, secrets) => token !== '' && token === secrets[0])],
])('origin: a fault that accepts %s', async (_fault, faulty) => {
	await laws.origin(adapter, call, 'hush', testCrypto)
	await expect(laws.origin(faulty, call, 'hush', testCrypto)).rejects.toThrow()
})

test('origin: a proof that does not stand where it says', async () => {
	const elsewhere: Adapter = { ...adapter, auth: { ...token, proof: 'body' } }
	await expect(laws.origin(elsewhere, call, 'hush', testCrypto)).rejects.toThrow('does not read the body')
	const inBody: Auth = {
		scheme: 'body',
		proof: 'head',
		verify: async ({ body }, secrets) => secrets.includes(body),
		sign: async (call, secret) => ({ ...call, body: secret }),
	}
	await expect(laws.origin({ ...adapter, auth: inBody }, call, 'hush', testCrypto)).rejects.toThrow('reads the body')
	await laws.origin({ ...adapter, auth: { ...inBody, proof: 'body' } }, call, 'hush', testCrypto)
})

test('setUp: a challenge in JSON quotes', async () => {
	await laws.setUp(adapter, 'nonce', 'hush', testCrypto)
	const quoting: Adapter = { ...adapter, challenge: ({ query }) => answerTo(query[0]?.[1], JSON.stringify) }
	await expect(laws.setUp(quoting, 'nonce', 'hush', testCrypto)).rejects.toThrow()
})

test('setUp: a challenge without a handshake', async () => {
	const { handshake: _, ...untried } = adapter
	await expect(laws.setUp(untried, 'nonce', 'hush', testCrypto)).rejects.toThrow('go together')
})

test('setUp: any body is accepted', async () => {
	const lax: Adapter = {
		...adapter,
		handshake: () => ({
			call: { method: 'GET', query: [['challenge', '1']], headers: [], body: '' },
			accepts: ({ status }) => status === 200,
		}),
	}
	await expect(laws.setUp(lax, 'nonce', 'hush', testCrypto)).rejects.toThrow('takes any body')
})

test('carriesTitles: choices without their titles', () => {
	expect(() => laws.carriesTitles({ carries: { 'reply.choices': {} } })).toThrow('but not reply.choice.title')
	laws.carriesTitles({ carries: { 'reply.choices': {}, 'reply.choice.title': {} } })
})
