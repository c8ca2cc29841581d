/** Code of ours, or of those who write adapters, throws where nobody expects it. */
import { adapters } from '../../../adapters/index.ts'
import { GatewayError } from '../../../src/errors.ts'
import type { Adapter, AdapterFactory } from '../../../src/format/index.ts'
import { demo } from '../../../src/upstream/index.ts'
import type { Sent } from '../../runtime/http.ts'
import { asSent } from '../../runtime/samples.ts'
import { callOf, message, type Platform, platforms, routeOf } from '../calls.ts'
import { says, startEcho } from '../echo.ts'
import { startGateway } from '../gateway.ts'
import { gatewayInside, type Inside, type Parts } from '../inside.ts'
import { open } from '../load.ts'
import type { Row, Trial } from '../row.ts'

const word = 'planted-fault'
/** What is thrown: what people throw, and what they should not. */
const thrown: readonly (() => unknown)[] = [
	() => new TypeError(word),
	() => new Error(word, { cause: new Error(word) }),
	() => word,
	() => undefined,
	() => ({ code: word, status: 200 }),
]

/** Throws while it is told to. */
interface Fuse {
	lit: (() => unknown) | undefined
}

function burn({ lit }: Fuse): void {
	if (lit) throw lit()
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
	['reply.encode', 'platform', ({ reply }, fuse) => ({ reply: replyThat(reply, fuse, 'encode') })],
	[
		'auth.verify',
		'platform',
		({ auth }, fuse) => (auth ? { auth: { ...auth, verify: burning(fuse, auth.verify) } } : {}),
	],
	['event.encode', 'upstream', ({ event }, fuse) => ({ event: { ...event, encode: burning(fuse, event.encode) } })],
	['reply.decode', 'upstream', ({ reply }, fuse) => ({ reply: replyThat(reply, fuse, 'decode') })],
	['auth.sign', 'upstream', ({ auth }, fuse) => (auth ? { auth: { ...auth, sign: burning(fuse, auth.sign) } } : {})],
]

function burning<Args extends unknown[], Result>(
	fuse: Fuse,
	act: (...args: Args) => Result,
): (...args: Args) => Result {
	return (...args) => {
		burn(fuse)
		return act(...args)
	}
}

function replyThat(reply: Adapter['reply'], fuse: Fuse, which: 'encode' | 'decode'): Adapter['reply'] {
	return (event) => {
		const leg = reply(event)
		if (!leg) return undefined
		return which === 'encode'
			? { ...leg, encode: burning(fuse, leg.encode) }
			: { ...leg, decode: burning(fuse, leg.decode) }
	}
}

/** What is tried: a gateway in which something throws while the fuse is lit, and a call that comes by there. */
interface Planted {
	readonly where: string
	readonly fuse: Fuse
	readonly gateway: Inside
	readonly sent: Sent
	/** The statuses of a failure there: the platform's own, or 500. */
	readonly statuses: readonly number[]
}

export const throws: Row = {
	id: 'B12',
	fault:
		'Code throws: in the codecs, proofs and set-up calls of each adapter, in an upstream of one’s own, in an outbox, and outside of any turn',
	demand:
		'each is a typed error in the platform’s shape, with one line in the log and no word of the fault in the answer; the next call is answered as before; 0 exits',
	async run(trial) {
		const upstream = await startEcho(trial, () => says('Hello'))
		const broken: string[] = []
		const found = [
			...(await Promise.all(platforms.map((platform) => plantIn(trial, platform, upstream.url)))).flat(),
			...plantElsewhere(trial),
		]
		let count = 0
		for (const planted of found) {
			for (const what of thrown) {
				count++
				for (const fault of await tryOut(planted, what)) broken.push(`${planted.where}: ${fault}`)
			}
		}
		const { uncaught, answered, faults } = await outsideOfTurns(trial)
		return {
			reached: `${count} throws at ${found.length} places of ${platforms.length} adapters, an upstream and an outbox: each typed, told once, and over; ${uncaught} outside of turns, and ${answered} calls answered meanwhile`,
			broken: [...broken, ...faults].slice(0, 10),
		}
	},
}

/** Each place in one adapter. */
async function plantIn(trial: Trial, platform: Platform, url: string): Promise<Planted[]> {
	const secret = 'a-secret-of-the-route'
	const planted: Planted[] = []
	for (const [place, side, plant] of places) {
		const fuse: Fuse = { lit: undefined }
		// Of who reads no answer there is nothing to encode, or to decode.
		if (platform.oneWay && place.startsWith('reply.')) continue
		if (Object.keys(plant(platform.factory.create(platform.options), fuse)).length === 0) continue
		const factory: AdapterFactory = {
			...platform.factory,
			create(options) {
				const adapter = platform.factory.create(options)
				return { ...adapter, ...plant(adapter, fuse) }
			},
		}
		const others = adapters.filter(({ name }) => name !== factory.name)
		const parts: Parts = { adapters: [factory, ...others] }
		const where = `${place} of ${platform.name}`
		const own = platform.factory.create(platform.options)
		if (side === 'platform') {
			const secrets = { secrets: [{ env: 'SECRET' }] }
			const route = routeOf(platform, { upstream: { url }, ...secrets })
			const gateway = gatewayInside(trial, { routes: [route] }, { SECRET: secret }, parts)
			const sent = await callOf(platform, platform.wire, secret)
			planted.push({ where, fuse, gateway, sent, statuses: statusesOf(own, platform) })
		} else {
			const to = { url, adapter: factory.name, options: platform.options, secrets: [{ env: 'SECRET' }] }
			const routes = [{ name: 'own', path: '/own', platform: 'canonical', upstream: to }]
			// Where both sides are this format, both would throw.
			if (factory.name === 'canonical') Object.assign(routes[0] ?? {}, { platform: 'botdistrikt' })
			const gateway = gatewayInside(trial, { routes }, { SECRET: secret }, parts)
			const body = factory.name === 'canonical' ? '{"msg":"Hi"}' : message('Hi', { conversation: 'c1' })
			planted.push({ ...{ where, fuse, gateway }, sent: { path: '/own', body }, statuses: [500] })
		}
	}
	return planted
}

