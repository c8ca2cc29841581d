/** Draws the calls for record-turns.ts: fixtures, and random, mutated and failing turns for every pair of formats. */
import { openSync, writeFileSync } from 'node:fs'
import fc from 'fast-check'
import { adapters } from '../adapters/index.ts'
import { fitEvent, fitReply } from '../src/fit/index.ts'
import type { Adapter, WireRequest, WireResponse } from '../src/format/index.ts'
import type { Button, CanonicalEvent, CanonicalReply, Choice } from '../src/model/index.ts'
import { canonicalEvents, canonicalReplies, hintsOf } from '../test/arbitraries.ts'
import { testCrypto } from '../test/crypto.ts'
import { readFixtures } from '../test/fixtures.ts'
import { mutate, mutations } from '../test/mutations.ts'
import type { Call, Line } from './record-turns.ts'

/** Random turns for each pair of formats, divided between the settings. */
const turnsPerPair = 2000

/** The options to try with each adapter, defaults first. */
const options: { readonly [name: string]: readonly object[] } = {
	'chatbot-v1': [{}, { userAttributes: 'session' }],
	'chatbot-v2': [{}, { text: 'question', action: 'action', userAttributes: 'session' }],
	botdistrikt: [{}, { method: 'GET', text: 'question', session: ['sid', 'chat'], user: 'uid', choices: 3 }],
	'snatchbot-json-api': [{}, { filler: 'See below.' }],
	pingstreams: [
		{},
		{ dialect: 'server', proof: 'token' },
		{ dialect: 'server', silence: 'Hm.', caption: 'File' },
		{ dialect: 'external', proof: 'token' },
		{ dialect: 'subscription', proof: 'hook-secret' },
	],
}

/** Everything a route configures beside its formats. */
interface Setting {
	readonly route?: object
	readonly upstream?: object
	/** The secret that signs the platform's calls. */
	readonly secret?: string
	readonly outbox?: boolean
}

const env = { NEW: 'secret-of-this-year', OLD: 'secret-of-last-year', KEY: `whsec_${btoa('k'.repeat(32))}` }
const secrets = [{ env: 'NEW' }, { env: 'OLD' }]
const textReply = (text: string) => ({ messages: [{ type: 'text', text }] })
const failure = { '*': textReply('Sorry.'), de: textReply('Entschuldigung.') }
const debugged: Setting = { route: { debug: true, raw: true } }
const strict: Setting = { route: { debug: true, policy: 'strict' } }
const guarded: Setting = { route: { secrets, raw: true, failure }, secret: env.OLD, outbox: true }
const signed: Setting = {
	route: { secrets, failure, idempotent: true },
	upstream: { secrets, headers: { 'x-team': 'bots' }, sign: [{ env: 'KEY' }] },
	secret: env.NEW,
}
const settings = [{}, debugged, strict, guarded, signed]

interface Format {
	readonly name: string
	readonly options: unknown
	readonly adapter: Adapter
}

interface Pair {
	readonly platform: Format
	readonly upstream: Format
	readonly setting: Setting
}

interface Turn extends Pick<Call, 'answer' | 'slow'> {
	readonly wire: WireRequest
	/** Changes the call after it was signed. */
	readonly spoil?: (wire: WireRequest) => WireRequest
	/** The path to call. Default: the path of the route. */
	readonly path?: string
}

let sections = 0
const origin = 'https://gateway.example'
const hook = '/hook'
const context = { turnId: 'turn_0', receivedAt: '2026-01-02T00:00:00.000Z', remembers: true }
const emptyResponse: WireResponse = { status: 200, headers: [], body: '' }
const menu: CanonicalReply = {
	messages: [
		{ type: 'text', text: 'Hello', buttons: [{ type: 'link', title: 'Shop', url: 'https://shop.example' }] },
		{ type: 'choices', text: 'What?', choices: ['Tea', 'Coffee'].map((title) => ({ title, value: `drink:${title}` })) },
	],
	attributes: { session: { size: 'L' }, user: { name: 'Ada' } },
}

/** Every line of the inputs. The seeds are fixed, so each run draws the same lines. */
async function* drawLines(): AsyncGenerator<Line> {
	yield* fixtures()
	const formats = adapters.map(({ name }) => (options[name] ?? [{}]).map((each) => formatOf(name, each)))
	for (const [p, platforms] of formats.entries()) {
		yield* faults(platforms)
		for (const [u, upstreams] of formats.entries()) {
			for (const n of settings.keys()) {
				// Different strides combine the options of both sides and the settings in different ways.
				const setting = nth(settings, n + p + u)
				const pair = { platform: nth(platforms, n), upstream: nth(upstreams, 3 * n), setting }
				const seed = 1000 * p + 100 * u + n
				yield* section(pair, 'random', randomTurns(pair, turnsPerPair / settings.length, seed))
				yield* section(pair, 'mutated', mutatedTurns(pair, 6, seed))
			}
		}
	}
}

