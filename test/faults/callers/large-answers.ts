/** What upstreams can answer: large replies of every format to every platform, on time and late, and the turns behind them. */
import { fitReply } from '../../../src/fit/index.ts'
import type { WireResponse } from '../../../src/format/index.ts'
import { limits } from '../../../src/limits.ts'
import type { CanonicalReply } from '../../../src/model/index.ts'
import { json, says } from '../../harness/http.ts'
import { answered, own, type Platform } from '../../harness/platforms.ts'
import { oneOf } from '../../harness/random.ts'
import { until } from '../../until.ts'
import type { Trial } from '../row.ts'
import { largeBodies, largeMembers, largeValues } from './large-bodies.ts'
import { type Case, elementCounts, paired, type Shapes, sample, sized, valueCounts } from './large-cases.ts'
import { largeReplies } from './large-models.ts'

const room = limits.replyBytes.value - 4000

/** Milliseconds after which a holding reply leaves. */
const patience = 30

/** A platform and the format in which its upstream answers. */
interface Pair {
	readonly platform: Platform
	readonly upstream: Platform
}

/** A route with a holding reply. */
interface LateRoute {
	readonly platform: Platform
	readonly route: string
}

export async function answerCases(trial: Trial): Promise<Case[]> {
	const pairs = answered.flatMap((platform) => answered.map((upstream): Pair => ({ platform, upstream })))
	const holding = { after: patience, reply: says('One moment') }
	const lateRoutes = answered.flatMap((platform) =>
		['late', 'late-strict'].map((kind): LateRoute => ({ platform, route: `${platform.name}-${kind}` })),
	)
	const pickPair = () => oneOf(pairs, trial.random)
	let reply: () => WireResponse | Promise<WireResponse> = () => json(says('Hello'))
	const gateway = await trial.start(
		{
			upstream: { url: 'http://upstream.test/' },
			routes: [
				...pairs.map(({ platform, upstream }) =>
					platform.route({ upstream: upstream.upstream('http://upstream.test/') }, nameOf(platform, upstream)),
				),
				...answered.flatMap((platform) => [
					platform.route({ debug: true }, platform.name),
					platform.route({ late: holding }, `${platform.name}-late`),
					platform.route({ late: holding, policy: 'strict' }, `${platform.name}-late-strict`),
				]),
			],
		},
		{ as: 'inside', replace: () => ({ send: async () => await reply() }) },
	)
	let conversations = 0
	const next = (platform: Platform, route: string) => {
		const conversation = `c${++conversations}`
		return (text: string) =>
			gateway.send(platform.call(platform.event(text, { id: `${Math.random()}`, conversation }), `/${route}`))
	}

	const answers = (what: string, { platform, upstream }: Pair, answer: () => WireResponse): Case => ({
		what: `${what} (from ${upstream.name} to ${platform.name})`,
		async prepare() {
			const whole = answer()
			reply = () => (Buffer.byteLength(whole.body) > limits.replyBytes.value ? json(says('Too much')) : whole)
			const send = next(platform, nameOf(platform, upstream))
			return () => send('Hi')
		},
	})
	const texts = (kind: string, shapes: Shapes<string>, place: (upstream: Platform, text: string) => WireResponse) =>
		paired(trial, sized(trial, shapes, valueCounts), pickPair, (shape, pair) =>
			answers(`${kind} of a reply: ${shape.what}`, pair, () => place(pair.upstream, shape.make(room))),
		)

	/** Ten replies that come late, and the turn behind them. */
	const behind = (what: string, { platform, route }: LateRoute, make: (size: number) => CanonicalReply): Case => ({
		what: `behind ten late replies: ${what} (${route})`,
		async prepare() {
			const send = next(platform, route)
			const { lines } = gateway
			lines.length = 0
			const release = Promise.withResolvers<WireResponse>()
			reply = () => release.promise
			await Promise.all(Array.from({ length: 10 }, (_, i) => send(`${i}`)))
			release.resolve(encoded(own, make))
			await until(() => lines.filter(({ msg }) => msg === 'late').length === 10)
			reply = () => json(says('Hello'))
			return () => send('Hi')
		},
	})

	/** A reply that comes when its platform has got the holding one. */
	const held = (what: string, { platform, route }: LateRoute, make: (size: number) => CanonicalReply): Case => ({
		what: `a late reply: ${what} (${route})`,
		async prepare() {
			const send = next(platform, route)
			const { lines } = gateway
			lines.length = 0
			const release = Promise.withResolvers<WireResponse>()
			reply = () => release.promise
			const answer = await send('Hi')
			const response = encoded(own, make)
			return async () => {
				release.resolve(response)
				await until(() => lines.some(({ msg }) => msg === 'late'))
				return answer
			}
		},
	})

	/** The fifth event of a conversation whose choices are open. */
	const after = (what: string, platform: Platform, make: (size: number) => CanonicalReply, text: string): Case => ({
		what: `behind open choices: ${what} (${platform.name})`,
		async prepare() {
			const send = next(platform, platform.name)
			const response = encoded(own, make)
			reply = () => response
			for (let i = 0; i < limits.openReplies.value; i++) await send(`${i}`)
			reply = () => json(says('Hello'))
			return () => send(text)
		},
	})

	const late = (few: number) => sample(trial, sized(trial, largeReplies, elementCounts), few)
	const open = sized(trial, largeReplies, elementCounts).filter(({ what }) => /choices|buttons/.test(what))
	const marks = `a${'\u0301'.repeat(100_000)}${'\u0316'.repeat(100_000)}`
	return [
		...texts('body', largeBodies, (_, body) => ({ ...json({}), body })),
		...texts('value', largeValues, (upstream, value) => withMember(upstream, `"a":${value}`)),
		...texts('members', largeMembers, withMember),
		...paired(trial, sized(trial, largeReplies, elementCounts), pickPair, (shape, pair) =>
			answers(`reply: ${shape.what}`, pair, () => encoded(pair.upstream, shape.make)),
		),
		...late(20).map(({ what, make }) => held(what, oneOf(lateRoutes, trial.random), make)),
		...late(10).map(({ what, make }) => behind(what, oneOf(lateRoutes, trial.random), make)),
		...sample(trial, open, 8).flatMap(({ what, make }) =>
			[marks, '2'].map((words) => after(what, oneOf(answered, trial.random), make, words)),
		),
	]
}

