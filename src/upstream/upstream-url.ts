/** The URL of a call to an upstream. */
import type { WireRequest } from '../format/index.ts'

/** The upstream's URL with the call's query behind its own, and the secret of formats without `auth` as last segment. */
export function upstreamUrl(base: string, query: WireRequest['query'], pathSecret: string | undefined): string {
	if (query.length === 0 && pathSecret === undefined) return base
	const url = new URL(base)
	if (pathSecret !== undefined) url.pathname = `${url.pathname.replace(/\/$/, '')}/${encodeURIComponent(pathSecret)}`
	// As text: URLSearchParams would spell the upstream's own query anew.
	const added = new URLSearchParams(query.map(([name, value]) => [name, value])).toString()
	url.search = [url.search.slice(1), added].filter((part) => part !== '').join('&')
	return url.href
}