async function* fixtures(): AsyncGenerator<Line> {
	for (const { name } of adapters) {
		const pinned = readFixtures(new URL(`../adapters/${name}/fixtures/`, import.meta.url))
		for (const { name: other } of adapters) {
			for (const setting of [debugged, strict]) {
				for (const { name: file, options, wire } of [...pinned.event, ...pinned.badEvent]) {
					const pair = { platform: formatOf(name, options), upstream: formatOf(other), setting }
					const turn = { wire, answer: answerTo(pair, wire, menu) }
					const ways = fc.sample(mutations, { numRuns: 2, seed: 1 })
					const mutated = ways.map((way) => ({ ...turn, spoil: (signed: WireRequest) => mutate(signed, way) }))
					yield* section(pair, file, [turn, ...mutated])
				}
				for (const { name: file, options, event, wire: answer } of [...pinned.reply, ...pinned.badReply]) {
					const pair = { platform: formatOf(other), upstream: formatOf(name, options), setting }
					yield* section(pair, file, [{ wire: callFrom(pair.platform, event), answer }])
				}
			}
		}
	}
}

/** Failing and slow upstreams, calls that no platform makes, and two formats that share a URL. */
async function* faults(platforms: readonly Format[]): AsyncGenerator<Line> {
	const answers: readonly Call['answer'][] = [
		{ error: 'upstream-unreachable' },
		{ error: 'upstream-timeout' },
		{ error: 'upstream-reply-too-large' },
		...[204, 302, 404, 500, 500, 500, 500, 500, 500].map((status) => ({ ...emptyResponse, status })),
		...Array.from({ length: 8 }, () => emptyResponse),
		{ status: 429, headers: [['retry-after', '1']], body: '' },
		emptyResponse,
	]
	for (const [n, setting] of settings.entries()) {
		const pair = { platform: nth(platforms, n), upstream: formatOf('canonical'), setting }
		const wires = draws(pair, answers.length, n).map(({ event }) => callFrom(pair.platform, event))
		const failing = wires.map((wire, i) => ({ wire, answer: nth(answers, i) }))
		yield* section(pair, 'faults', failing)
		yield* section(pair, 'strange', strangeTurns(pair, nth(wires, 0)))

		const late = { after: 1, reply: failure, answer: nth(['next-turn', 'drop'], n) }
		const isSlow = (turn: Turn, i: number) => i % 3 === 0 && readsAnswers(pair, turn.wire)
		const turns = [...randomTurns(pair, 30, n)].map((turn, i) => ({ ...turn, slow: isSlow(turn, i) }))
		yield* section(withRoute(pair, { late }), 'late', turns)

		if (!pair.platform.adapter.recognises) continue
		const shared = withRoute(pair, { platform: ['chatbot-v1', 'chatbot-v2'], options: {} })
		yield* section(shared, 'shared', [...randomTurns(pair, 100, n), ...mutatedTurns(pair, 20, n)])
	}
}

function withRoute({ setting, ...pair }: Pair, more: object): Pair {
	return { ...pair, setting: { ...setting, route: { ...setting.route, ...more } } }
}

function* strangeTurns({ platform: { adapter } }: Pair, wire: WireRequest): Generator<Turn> {
	const but = (change: Partial<WireRequest>, path?: string): Turn => ({
		wire,
		answer: emptyResponse,
		spoil: (signed) => ({ ...signed, ...change }),
		...(path !== undefined && { path }),
	})
	const mark = `dragoman-${'0'.repeat(16)}`
	const eight = Array.from({ length: 8 }, () => mark).join()
	yield* ['GET', 'HEAD', 'PUT'].map((method) => but({ method }))
	yield* ['/', '/healthz', '/readyz', '/-/carries/none'].map((path) => but({ method: 'GET' }, path))
	yield* [mark, eight].map((marks) => but({ headers: [...wire.headers, ['cdn-loop', marks]] }))
	yield* [but({}, hook), but({}, `${hook}/wrong`), but({ query: [['token', 'wrong']], headers: [] })]
	yield but({ headers: [...wire.headers, ['content-encoding', 'gzip']] })
	yield but({ body: 'x'.repeat(1_100_000) })
	if (adapter.handshake) yield { wire: adapter.handshake('nonce').call, answer: emptyResponse }
}

/** Turns in a few conversations: users select what the last reply offered, and some calls arrive twice. */
function* randomTurns(pair: Pair, count: number, seed: number): Generator<Turn> {
	const offered = new Map<string, readonly string[]>()
	let last: Turn | undefined
	for (const { event: drawn, reply, chance, talk, word } of draws(pair, count, seed)) {
		const conversation = `talk ${talk}`
		const words = offered.get(conversation) ?? []
		const { choice: _, ...rest } = drawn
		let event = drawn
		if (chance < 25 && words.length > 0) event = { ...rest, conversation, kind: 'message', text: nth(words, word) }
		else if (chance < 60) event = { ...drawn, conversation }
		const wire = chance >= 97 && last ? last.wire : callFrom(pair.platform, event)
		if (event.conversation === conversation) offered.set(conversation, wordsIn(reply))
		last = { wire, answer: answerTo(pair, wire, reply) }
		yield last
	}
}

