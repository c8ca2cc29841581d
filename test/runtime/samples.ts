/** Every platform's pinned payloads, as routes to send them to and calls to send. */
import { adapters } from '../../adapters/index.ts'
import type { AdapterFactory, WireRequest, WireResponse } from '../../src/format/index.ts'
import { readFixtures } from '../fixtures.ts'
import type { Sent } from './http.ts'

/** One payload with a route of its own: `name` is that of the route. */
interface Sample<Wire> {
	readonly name: string
	readonly factory: AdapterFactory
	readonly options: unknown
	readonly file: string
	readonly wire: Wire
}

/** An event, and whether its platform reads no answer to it. */
type EventSample = Sample<WireRequest> & { readonly oneWay: boolean }

/** What a platform may call with, what it may not, and what an upstream in its format may answer. */
export interface Samples {
	readonly events: readonly EventSample[]
	readonly badEvents: readonly (Sample<WireRequest> & { readonly error: string })[]
	readonly replies: readonly (Sample<WireResponse> & { readonly event: object })[]
}

export const samples: readonly (Samples & { readonly factory: AdapterFactory })[] = adapters.map((factory) => {
	const pinned = readFixtures(new URL(`../../adapters/${factory.name}/fixtures/`, import.meta.url))
	const name = (kind: string, i: number) => `${kind}-${factory.name}-${i}`
	return {
		factory,
		events: pinned.event.map(({ name: file, options, wire, canonical }, i) => {
			const oneWay = factory.create(options).reply(canonical) === undefined
			return { name: name('event', i), factory, options, file, wire, oneWay }
		}),
		badEvents: pinned.badEvent.map(({ name: file, options, wire, error }, i) => {
			return { name: name('bad', i), factory, options, file, wire, error: error.code }
		}),
		replies: [...pinned.reply, ...pinned.badReply].map(({ name: file, options, wire, event }, i) => {
			return { name: name('reply', i), factory, options, file, wire, event }
		}),
	}
})

/** A call of a platform, on the wire. */
export function asSent(path: string, { method, query, headers, body }: WireRequest): Sent {
	const search = new URLSearchParams(query.map(([name, value]) => [name, value])).toString()
	return { method, path: search === '' ? path : `${path}?${search}`, headers, body }
}
