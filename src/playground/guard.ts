/** Keeps other pages, other machines and rebound names of hosts away from the playground. */
import type { MiddlewareHandler } from 'hono'
import { basicAuth } from 'hono/basic-auth'

/** Who may use the playground. */
export interface Access {
	/** The values of `Host` under which it may be reached, in lower case. Undefined: any, because there is a password. */
	readonly hosts: readonly string[] | undefined
	/** Asked for by HTTP Basic, of the user "dragoman". Undefined: nobody is asked. */
	readonly password: string | undefined
}

/**
 * Refuses every request that does not come from the playground's own pages, by what browsers say of it: a page elsewhere
 * can then neither read nor drive it, even under a name of its own that leads to this machine (DNS rebinding). Opening one
 * of the pages from a link is allowed: they hold nothing until their own script asks for it.
 */
export function guard({ hosts, password }: Access, pages: readonly string[]): MiddlewareHandler[] {
	const ask = password === undefined ? undefined : basicAuth({ username: 'dragoman', password })
	const check: MiddlewareHandler = async (c, next) => {
		const host = c.req.header('host')?.toLowerCase() ?? ''
		if (hosts && !hosts.includes(host)) return c.text(`The playground is not reached as "${hosts[0]}".`, 421)
		const origin = c.req.header('origin')
		if (origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`) {
			return c.text('Another page may not use the playground.', 403)
		}
		const site = c.req.header('sec-fetch-site') ?? 'none'
		const opensPage =
			c.req.method === 'GET' && c.req.header('sec-fetch-dest') === 'document' && pages.includes(c.req.path)
		if (site !== 'same-origin' && site !== 'none' && !opensPage) {
			return c.text('Another page may not use the playground.', 403)
		}
		await next()
	}
	return ask ? [check, ask] : [check]
}
