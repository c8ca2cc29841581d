/** Every platform, in every way that its options make a difference: how it calls, and how it reads an answer. */
import { adapters } from '../../adapters/index.ts'
import { fitEvent } from '../../src/fit/index.ts'
import type { Adapter, AdapterFactory, WireRequest, WireResponse } from '../../src/format/index.ts'
import type { CanonicalEvent } from '../../src/model/index.ts'
import { testCrypto } from '../crypto.ts'
import { type Fixtures, readFixtures } from '../fixtures.ts'
import type { Call } from './http.ts'

export interface Platform {
	/** The adapter's name, and the number of its example from the second on. */
	readonly name: string
	readonly factory: AdapterFactory
	readonly options: unknown
	readonly adapter: Adapter
	/** A pinned call that is accepted. */
	readonly wire: WireRequest
	/** Every pinned call of the adapter: those that are accepted with some options, then those that are refused. */
	readonly pinned: readonly WireRequest[]
	/** Whether it reads no answer to a message. */
	readonly oneWay: boolean
	/** Milliseconds until it stops waiting; ten seconds where that is not known. */
	readonly deadline: number
	/** Configures a route, by default at `/NAME`. */
	route(more?: object, name?: string): object
	/** Configures an upstream that speaks this format. */
	upstream(url: string): object
	/** The event of a user who writes this, as far as the platform can tell it. */
	event(text: string, more?: Partial<CanonicalEvent>): CanonicalEvent
	/** The call that tells of an event, by default to the route at `/NAME`. */
	call(event: CanonicalEvent, path?: string): Call
	/** A call with the proof that it knows the secret, be it in the path. */
	prove(secret: string, wire?: WireRequest, path?: string): Promise<Call>
	/** The messages of an answer, as JSON. Throws a GatewayError when the answer is not of its format. */
	messagesOf(event: CanonicalEvent, answer: WireResponse): string
}

/** Every example of every adapter, without those in which calls do not tell what their user wrote. */
export const platforms: readonly Platform[] = adapters
	.flatMap((factory) => factory.examples.map((options, i) => platformOf(factory, withoutApi(factory, options), i)))
	.filter(({ event }) => event('Hi').text === 'Hi')

function platformOf(factory: AdapterFactory, options: unknown, number: number): Platform {
	const name = number === 0 ? factory.name : `${factory.name}-${number + 1}`
	const adapter = factory.create(options)
	const { event: accepted, badEvent: refused } = fixturesOf(factory)
	const wire = wireOf(accepted, options)
	const event: Platform['event'] = (text, more = {}) => {
		const context = { turnId: 'turn', receivedAt: '2026-01-01T00:00:00.000Z' }
		return fitEvent({ kind: 'message', text, attributes: {}, ...more }, adapter.event, context).value
	}
	return {
		...{ name, factory, options, adapter, wire, event },
		pinned: [...accepted, ...refused].map((each) => each.wire),
		oneWay: adapter.reply(event('Hi')) === undefined,
		deadline: adapter.deadline ?? 10_000,
		route: (more = {}, as = name) => ({ name: as, path: `/${as}`, platform: factory.name, options, ...more }),
		upstream: (url) => ({ url, adapter: factory.name, options }),
		call: (event, path = `/${name}`) => ({ ...adapter.event.encode(event), path }),
		async prove(secret, call = wire, path = `/${name}`) {
			if (adapter.auth) return { ...(await adapter.auth.sign(call, secret, testCrypto)), path }
			return { ...call, path: `${path}/${encodeURIComponent(secret)}` }
		},
		messagesOf: (event, answer) => JSON.stringify(adapter.reply(event)?.decode(answer).model.messages ?? []),
	}
}

/** The options without the address of an API: no test calls out of this machine. */
function withoutApi(factory: AdapterFactory, options: unknown): unknown {
	const option = apiOption(factory, options)
	return option === undefined ? options : without(options, option)
}

/** The option that names the address of the platform's API: without it nothing is pushed. */
function apiOption({ create }: AdapterFactory, options: unknown): string | undefined {
	if (!create(options).push) return undefined
	return Object.keys(Object(options)).find((option) => !create(without(options, option)).push)
}

function without(options: unknown, option: string): object {
	return Object.fromEntries(Object.entries(Object(options)).filter(([name]) => name !== option))
}

/** A platform whose API is at this URL, with its option for that alone: it reads answers; or as it reads none. */
export function withApi(url: string, oneWay: boolean): Platform {
	const found = adapters.flatMap((factory) =>
		factory.examples.flatMap((options) => {
			const option = apiOption(factory, options)
			if (option === undefined) return []
			const given = { [option]: url }
			return [platformOf(factory, oneWay ? { ...Object(options), ...given } : given, 0)]
		}),
	)
	return first(found.filter((platform) => platform.oneWay === oneWay))
}

/** A pinned call: of those that go with the options, the one that was pinned with most of them, JSON where there is some. */
function wireOf(accepted: Fixtures['event'], options: unknown): WireRequest {
	const given = new Map(Object.entries(Object(options)).map(([name, value]) => [name, JSON.stringify(value)]))
	const usable = accepted
		.map(({ options, wire }) => ({ wire, pinned: Object.entries(Object(options ?? {})) }))
		.filter(({ pinned }) => pinned.every(([name, value]) => given.get(name) === JSON.stringify(value)))
		.toSorted((a, b) => b.pinned.length - a.pinned.length)
		.map(({ wire }) => wire)
	const wire = usable.find(({ body }) => body.startsWith('{')) ?? usable[0]
	if (!wire) throw new Error(`there is no pinned call for ${JSON.stringify(options)}`)
	return wire
}

/** The pinned payloads of an adapter. */
export function fixturesOf({ name }: AdapterFactory): Fixtures {
	return readFixtures(new URL(`../../adapters/${name}/fixtures/`, import.meta.url))
}

/** One for each adapter: where options make no difference. */
export const oneEach = platforms.filter(({ name, factory }) => name === factory.name)

/** Those whose users get an answer. */
export const answered = platforms.filter(({ oneWay }) => !oneWay)

/** Those that read no answer. */
export const oneWay = platforms.filter((platform) => platform.oneWay)

/** The gateway's own JSON: for whatever does not depend on the platform. */
export const own = first(platforms.filter(({ name }) => name === 'canonical'))

/** One that reads no answer and tells of no conversation. */
export const notifying = first(oneWay.filter((platform) => !tellsConversation(platform)))

/** One that reads no answer and tells of conversations. */
export const conversing = first(oneWay.filter(tellsConversation))

/** Whether the calls of a platform tell of the conversation. */
export function tellsConversation({ event }: Platform): boolean {
	return event('Hi', { conversation: 'c' }).conversation !== undefined
}

/** A configuration of one route at `/own`, of the gateway's own JSON. */
export function ownTo(upstream: string | object, more: object = {}): object {
	return { upstream: typeof upstream === 'string' ? { url: upstream } : upstream, routes: [own.route(more, 'own')] }
}

function first(some: readonly Platform[]): Platform {
	if (!some[0]) throw new Error('there is no such platform')
	return some[0]
}
