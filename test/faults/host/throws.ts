/** Code of ours, or of adapter authors, throws where it is not expected. */

import { adapters } from '../../../adapters/index.ts'
import { GatewayError } from '../../../src/errors.ts'
import { fitReply } from '../../../src/fit/index.ts'
import type { Adapter, AdapterFactory, WireResponse } from '../../../src/format/index.ts'
import type { CanonicalReply } from '../../../src/model/index.ts'
import { demo } from '../../../src/upstream/index.ts'
import type { GatewayInside } from '../../harness/gateway.ts'
import { type Call, json, message, says } from '../../harness/http.ts'
import { open } from '../../harness/load.ts'
import { answered, notifying, own, ownTo, type Platform, platforms } from '../../harness/platforms.ts'
import { none, type Outcome, type Row, type Trial, together, unless } from '../row.ts'
import { nth } from '../turns.ts'

const word = 'planted-fault'
/** What is thrown: what people throw, and what they should not. */
const thrown: readonly (() => unknown)[] = [
	() => new TypeError(word),
	() => new Error(word, { cause: new Error(word) }),
	() => word,
	() => undefined,
	() => ({ code: word, status: 200 }),
]

/** Throws while it is lit. */
interface Fuse {
	lit: (() => unknown) | undefined
}

function burning<Args extends unknown[], Result>(
	fuse: Fuse,
	act: (...args: Args) => Result,
): (...args: Args) => Result {
	return (...args) => {
		if (fuse.lit) throw fuse.lit()
		return act(...args)
	}
}

/** Where an adapter may throw: as the platform's side of a route, or as the upstream's. */
type Place = readonly [
	name: string,
	side: 'platform' | 'upstream',
	plant: (adapter: Adapter, fuse: Fuse) => Partial<Adapter>,
]

const places: readonly Place[] = [
	['challenge', 'platform', ({ challenge }, fuse) => (challenge ? { challenge: burning(fuse, challenge) } : {})],
	['event.decode', 'platform', ({ event }, fuse) => ({ event: { ...event, decode: burning(fuse, event.decode) } })],
	['reply', 'platform', ({ reply }, fuse) => ({ reply: burning(fuse, reply) })],
	['reply.encode', 'platform', (adapter, fuse) => replyThat(adapter, fuse, 'encode')],
	[
		'auth.verify',
		'platform',
		({ auth }, fuse) => (auth ? { auth: { ...auth, verify: burning(fuse, auth.verify) } } : {}),
	],
	['event.encode', 'upstream', ({ event }, fuse) => ({ event: { ...event, encode: burning(fuse, event.encode) } })],
	['reply.decode', 'upstream', (adapter, fuse) => replyThat(adapter, fuse, 'decode')],
	['auth.sign', 'upstream', ({ auth }, fuse) => (auth ? { auth: { ...auth, sign: burning(fuse, auth.sign) } } : {})],
]

function replyThat({ reply }: Adapter, fuse: Fuse, which: 'encode' | 'decode'): Partial<Adapter> {
	return {
		reply(event) {
			const leg = reply(event)
			if (!leg) return undefined
			return which === 'encode'
				? { ...leg, encode: burning(fuse, leg.encode) }
				: { ...leg, decode: burning(fuse, leg.decode) }
		},
	}
}

/** A gateway in which something throws while the fuse is lit, and a call that comes by there. */
interface Planted {
	readonly where: string
	readonly fuse: Fuse
	readonly gateway: GatewayInside
	readonly call: Call
	/** The statuses of a failure there: the platform's own, or 500. */
	readonly statuses: readonly number[]
}

export const throws: Row = {
	id: 'B12',
	fault:
		'Code throws: in decode, encode, authentication and set-up calls of each adapter, in an embedded upstream, in an outbox, and outside of any turn',
	demand:
		'each is a typed error in the platform’s format, with one log line and no details in the answer; the next call is answered as before; 0 exits',
	async run(trial) {
		const upstream = await trial.upstream()
		const broken: string[] = []
		const found = [
			...(await Promise.all(platforms.map((platform) => plantIn(trial, platform, upstream.url)))).flat(),
			...(await plantElsewhere(trial)),
		]
		for (const planted of found) {
			for (const what of thrown)
				broken.push(...(await tryOut(planted, what)).map((fault) => `${planted.where}: ${fault}`))
		}
		const count = found.length * thrown.length
		return together([
			{
				reached: `${count} throws at ${found.length} places of ${platforms.length} platforms, an upstream and an outbox: each typed, logged once, without consequences`,
				broken,
			},
			await outsideOfTurns(trial),
		])
	},
}

const secret = 'a-secret-of-the-route'
const guarded = { secrets: [{ env: 'SECRET' }] }

