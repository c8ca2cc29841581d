/** The gateway as a Hono app: which route a call is for, how much of it is read, and how errors look from outside. */
import { Hono } from 'hono/tiny'
import { asGatewayError, GatewayError } from '../errors.ts'
import { type Fields, jsonResponse, parseFields, problemResponse, type WireResponse } from '../format/index.ts'
import { limits } from '../limits.ts'
import type { Route } from '../route.ts'
import type { Runtime } from '../runtime.ts'
import { type Answered, isSecretOf, replyPath, takeReply, takeTurn } from '../turn/index.ts'
import { type ByteBudget, createBodyBudget } from './byte-budget.ts'
import { type ByteSource, streamSource } from './byte-source.ts'
import { routeCapabilities } from './capabilities.ts'
import { unreadBody } from './read-body.ts'
import { createRejectionLog } from './rejection-log.ts'
import { toResponse } from './respond.ts'
import { type Match, routeTable } from './route-table.ts'

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
	/** Limits the bodies that are read at the same time. Absent: a budget of its own. */
	readonly bodyBudget?: ByteBudget
	/** The body of a request. Absent: its `body`. */
	bodyOf?(request: Request, env: unknown): ByteSource
	/** The head of a request. Absent: what its `url`, as it stands there, and its `headers`, which are joined by name, say. */
	headOf?(request: Request, env: unknown): RequestHead
	/** The contract with the backend of a route, as OpenAPI, for those who know a secret of the route. Absent: it is not served. */
	contract?(route: Route): Promise<object>
	/** Hands an answer to the server. Absent: as a Response with a body. */
	respond?(answer: WireResponse, env: unknown): Response
	/**
	 * What the server gets while a turn goes on, where `respond` sends the answer by itself: so nothing of the server waits
	 * with the turn. Absent, or undefined: the server waits for what `respond` returns.
	 */
	meanwhile?(env: unknown): Response | undefined
}

/**
 * Answers on the routes' paths, `/healthz`, `/readyz`, `/-/reply/SEALED`, and for those who know a secret of the route
 * `/-/carries/NAME/SECRET` and `/-/contract/NAME/SECRET`; everything else is one and the same 404. Those of an open route
 * are `/-/carries/NAME` and `/-/contract/NAME`.
 */
export function createApp({
	routes,
	runtime,
	ready = () => true,
	bodyBudget = createBodyBudget(),
	bodyOf = streamOf,
	headOf = ownHead,
	contract,
	respond = toResponse,
	meanwhile = () => undefined,
}: AppOptions): Hono {
	const table = routeTable(routes, runtime)
	const budgets = { proven: bodyBudget, unproven: bodyBudget.half() }
	const logRejection = createRejectionLog(runtime)
	const app = new Hono()

	app.get('/healthz', (c) => respond(jsonResponse({ status: 'ok' }), c.env))
	app.get('/readyz', (c) =>
		respond(ready() ? jsonResponse({ status: 'ready' }) : jsonResponse({ status: 'not ready' }, 503), c.env),
	)
	tell('/-/carries/', (route) => jsonResponse(routeCapabilities(route)))
	if (contract) tell('/-/contract/', async (route) => jsonResponse(await contract(route)))
	app.all('*', (c) => {
		const { route, answering } = begin(c.req.raw, c.env)
		const responding = finish(answering, route, c.env)
		return meanwhile(c.env) ?? responding
	})
	app.onError((thrown, c) => respond(failed(thrown), c.env))

	/** Answers below a path to those who may know of a route, whose name comes next. */
	function tell(below: string, answer: (route: Route) => WireResponse | Promise<WireResponse>): void {
		app.get(`${below}*`, async (c) => {
			const { path } = partsOf(headOf(c.req.raw, c.env).target)
			const found = path.startsWith(below) ? table.byName(path.slice(below.length)) : undefined
			if (!found || !isOpenTo(found, runtime)) throw new GatewayError('not-found')
			return respond(await answer(found.route), c.env)
		})
	}

	/** Begins to take a reply that a backend sends by itself, or a turn. `route`: its name, if the log may have it. */
	function begin(request: Request, env: unknown): { route: string | undefined; answering: Promise<Answered> } {
		const at = runtime.elapsed()
		const { target, headers } = headOf(request, env)
		const { path, query } = partsOf(target)
		const head = { method: request.method, query, headers }
		const source = bodyOf(request, env)
		if (path.startsWith(replyPath)) {
			const token = path.slice(replyPath.length)
			const body = unreadBody({ head, source, maxBody: limits.replyBytes.value, budgets })
			return { route: undefined, answering: takeReply(table, { head, token, body, at }, runtime) }
		}
		const { route, pathSecret, isDecoy, maxBody } = table.byPath(path)
		const body = unreadBody({ head, source, maxBody, budgets })
		const answering = takeTurn(route, { head, body, pathSecret, at }, runtime)
		return { route: isDecoy ? undefined : route.name, answering }
	}

	/** Responds when there is an answer. It is not given the request, which it would keep in memory for as long as it waits. */
	async function finish(answering: Promise<Answered>, route: string | undefined, env: unknown): Promise<Response> {
		try {
			return respond(logged(await answering, route), env)
		} catch (thrown) {
			return respond(failed(thrown), env)
		}
	}

	/** The answer. That a call was refused is logged, with the name of its route. */
	function logged({ answer, refusal }: Answered, route: string | undefined): WireResponse {
		if (refusal) logRejection(refusal.code, route)
		return answer
	}

	/** The answer to a fault, which is logged. An adapter may throw anything. */
	function failed(thrown: unknown): WireResponse {
		const error = asGatewayError(thrown)
		if (error.code === 'internal')
			runtime.log({ level: 'error', msg: 'call', error: error.code, cause: stackOf(error.cause ?? thrown) })
		else if (error.code !== 'not-found') logRejection(error.code, undefined)
		return problemResponse(error)
	}
	return app
}

/** Whether a caller may know of a route: it is open, or the path has one of its secrets. */
function isOpenTo({ route, pathSecret }: Match, { crypto }: Runtime): boolean {
	if (route.secrets.length === 0) return pathSecret === undefined
	return isSecretOf(route, pathSecret, crypto)
}

function streamOf({ body }: Request): ByteSource {
	return streamSource(body)
}

/** What stands behind the authority of a URL. */
const targetForm = /^[a-z\d+.-]+:\/\/[^/?#\\]*(.*)$/is

function ownHead({ url, headers }: Request): RequestHead {
	// Not by the URL parser, which resolves dots and turns backslashes: to it, many spellings are one path.
	const target = targetForm.exec(url)?.[1] ?? ''
	return { target: target.startsWith('/') ? target : `/${target}`, headers: [...headers] }
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
