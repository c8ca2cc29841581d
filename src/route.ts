/** A route as the gateway runs it: configuration with its names resolved to adapters, secrets and an upstream. */
import type { Adapter } from './adapter.ts'
import type { CanonicalReply } from './canonical.ts'
import type { Fields } from './codec.ts'
import type { Runtime } from './runtime.ts'

/** An adapter under the name that configuration, logs and `turn.platform` use. */
export interface NamedAdapter {
	readonly name: string
	readonly adapter: Adapter
}

/** The one backend a route calls. */
export interface Upstream extends NamedAdapter {
	/** Absolute, may have a query of its own, which is kept. */
	readonly url: string
	/** The first proves our calls to the upstream, as its format does it. */
	readonly secrets: readonly string[]
	/** Added to every call, names in lower case. */
	readonly headers: Fields
	/** Milliseconds the upstream is given, counted from the platform's call. */
	readonly timeout: number
	/** Keys of the Standard Webhooks signature; several during rotation, none: unsigned. */
	readonly signingKeys: readonly Uint8Array<ArrayBuffer>[]
	/** An upstream that runs inside the gateway answers here instead of over the network. */
	readonly send?: Runtime['send']
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
	/** What the user gets when the turn fails, by language; the first is for everybody else. */
	readonly failure: readonly { readonly language?: string; readonly reply: CanonicalReply }[]
	/** Answers carry the `dragoman-changes` header. */
	readonly debug: boolean
	/** The upstream gets the platform's call as it came, secrets redacted. */
	readonly raw: boolean
}