/** Each place in one adapter. `url`: an upstream that speaks the gateway's own JSON. */
async function plantIn(trial: Trial, platform: Platform, url: string): Promise<Planted[]> {
	const planted: Planted[] = []
	const speaking = await trial.upstream(() => helloOf(platform))
	for (const [place, side, plant] of places) {
		const fuse: Fuse = { lit: undefined }
		// A platform that reads no answer has nothing to encode, or to decode.
		if (platform.oneWay && place.startsWith('reply.')) continue
		if (Object.keys(plant(platform.adapter, fuse)).length === 0) continue
		const factory: AdapterFactory = {
			...platform.factory,
			create(options) {
				const adapter = platform.factory.create(options)
				return { ...adapter, ...plant(adapter, fuse) }
			},
		}
		const start = (route: object) =>
			trial.start(
				{ routes: [route] },
				{
					...{ as: 'inside', env: { SECRET: secret } },
					adapters: [factory, ...adapters.filter(({ name }) => name !== factory.name)],
				},
			)
		const where = `${place} of ${platform.name}`
		if (side === 'platform') {
			const gateway = await start(platform.route({ upstream: { url }, ...guarded }))
			planted.push({ where, fuse, gateway, call: await platform.prove(secret), statuses: statusesOf(platform) })
		} else {
			// Where both sides were this format, both would throw.
			const other =
				platform === own
					? nth(
							answered.filter((each) => each !== own),
							0,
						)
					: own
			const gateway = await start(other.route({ upstream: { ...platform.upstream(speaking.url), ...guarded } }))
			const call = other.call(other.event('Hi', { conversation: 'c1' }))
			planted.push({ where, fuse, gateway, call, statuses: statusesOf(other) })
		}
	}
	return planted
}

/** "Hello" as an answer of the platform's format; any answer where none is read. */
function helloOf({ adapter, event }: Platform): WireResponse {
	const leg = adapter.reply(event('Hi'))
	if (!leg) return json(says('Hello'))
	const reply: CanonicalReply = { messages: [{ type: 'text', text: 'Hello' }], attributes: { session: {}, user: {} } }
	return leg.encode(fitReply(reply, leg, { turnId: 'turn', receivedAt: '2026-01-01T00:00:00.000Z' }).value)
}

/** The statuses with which a platform is told of a fault, before and after its call was read. */
function statusesOf({ adapter: { event, failure }, wire }: Platform): readonly number[] {
	const error = new GatewayError('internal')
	const answers = [undefined, event.decode(wire).model].map((known) => failure?.(known, error))
	return [500, ...answers.flatMap((answer) => answer?.status ?? [])]
}

/** An upstream inside the gateway that throws, and outboxes that do. */
async function plantElsewhere(trial: Trial): Promise<Planted[]> {
	const [upstream, throwing, rejecting]: [Fuse, Fuse, Fuse] = [
		{ lit: undefined },
		{ lit: undefined },
		{ lit: undefined },
	]
	const outboxes = [
		['an outbox that throws', throwing, burning(throwing, async () => {})],
		['an outbox that rejects', rejecting, async () => burning(rejecting, () => {})()],
	] as const
	const inside = { as: 'inside' } as const
	const config = { upstream: { url: 'builtin:demo' }, routes: [notifying.route()] }
	return [
		{
			...{ where: 'an upstream', fuse: upstream, statuses: [500], call: { path: '/own', body: message('Hi') } },
			gateway: await trial.start(ownTo('builtin:demo'), { ...inside, demo: burning(upstream, demo) }),
		},
		...(await Promise.all(
			outboxes.map(async ([where, fuse, accept]) => ({
				...{ where, fuse, statuses: statusesOf(notifying), call: notifying.call(notifying.event('Hi')) },
				gateway: await trial.start(config, { ...inside, replace: () => ({ outbox: { accept } }) }),
			})),
		)),
	]
}

let calls = 0

/** What is wrong with what came of one throw. */
async function tryOut({ fuse, gateway, call, statuses }: Planted, what: () => unknown): Promise<string[]> {
	// No call is a repetition of another one, whose answer is known.
	const send = () => gateway.send({ ...call, body: `${call.body ?? ''}${' '.repeat(calls++)}` })
	const before = await send()
	gateway.lines.length = 0
	fuse.lit = what
	const { status, body, headers } = await send()
	fuse.lit = undefined
	const lines = gateway.lines.filter(({ error }) => error === 'internal')
	const after = await send()
	return [
		...unless(before.status === 200, `nothing could be tried, for the answer is ${before.status} by itself`),
		...unless(statuses.includes(status), `answered with ${status}`),
		...unless(/^\{.*"(title|error|code|message)"/s.test(body), `the answer is untyped: ${body}`),
		...unless(!JSON.stringify([body, headers]).includes(word), 'the answer tells of it'),
		...unless(lines.length === 1, `${lines.length} lines tell of it`),
		...unless(!(what() instanceof Error) || String(lines[0]?.cause).includes(word), 'the line has no stack'),
		...unless(after.status === before.status, `the next call was answered with ${after.status}`),
	]
}

/** A process in which something throws and rejects all the time, beside every turn. */
async function outsideOfTurns(trial: Trial): Promise<Outcome> {
	const fault = `new Error('${word}')`
	const preload = `process.once('SIGUSR2', () => setInterval(() => { Promise.reject(${fault}); throw ${fault} }, 20))`
	const gateway = await trial.start(ownTo('builtin:demo'), { preload })
	gateway.process.kill('SIGUSR2')
	const call = () => ({ path: '/own', body: message('Hi') })
	const load = await open(gateway.url, { rate: 200, seconds: trial.at(1, 3, 30), call })
	const uncaught = gateway.lines.filter(({ msg }) => msg === 'uncaught').length
	const code = await gateway.end()
	return {
		reached: `${uncaught} outside of turns, with ${load.count(200)} calls answered meanwhile`,
		broken: [
			...unless(code === 0, `the process ended with ${code}`),
			...unless(uncaught > 0, 'nothing was thrown outside of turns'),
			...none(load.sent - load.count(200), `of ${load.sent} calls failed beside what was thrown`),
		],
	}
}
