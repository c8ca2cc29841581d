/** Renders HTTP messages for people: the headers that matter, and JSON indented. */
import type { ApiCall, Fields, WireRequest, WireResponse } from '../../format/index.ts'

/** Headers of the connection, which say nothing about the message. */
const ofTransport = new Set(['connection', 'content-length', 'date', 'keep-alive', 'transfer-encoding'])

/** A call, as the platform sends it to this URL, without what proves its origin. */
export function renderCall({ method, query, headers, body }: WireRequest, url: string): string {
	const search = query.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join('&')
	const { pathname } = new URL(url)
	return renderMessage(`${method} ${pathname}${search === '' ? '' : `?${search}`}`, headers, body)
}

/** An answer; `before` its first line stands whose it is. */
export function renderAnswer({ status, headers, body }: WireResponse, before = ''): string {
	return renderMessage(`${before}${status}`, headers, body)
}

/** A call of the platform's API. Its token is not shown: it may be one of the platform itself. */
export function renderApiCall({ method, path, headers, body }: ApiCall): string {
	const safe = headers.map(([name, value]): Fields[number] => [name, name === 'authorization' ? '[redacted]' : value])
	return renderMessage(`API: ${method} ${path}`, safe, body)
}

function renderMessage(first: string, headers: Fields, body: string): string {
	const shown = headers.filter(([name]) => !ofTransport.has(name.toLowerCase()))
	const lines = [first, ...shown.map(([name, value]) => `${name}: ${value}`)]
	return `${lines.join('\n')}\n${body === '' ? '' : `\n${indented(body)}\n`}`
}

function indented(body: string): string {
	try {
		return JSON.stringify(JSON.parse(body), null, 2)
	} catch {
		return body
	}
}