/** The statuses with which a platform is told of a fault, before and after its call was read. */
function statusesOf({ event, failure }: Adapter, { wire }: Platform): readonly number[] {
	const error = new GatewayError('internal')
	const answers = [undefined, event.decode(wire).model].map((known) => failure?.(known, error))
	return [500, ...answers.flatMap((answer) => answer?.status ?? [])]
}

/** An upstream inside the gateway that throws, and an outbox that does. */
function plantElsewhere(trial: Trial): Planted[] {
	const [upstreamFuse, outboxFuse, rejecting]: Fuse[] = [{ lit: undefined }, { lit: undefined }, { lit: undefined }]
	const oneWay = platforms.find((platform) => platform.oneWay)
	if (!upstreamFuse || !outboxFuse || !rejecting || !oneWay) throw new Error('no platform reads no answer')
	const own = { name: 'own', path: '/own', platform: 'canonical' }
	const upstream = { url: 'builtin:demo' }
	const sent = { path: '/own', body: message('Hi') }
	const outboxes = [
		{ where: 'an outbox that throws', fuse: outboxFuse, at: burning(outboxFuse, async () => {}) },
		{ where: 'an outbox that rejects', fuse: rejecting, at: async () => burn(rejecting) },
	]
	return [
		{
			...{ where: 'an upstream', fuse: upstreamFuse, sent, statuses: [500] },
			gateway: gatewayInside(trial, { upstream, routes: [own] }, {}, { demo: burning(upstreamFuse, demo) }),
		},
		...outboxes.map(({ where, fuse, at }) => ({
			...{ where, fuse, sent: asSent(`/${oneWay.name}`, oneWay.wire) },
			gateway: gatewayInside(
				trial,
				{ upstream, routes: [routeOf(oneWay)] },
				{},
				{ lend: () => ({ outbox: { accept: at } }) },
			),
			statuses: statusesOf(oneWay.factory.create(oneWay.options), oneWay),
		})),
	]
}

let calls = 0

/** What is wrong with what came of one throw. */
async function tryOut({ fuse, gateway, sent, statuses }: Planted, what: () => unknown): Promise<string[]> {
	const faults: string[] = []
	// No call is a repetition of another one, whose answer is known.
	const take = () => gateway.take({ ...sent, body: `${sent.body ?? ''}${' '.repeat(calls++)}` })
	const before = await take()
	gateway.lines.length = 0
	fuse.lit = what
	const answer = await take()
	fuse.lit = undefined
	const text = await answer.text()
	const lines = gateway.lines.filter(({ error }) => error === 'internal')
	const after = await take()

	if (before.status !== 200) faults.push(`nothing could be tried, for the answer is ${before.status} by itself`)
	if (!statuses.includes(answer.status)) faults.push(`answered with ${answer.status}`)
	if (!/^\{.*"(title|error|code|message)"/s.test(text)) faults.push(`the answer is untyped: ${text}`)
	if (text.includes(word) || JSON.stringify([...answer.headers]).includes(word)) faults.push('the answer tells of it')
	if (lines.length !== 1) faults.push(`${lines.length} lines tell of it`)
	if (what() instanceof Error && !String(lines[0]?.cause).includes(word)) faults.push('the line has no stack')
	if (after.status !== before.status) faults.push(`the next call was answered with ${after.status}`)
	return faults
}

/** A process in which something throws and rejects all the time, beside every turn. */
async function outsideOfTurns(trial: Trial): Promise<{ uncaught: number; answered: number; faults: string[] }> {
	const fault = `new Error('${word}')`
	const plant = `process.once('SIGUSR2', () => setInterval(() => { Promise.reject(${fault}); throw ${fault} }, 20))`
	const gateway = await startGateway(
		trial,
		{ upstream: { url: 'builtin:demo' }, routes: [{ name: 'own', path: '/own', platform: 'canonical' }] },
		{ node: ['--import', `data:text/javascript,${encodeURIComponent(plant)}`] },
	)
	gateway.process.kill('SIGUSR2')
	const call = (): { path: string; body: string } => ({ path: '/own', body: message('Hi') })
	const load = await open({ url: gateway.url, rate: 200, seconds: trial.at(1, 3, 30), call })
	const answered = load.statuses.get(200) ?? 0
	const uncaught = gateway.lines.filter(({ msg }) => msg === 'uncaught').length
	const code = await gateway.end()
	const faults: string[] = []
	if (code !== 0) faults.push(`the process ended with ${code}`)
	if (uncaught === 0) faults.push('nothing was thrown outside of turns')
	if (answered < load.sent) faults.push(`${load.sent - answered} of ${load.sent} calls failed beside what was thrown`)
	return { uncaught, answered, faults }
}
