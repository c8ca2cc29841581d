/** An upstream: where it is, what proves our calls to it, and its limits. */
import type { Fields, NamedAdapter } from '../format/index.ts'
import type { Runtime } from '../runtime.ts'
import type { ConcurrencyLimit } from './concurrency-limit.ts'
import type { Endpoint } from './endpoint.ts'

/** The one backend a route calls. */
export interface Upstream extends NamedAdapter {
	/** Where it is called, in order of preference: the others are for when the first cannot be reached. */
	readonly endpoints: readonly [Endpoint, ...Endpoint[]]
	readonly concurrencyLimit: ConcurrencyLimit
	/** The first proves to the upstream that a call is ours, in the way of its format. */
	readonly secrets: readonly string[]
	/** Added to every call, names in lower case. */
	readonly headers: Fields
	/** Secrets in its headers. Absent: none. */
	readonly hidden?: readonly string[]
	/** Milliseconds the upstream is given, counted from the platform's call, or from the start of a delivery. */
	readonly timeout: number
	/** Keys of the Standard Webhooks signature; several during rotation, none: unsigned. */
	readonly signingKeys: readonly Uint8Array<ArrayBuffer>[]
	/** It may be called at public addresses only. */
	readonly onlyPublic: boolean
	/** An upstream that runs inside the gateway answers here instead of over the network. */
	readonly send?: Runtime['send']
}
