/** The headers of every answer of the playground: nothing but its own files is loaded, run, or framed. */
import type { MiddlewareHandler } from 'hono'

const common =
	"default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'; require-trusted-types-for 'script'"

/** What a page may do (Content Security Policy). */
export const policies = {
	/** Puts no markup into a page, and has no styles but those of its files. */
	strict: `${common}; trusted-types 'none'`,
	/** Lets Vue, in which Scalar is written, set markup and styles. Scripts are still those of the files alone. */
	rendered: `${common}; style-src 'self' 'unsafe-inline'; trusted-types vue`,
} as const

const policyHeader = 'content-security-policy'

const headers = {
	[policyHeader]: policies.strict,
	'cross-origin-opener-policy': 'same-origin',
	'cross-origin-resource-policy': 'same-origin',
	'referrer-policy': 'no-referrer',
	'x-content-type-options': 'nosniff',
	'x-frame-options': 'DENY',
	'cache-control': 'no-store',
}

/** Adds the headers to every answer, refusals included; a page may have set a policy of its own. */
export const secured: MiddlewareHandler = async (c, next) => {
	await next()
	const policy = c.res.headers.get(policyHeader)
	for (const [name, value] of Object.entries(headers)) c.header(name, value)
	if (policy !== null) c.header(policyHeader, policy)
}
