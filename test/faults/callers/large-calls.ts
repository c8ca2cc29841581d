/** What callers can send: large calls of every format, with and without their secret, to every kind of route and upstream. */
import { type Fields, isForm, type WireRequest } from '../../../src/format/index.ts'
import { limits } from '../../../src/limits.ts'
import type { CanonicalEvent } from '../../../src/model/index.ts'
import type { Gateway } from '../../harness/gateway.ts'
import { json, says } from '../../harness/http.ts'
import { oneWay, type Platform, platforms } from '../../harness/platforms.ts'
import { oneOf } from '../../harness/random.ts'
import { outboxOf } from '../accepting.ts'
import type { Trial } from '../row.ts'
import { largeBodies, largeForms, largeMembers, largeValues } from './large-bodies.ts'
import { type Case, elementCounts, paired, type Shapes, sized, valueCounts } from './large-cases.ts'
import { largeEvents } from './large-models.ts'

const nowhere = 'http://upstream.test/'
const secret = 'a secret of a route, that is long enough'

/** A way to call a route of the platform. */
interface Way {
	readonly name: string
	readonly platform: Platform
	readonly gateway: Gateway
	readonly path: string
	/** The call proves that it knows the route's secret. */
	readonly proven?: boolean
}

/** Bytes that a call of the platform may have, with something left for what is around the large part. */
function roomOf({ adapter }: Platform): number {
	return (adapter.maxBody ?? limits.bodyBytes.value) - 4000
}

/** Every way to call, by kind: each kind of route and of caller gets as many calls as any other. */
async function waysOf(trial: Trial): Promise<Way[][]> {
	const secrets = [{ env: 'SECRET' }]
	const kinds: { readonly [kind: string]: { readonly more: object; readonly proven?: true } } = {
		plain: { more: {} },
		raw: { more: { raw: true, debug: true } },
		guarded: { more: { secrets } },
		proven: { more: { secrets, raw: true }, proven: true },
		...Object.fromEntries(
			platforms.map((upstream) => [`to-${upstream.name}`, { more: { upstream: upstream.upstream(nowhere) } }]),
		),
	}
	const both = ['chatbot-v1', 'chatbot-v2']
	const inside = await trial.start(
		{
			upstream: { url: nowhere },
			routes: [
				{ name: 'both', path: '/both', platform: both, options: { 'chatbot-v2': { text: 'question' } } },
				...platforms.flatMap((platform) =>
					Object.entries(kinds).map(([kind, { more }]) => platform.route(more, `${platform.name}-${kind}`)),
				),
			],
		},
		{ as: 'inside', env: { SECRET: secret }, replace: () => ({ send: async () => json(says('Hello')) }) },
	)
	const stored = await trial.start(
		{
			...{ upstream: { url: 'builtin:demo' }, outbox: { ...outboxOf(trial), key: { env: 'KEY' } } },
			routes: oneWay.map((platform) => platform.route({ raw: true })),
		},
		{ as: 'server', env: { KEY: Buffer.alloc(32, 7).toString('base64') } },
	)
	const ways = (kind: string, some: readonly Platform[], way: (platform: Platform) => Partial<Way>): Way[] =>
		some.map((platform) => {
			const { name } = platform
			return { name: `${name}, ${kind}`, platform, gateway: inside, path: `/${name}-${kind}`, ...way(platform) }
		})
	const to = Object.keys(kinds).filter((kind) => kind.startsWith('to-'))
	return [
		...['plain', 'raw', 'guarded', 'proven'].map((kind) =>
			ways(kind, platforms, () => ({ proven: kinds[kind]?.proven ?? false })),
		),
		to.flatMap((kind) => ways(kind, platforms, () => ({}))),
		ways('no-route', platforms, () => ({})),
		ways(
			'of-two-formats',
			platforms.filter(({ factory }) => both.includes(factory.name)),
			() => ({ path: '/both' }),
		),
		ways('stored', oneWay, ({ name }) => ({ gateway: stored, path: `/${name}` })),
	]
}

