/** A route as the gateway runs it: configuration with its names resolved to adapters, secrets and an upstream. */
import type { NamedAdapter } from './format/index.ts'
import type { CanonicalReply } from './model/index.ts'
import type { Upstream } from './upstream/index.ts'

/** The first is for everybody whose language has none; none at all: nothing is configured. */
export type LocalizedReplies = readonly { readonly language?: string; readonly reply: CanonicalReply }[]

/** The holding reply of a route. */
export interface HoldingReply {
	/** Milliseconds after the platform's call. */
	readonly after: number
	readonly reply: LocalizedReplies
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
	readonly failure: LocalizedReplies
	/** What the user gets when the upstream is late. Absent: the turn fails. */
	readonly holding?: HoldingReply
	/** The upstream takes a repeated call for one, so that it may be called again when its answer never began. */
	readonly idempotent: boolean
	/** Answers carry the `dragoman-changes` header. */
	readonly debug: boolean
	/** The upstream gets the platform's call as it came, secrets redacted. */
	readonly raw: boolean
}
