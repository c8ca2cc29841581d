/** A route as the gateway runs it: configuration with its names resolved to adapters, secrets and an upstream. */
import type { Adapter } from './adapter.ts'
import type { Fields } from './codec.ts'
import type { Load } from './load.ts'
import type { Replies } from './replies.ts'
import type { Runtime } from './runtime.ts'
import type { Target } from './target.ts'

/** An adapter under the name that configuration, logs and `turn.platform` use. */
export interface NamedAdapter {
	readonly name: string
	readonly adapter: Adapter
}

/** The one backend a route calls. */
export interface Upstream extends NamedAdapter {
	/** Where it is called; those behind the first while that is not to be had. */
	readonly targets: readonly [Target, ...Target[]]
	readonly load: Load
	/** The first proves our calls to the upstream, as its format does it. */
	readonly secrets: readonly string[]
	/** Added to every call, names in lower case. */
	readonly headers: Fields
	/** Milliseconds the upstream is given, counted from the platform's call, or from the start of a delivery. */
	readonly timeout: number
	/** Keys of the Standard Webhooks signature; several during rotation, none: unsigned. */
	readonly signingKeys: readonly Uint8Array<ArrayBuffer>[]
	/** It may be called at public addresses only. */
	readonly onlyPublic: boolean
	/** An upstream that runs inside the gateway answers here instead of over the network. */
	readonly send?: Runtime['send']
}

/** The holding reply of a route. */
export interface Late {
	/** Milliseconds after the platform's call. */
	readonly after: number
	readonly reply: Replies
	/** What becomes of the late answer: it stands before the next reply of its conversation, or nothing. */
	readonly answer: 'next-turn' | 'drop'
}

export interface Route {
	readonly name: string
	/** Where the platform calls; an adapter without `auth` is called one segment deeper, the segment being the secret. */
	readonly path: string
	/** One, or several that share the URL: the first that recognises a call takes it. */
	readonly platforms: readonly [NamedAdapter, ...NamedAdapter[]]
	/** Each of them holds. None: the route is open. */
	readonly secrets: readonly string[]
	readonly upstream: Upstream
	/** `strict`: a value that must be changed to fit is an error. */
	readonly policy: 'degrade' | 'strict'
	/** What the user gets when the turn fails. */
	readonly failure: Replies
	/** What the user gets when the upstream is late. Absent: the turn fails. */
	readonly late?: Late
	/** The upstream takes a repeated call for one, so that it may be called again when its answer never began. */
	readonly idempotent: boolean
	/** Answers carry the `dragoman-changes` header. */
	readonly debug: boolean
	/** The upstream gets the platform's call as it came, secrets redacted. */
	readonly raw: boolean
}