export async function callCases(trial: Trial): Promise<Case[]> {
	const kinds = await waysOf(trial)
	const pick = () => oneOf(oneOf(kinds, trial.random), trial.random)
	let calls = 0
	const make = (what: string, way: Way, wireOf: (platform: Platform, event: CanonicalEvent) => WireRequest): Case => ({
		what: `${what} (${way.name})`,
		async prepare() {
			const { platform, gateway, path, proven } = way
			// Not the same call again: that would get the answer of the first.
			const id = `call-${++calls}`
			const wire = wireOf(platform, platform.event('Hi', { id, conversation: id }))
			// A body that cannot be parsed cannot be signed either.
			const call = proven
				? await platform.prove(secret, wire, path).catch(() => ({ ...wire, path }))
				: { ...wire, path }
			const bytes = { ...call, body: Buffer.from(call.body ?? '') }
			return () => gateway.send(bytes)
		},
	})
	const texts = (
		kind: string,
		shapes: Shapes<string>,
		place: (platform: Platform, event: CanonicalEvent, text: string) => WireRequest,
	) =>
		paired(trial, sized(trial, shapes, valueCounts), pick, (shape, way) =>
			make(`${kind}: ${shape.what}`, way, (platform, event) => place(platform, event, shape.make(roomOf(platform)))),
		)
	return [
		...texts('body', largeBodies, ({ wire }, _, body) => ({ ...wire, body })),
		...texts('value', largeValues, withValue),
		...texts('members', largeMembers, withMembers),
		...texts('form', largeForms, withFields),
		...texts('query', largeForms, withQuery),
		...paired(trial, sized(trial, largeEvents, elementCounts), pick, (shape, way) =>
			make(`event: ${shape.what}`, way, (platform, event) =>
				withParts(platform, event, shape.make(roomOf(platform) * 0.9)),
			),
		),
	]
}

const mark = 'here it goes'
const formType: Fields = [['content-type', 'application/x-www-form-urlencoded']]

/** The call of an event with further parts: as they are, or fitted if the format cannot write them. */
function withParts(
	{ adapter, event: fit }: Platform,
	event: CanonicalEvent,
	parts: Partial<CanonicalEvent>,
): WireRequest {
	const whole = { ...event, ...parts }
	try {
		return adapter.event.encode(whole)
	} catch {
		return adapter.event.encode(fit(whole.text ?? 'Hi', whole))
	}
}

/** The call of an event with this JSON as an attribute. Where the format has none, it is a member that is not read. */
function withValue({ adapter }: Platform, event: CanonicalEvent, value: string): WireRequest {
	const wire = adapter.event.encode({ ...event, attributes: { a: mark } })
	if (!wire.body.startsWith('{')) return withField(wire, 'a', value)
	const [before = '', after] = wire.body.split(`"${mark}"`)
	return { ...wire, body: after === undefined ? `${before.slice(0, -1)},"a":${value}}` : before + value + after }
}

/** The call of an event with these members among its attributes, or where they are not read. */
function withMembers(platform: Platform, event: CanonicalEvent, members: string): WireRequest {
	const wire = platform.adapter.event.encode({ ...event, attributes: { a: mark } })
	if (!wire.body.startsWith('{')) return withField(wire, 'a', `{${members}}`)
	const [before = '', after] = wire.body.split(`"a":"${mark}"`)
	return { ...wire, body: after === undefined ? `${before.slice(0, -1)},${members}}` : before + members + after }
}

/** The call of an event with further fields in its form; of a format that has no form, with nothing else. */
function withFields(platform: Platform, event: CanonicalEvent, fields: string): WireRequest {
	const wire = platform.adapter.event.encode(event)
	if (wire.method === 'POST' && isForm(wire)) return { ...wire, body: `${wire.body}&${fields}` }
	return { ...wire, method: 'POST', headers: formType, body: fields }
}

/** The call of an event with further fields in its query. Its length is limited by that of an HTTP header. */
function withQuery({ adapter }: Platform, event: CanonicalEvent, fields: string): WireRequest {
	const wire = adapter.event.encode(event)
	return { ...wire, query: [...wire.query, ...new URLSearchParams(fields.slice(0, 4000))] }
}

function withField(wire: WireRequest, name: string, value: string): WireRequest {
	if (wire.method === 'GET') return { ...wire, query: [...wire.query, [name, value.slice(0, 4000).toWellFormed()]] }
	return { ...wire, body: `${wire.body}&${name}=${encodeURIComponent(value.slice(0, 300_000).toWellFormed())}` }
}
