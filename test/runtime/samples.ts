/** Every adapter's pinned payloads, each with a route of its own to send it to. */
import { adapters } from '../../adapters/index.ts'
import type { AdapterFactory, WireRequest, WireResponse } from '../../src/format/index.ts'
import { fixturesOf } from '../harness/platforms.ts'

/** One payload: `name` is that of its route. */
interface Sample<Wire> {
	readonly name: string
	readonly options: unknown
	readonly file: string
	readonly wire: Wire
}

/** What a platform may call with, what it may not, and what an upstream in its format may answer. */
export interface Samples {
	readonly factory: AdapterFactory
	/** Each with whether its platform reads no answer to it. */
	readonly events: readonly (Sample<WireRequest> & { readonly oneWay: boolean })[]
	readonly badEvents: readonly (Sample<WireRequest> & { readonly error: string })[]
	readonly replies: readonly (Sample<WireResponse> & { readonly event: object })[]
}

export const samples: readonly Samples[] = adapters.map((factory) => {
	const { event, badEvent, reply, badReply } = fixturesOf(factory)
	const name = (kind: string, i: number) => `${kind}-${factory.name}-${i}`
	return {
		factory,
		events: event.map(({ name: file, options, wire, canonical }, i) => {
			const oneWay = factory.create(options).reply(canonical) === undefined
			return { name: name('event', i), options, file, wire, oneWay }
		}),
		badEvents: badEvent.map(({ name: file, options, wire, error }, i) => {
			return { name: name('bad', i), options, file, wire, error: error.code }
		}),
		replies: [...reply, ...badReply].map(({ name: file, options, wire, event }, i) => {
			return { name: name('reply', i), options, file, wire, event }
		}),
	}
})
