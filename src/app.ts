/** The gateway as a Hono app: which route a call is for, how much of it is read, and how errors look from outside. */
import { Hono } from 'hono'
import { readBody } from './body.ts'
import { describeRoute } from './carries.ts'
import { type Fields, jsonResponse, problemResponse, type WireResponse } from './codec.ts'
import { asGatewayError, GatewayError } from './errors.ts'
import { takeTurn } from './gateway.ts'
import type { Route } from './route.ts'
import type { Runtime } from './runtime.ts'
import { routeTable } from './table.ts'

export interface AppOptions {
	readonly routes: readonly Route[]
	readonly runtime: Runtime
	/** May new calls come? Absent: always. */
	ready?(): boolean
	/** The header fields of a request, names in lower case. Absent: those of its `headers`, where repeated names are joined. */
	fieldsOf?(request: Request, env: unknown): Fields
}

/** Answers on the routes' paths, `/healthz`, `/readyz` and `/-/carries/NAME`; everything else is one and the same 404. */
export function createApp({ routes, runtime, ready = () => true, fieldsOf = joinedFields }: AppOptions): Hono {
	const table = routeTable(routes, runtime)
	const byName = new Map(routes.map((route) => [route.name, route]))
	const app = new Hono()

	app.get('/healthz', () => toResponse(jsonResponse({ status: 'ok' })))
	app.get('/readyz', () =>
		toResponse(ready() ? jsonResponse({ status: 'ready' }) : jsonResponse({ status: 'not ready' }, 503)),
	)
	app.get('/-/carries/:route', (c) => {
		const route = byName.get(c.req.param('route'))
		if (!route) throw new GatewayError('not-found')
		return toResponse(jsonResponse(describeRoute(route)))
	})
	app.all('*', async (c) => {
		const at = runtime.elapsed()
		const request = c.req.raw
		const { path, query } = targetOf(request.url)
		const { route, pathSecret, maxBody } = table(path)
		const { body, refusal } = await readBody(request, maxBody)
		const call = { method: request.method, query, headers: fieldsOf(request, c.env), body }
		return toResponse(await takeTurn(route, { call, pathSecret, at, refusal }, runtime))
	})
	app.onError((thrown) => {
		const error = asGatewayError(thrown)
		if (error.code === 'internal') runtime.log({ level: 'error', msg: 'call', error: error.code, cause: thrown.stack })
		return toResponse(problemResponse(error))
	})
	return app
}

// The target as it was sent: Hono's own path is decoded, and a route must not be reached by two spellings.
function targetOf(url: string): { path: string; query: Fields } {
	const start = url.indexOf('/', url.indexOf('://') + 3)
	const [target = ''] = url.slice(start).split('#', 1)
	const mark = target.indexOf('?')
	if (mark === -1) return { path: target, query: [] }
	return { path: target.slice(0, mark), query: [...new URLSearchParams(target.slice(mark + 1))] }
}

function joinedFields(request: Request): Fields {
	return [...request.headers]
}

function toResponse({ status, headers, body }: WireResponse): Response {
	const fields: { [name: string]: string } = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' }
	for (const [name, value] of headers) fields[name] = value
	// With these the standard allows no body, not even an empty one.
	const bodiless = status === 204 || status === 205 || status === 304
	return new Response(bodiless ? null : body, { status, headers: fields })
}
