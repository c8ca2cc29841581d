/** Builds the URL of a call to an upstream. */
import type { WireRequest } from '../format/index.ts'

/**
 * The upstream's URL with the call's query appended to its own. `pathSecret`, for formats without `auth`, becomes the
 * last segment of the path.
 */
export function upstreamUrl(base: string, query: WireRequest['query'], pathSecret: string | undefined): string {
	if (query.length === 0 && pathSecret === undefined) return base
	const url = new URL(base)
	if (pathSecret !== undefined) url.pathname = `${url.pathname.replace(/\/$/, '')}/${encodeURIComponent(pathSecret)}`
	// Concatenate text: URLSearchParams would rewrite the encoding of the upstream's own query.
	const added = new URLSearchParams(query.map(([name, value]) => [name, value])).toString()
	url.search = [url.search.slice(1), added].filter((part) => part !== '').join('&')
	return url.href
}