function nameOf(platform: Platform, upstream: Platform): string {
	return `${platform.name}-from-${upstream.name}`
}

/** The reply in the format, as large as may be: as it is, or fitted if the format cannot write it. */
function encoded({ name, adapter, event }: Platform, make: (size: number) => CanonicalReply): WireResponse {
	const leg = adapter.reply(event('Hi'))
	if (!leg) throw new Error(`${name} has no replies`)
	const write = (reply: CanonicalReply): WireResponse => {
		try {
			return leg.encode(reply)
		} catch {
			return leg.encode(fitReply(reply, leg, { turnId: 'turn', receivedAt: '2026-01-01T00:00:00.000Z' }).value)
		}
	}
	const whole = write(make(room))
	const bytes = Buffer.byteLength(whole.body)
	return bytes <= room ? whole : write(make((room * room * 0.95) / bytes))
}

/** A reply of the format with these members among its attributes, or where they are not read. */
function withMember({ name, adapter, event }: Platform, members: string): WireResponse {
	const leg = adapter.reply(event('Hi'))
	if (!leg) throw new Error(`${name} has no replies`)
	const mark = 'here it goes'
	const wire = leg.encode({ messages: [{ type: 'text', text: 'Hi' }], attributes: { session: { a: mark }, user: {} } })
	const [before = '', after] = wire.body.split(`"a":"${mark}"`)
	return { ...wire, body: after === undefined ? `${before.slice(0, -1)},${members}}` : before + members + after }
}