/** What a user could send to select something from a reply. */
function wordsIn({ messages }: CanonicalReply): string[] {
	const offers = messages.flatMap((message): readonly (Button | Choice)[] => {
		if (message.type === 'choices') return message.choices
		return message.type === 'text' ? (message.buttons ?? []) : []
	})
	return offers.flatMap((offer, i) => [offer.title, 'value' in offer ? offer.value : offer.title, String(i + 1)])
}

function* mutatedTurns(pair: Pair, count: number, seed: number): Generator<Turn> {
	for (const { event, reply, way } of draws(pair, count, seed)) {
		const wire = callFrom(pair.platform, event)
		const answer = answerTo(pair, wire, reply)
		yield { wire, answer, spoil: (signed) => mutate(signed, way) }
		yield { wire, answer: mutate(answer, way) }
	}
}

function draws({ platform, upstream }: Pair, numRuns: number, seed: number) {
	// The canonical format also carries what only the other format can express.
	const caller = platform.name === 'canonical' ? upstream : platform
	const speaker = upstream.name === 'canonical' ? platform : upstream
	const event = canonicalEvents(hintsOf(caller.name, caller.options, [caller.adapter.event]))
	const legs = fc.sample(event, { numRuns: 40, seed }).flatMap((each) => speaker.adapter.reply(each) ?? [])
	const reply = canonicalReplies(hintsOf(speaker.name, speaker.options, legs))
	const [chance, talk, word] = [fc.nat(99), fc.nat(19), fc.nat()]
	return fc.sample(fc.record({ event, reply, way: mutations, chance, talk, word }), { numRuns, seed })
}

function callFrom({ adapter }: Format, event: CanonicalEvent): WireRequest {
	return adapter.event.encode(fitEvent(event, adapter.event, context).value)
}

/** The upstream's response to this call, with this reply. */
function answerTo({ platform, upstream }: Pair, wire: WireRequest, reply: CanonicalReply): WireResponse {
	try {
		const { model } = platform.adapter.event.decode(wire)
		const leg = upstream.adapter.reply(fitEvent(model, upstream.adapter.event, context).value)
		return leg ? leg.encode(fitReply(reply, leg, context).value) : emptyResponse
	} catch {
		// The call is a bad fixture, so the gateway will not call the upstream.
		return emptyResponse
	}
}

function readsAnswers({ platform: { adapter } }: Pair, wire: WireRequest): boolean {
	return adapter.reply(adapter.event.decode(wire).model) !== undefined
}

/** A gateway with one route for the pair, and the calls to it. */
async function* section(pair: Pair, what: string, turns: Iterable<Turn>): AsyncGenerator<Line> {
	const { platform, upstream, setting } = pair
	const name = `${platform.name}-to-${upstream.name}-${what.replace(/\W+/g, '-')}-${++sections}`
	const called = { url: 'https://upstream.example/hook?v=1', adapter: upstream.name, options: upstream.options }
	const route = {
		...{ name, path: hook, platform: platform.name, options: platform.options, ...setting.route },
		upstream: { ...called, ...setting.upstream },
	}
	yield { setup: { config: { routes: [route] }, env, outbox: setting.outbox ?? false } }
	for (const turn of turns) yield { call: await callOf(pair, turn) }
	const carries = `${origin}/-/carries/${name}`
	yield { call: { method: 'GET', url: carries, headers: [], body: '', answer: emptyResponse } }
}

async function callOf({ platform, setting: { secret } }: Pair, turn: Turn): Promise<Call> {
	const { wire, answer, spoil = (same) => same, slow = false } = turn
	const { auth } = platform.adapter
	const signed = secret !== undefined && auth ? await auth.sign(wire, secret, testCrypto) : wire
	const { method, query, headers, body } = spoil(signed)
	const { path = secret === undefined || auth ? hook : `${hook}/${secret}` } = turn
	const search = new URLSearchParams(query.map(([name, value]) => [name, value]))
	return { method, url: `${origin}${path}?${search}`, headers, body, answer, ...(slow && { slow }) }
}

function formatOf(name: string, options: unknown = {}): Format {
	const factory = adapters.find((each) => each.name === name)
	if (!factory) throw new Error(`No such adapter: ${name}`)
	return { name, options, adapter: factory.create(options) }
}

/** The nth item of the list, repeated endlessly. */
function nth<T>(list: readonly T[], n: number): T {
	const item = list[n % list.length]
	if (item === undefined) throw new Error('The list is empty')
	return item
}

const [file] = process.argv.slice(2)
if (file === undefined) throw new Error('Usage: draw-turns.ts INPUTS')
const out = openSync(file, 'w')
for await (const line of drawLines()) writeFileSync(out, `${JSON.stringify(line)}\n`)
