/** The gateway as a Hono app: which route a call is for, how much of it is read, and how errors look from outside. */
import { Hono } from 'hono'
import { asGatewayError, GatewayError } from '../errors.ts'
import { type Fields, jsonResponse, parseFields, problemResponse } from '../format/index.ts'
import type { Route } from '../route.ts'
import type { Runtime } from '../runtime.ts'
import { takeTurn } from '../turn/index.ts'
import { routeCapabilities } from './capabilities.ts'
import { readBody } from './read-body.ts'
import { createRejectionLog } from './rejection-log.ts'
import { toResponse } from './respond.ts'
import { routeTable } from './route-table.ts'

/** A request as it was sent, without its method and its body. */
export interface RequestHead {
	/** The request target (RFC 9112, section 3.2) in origin form. */
	readonly target: string
	/** Names in lower case. */
	readonly headers: Fields
}

export interface AppOptions {
	readonly routes: readonly Route[]
	readonly runtime: Runtime
	/** Whether new calls may come. Absent: always. */
	ready?(): boolean
	/** The head of a request. Absent: what its `url`, which is normalised, and its `headers`, which are joined by name, say. */
	headOf?(request: Request, env: unknown): RequestHead
}

/** Answers on the routes' paths, `/healthz`, `/readyz` and `/-/carries/NAME`; everything else is one and the same 404. */
export function createApp({ routes, runtime, ready = () => true, headOf = normalHead }: AppOptions): Hono {
	const table = routeTable(routes, runtime)
	const byName = new Map(routes.map((route) => [route.name, route]))
	const logRejection = createRejectionLog(runtime)
	const app = new Hono()

	app.get('/healthz', () => toResponse(jsonResponse({ status: 'ok' })))
	app.get('/readyz', () =>
		toResponse(ready() ? jsonResponse({ status: 'ready' }) : jsonResponse({ status: 'not ready' }, 503)),
	)
	app.get('/-/carries/:route', (c) => {
		const route = byName.get(c.req.param('route'))
		if (!route) throw new GatewayError('not-found')
		return toResponse(jsonResponse(routeCapabilities(route)))
	})
	app.all('*', async (c) => {
		const at = runtime.elapsed()
		const request = c.req.raw
		const { target, headers } = headOf(request, c.env)
		const { path, query } = partsOf(target)
		const { route, pathSecret, decoy, readAtMost, maxBody } = table(path)
		const { body, refusal: unread } = await readBody(request, { readAtMost, maxBody })
		const call = { method: request.method, query, headers, body }
		const taking = takeTurn(route, { call, pathSecret, at, refusal: unread }, runtime)
		const { answer, refusal } = await taking.catch((thrown: unknown) => {
			// An adapter may throw anything, and Hono passes only an Error on to `onError`.
			throw asGatewayError(thrown)
		})
		if (refusal) logRejection(refusal.code, decoy ? undefined : route.name)
		return toResponse(answer)
	})
	app.onError((thrown) => {
		const error = asGatewayError(thrown)
		if (error.code === 'internal')
			runtime.log({ level: 'error', msg: 'call', error: error.code, cause: stackOf(error.cause ?? thrown) })
		return toResponse(problemResponse(error))
	})
	return app
}

function normalHead({ url, headers }: Request): RequestHead {
	const { pathname, search } = new URL(url)
	return { target: pathname + search, headers: [...headers] }
}

// Hono's own path is decoded, and a route must not be reached by two spellings.
function partsOf(target: string): { path: string; query: Fields } {
	const mark = target.indexOf('?')
	if (mark === -1) return { path: target, query: [] }
	return { path: target.slice(0, mark), query: parseFields(target.slice(mark + 1)) }
}

function stackOf(thrown: unknown): string | undefined {
	return thrown instanceof Error ? thrown.stack : undefined
}
