/** One valid call of each platform, and all pinned ones: routes to send them to, and how a secret opens those. */
import type { AdapterFactory, WireRequest } from '../../src/format/index.ts'
import { testCrypto } from '../crypto.ts'
import type { Sent } from '../runtime/http.ts'
import { asSent, samples } from '../runtime/samples.ts'

/** A platform as the rows call it. */
export interface Platform {
	/** The adapter's name; the route's, too. */
	readonly name: string
	readonly factory: AdapterFactory
	/** The options with which `wire` was pinned. */
	readonly options: unknown
	/** A call that is taken. */
	readonly wire: WireRequest
	/** The platform reads no answer to it. */
	readonly oneWay: boolean
	/** Every pinned call: those that are taken with any options, then those that are refused. */
	readonly pinned: readonly WireRequest[]
}

/** Every platform, with the first of its pinned calls that has a body of JSON. */
export const platforms: readonly Platform[] = samples.map(({ factory, events, badEvents }) => {
	const sample = events.find(({ wire }) => wire.body.startsWith('{')) ?? events[0]
	if (!sample) throw new Error(`${factory.name} has no event among its fixtures`)
	const { options, wire, oneWay } = sample
	const pinned = [...events, ...badEvents].map((each) => each.wire)
	return { name: factory.name, factory, options, wire, oneWay, pinned }
})

/** The configuration's route of a platform, at `/NAME`. */
export function routeOf({ name, factory, options }: Platform, more: object = {}): object {
	return { name, path: `/${name}`, platform: factory.name, ...(options === undefined ? {} : { options }), ...more }
}

/** A call at the platform's route, with the secret where the platform has it. */
export async function callOf(platform: Platform, wire: WireRequest = platform.wire, secret?: string): Promise<Sent> {
	const path = `/${platform.name}`
	if (secret === undefined) return asSent(path, wire)
	const { auth } = platform.factory.create(platform.options)
	if (auth) return asSent(path, await auth.sign(wire, secret, testCrypto))
	return asSent(`${path}/${encodeURIComponent(secret)}`, wire)
}

/** A call of the gateway's own JSON: what a row sends where the platform does not matter. */
export function message(text: string, more: object = {}): string {
	return JSON.stringify({ version: 1, event: { kind: 'message', text, attributes: {}, ...more } })
}
