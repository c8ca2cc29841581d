/** The headers of every answer of the playground: nothing but its own files is loaded, run, or framed. */
import type { MiddlewareHandler } from 'hono'

const headers = {
	'content-security-policy':
		"default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
	'cross-origin-opener-policy': 'same-origin',
	'cross-origin-resource-policy': 'same-origin',
	'referrer-policy': 'no-referrer',
	'x-content-type-options': 'nosniff',
	'x-frame-options': 'DENY',
	'cache-control': 'no-store',
}

/** Adds the headers to every answer, refusals included. */
export const secured: MiddlewareHandler = async (c, next) => {
	await next()
	for (const [name, value] of Object.entries(headers)) c.header(name, value)
}
