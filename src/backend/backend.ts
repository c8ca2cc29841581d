/** A backend: a function from an event to a reply, behind HTTP. */
import type { BackendReply, CanonicalEvent, Turn } from '../model/index.ts'
import { reply } from './builders.ts'
import { handleNode, type NodeRequest, type NodeResponse } from './node-handler.ts'
import { parseRequest, RequestInvalid } from './request.ts'
import { bytesOfKey, isSigned, type SignedCall } from './signature.ts'

/** A reply, a text, or nothing to say. */
export type Answer = BackendReply | string | undefined

export interface BackendOptions {
	/**
	 * Keys of which one has signed each call, as in the variables that the upstream's `sign` names: `whsec_` and base64. Two
	 * of them while they are rotated. Undefined: every call is answered, so let only the gateway reach the backend.
	 */
	readonly keys: string | readonly string[] | undefined
	/** Answers an event. What it throws is a failed turn: the user gets the failure reply of the route. */
	answer(event: CanonicalEvent, turn: Turn): Answer | Promise<Answer>
}

/** The same backend for each kind of server. */
export interface Backend {
	/** For Hono, Workers, Deno and Bun: a call in, its answer out. Rejects with what `answer` throws. */
	fetch(request: Request): Promise<Response>
	/**
	 * For `node:http` and Express. What `answer` throws goes to `next`; without one it becomes a 500, on standard error as
	 * well. The body must be unread: mount it before `express.json()`.
	 */
	node(request: NodeRequest, response: NodeResponse, next?: (error: unknown) => void): Promise<void>
}

/** A backend that answers the gateway's calls. Throws a TypeError for a key that is none, and for an empty list. */
export function createBackend({ keys, answer }: BackendOptions): Backend {
	const list = typeof keys === 'string' ? [keys] : keys
	if (list?.length === 0) throw new TypeError('There must be a key; without "keys", calls are not verified')
	for (const key of list ?? []) bytesOfKey(key)

	/** Answers a call of this method. Its statuses are those of schema/openapi.json. */
	async function take(method: string, call: SignedCall): Promise<Response> {
		if (method !== 'POST') return new Response(undefined, { status: 405, headers: { allow: 'POST' } })
		if (list && !(await isSigned(call, list))) return new Response(undefined, { status: 401 })
		try {
			const { event, turn } = parseRequest(call.body)
			const answered = await answer(event, turn)
			if (answered === undefined) return new Response(undefined, { status: 204 })
			return Response.json(typeof answered === 'string' ? reply(answered) : answered)
		} catch (thrown) {
			if (!(thrown instanceof RequestInvalid)) throw thrown
			return new Response(thrown.message, { status: 400 })
		}
	}

	return {
		fetch: async (request) => {
			const body = await request.text()
			return take(request.method, { header: (name) => request.headers.get(name), body })
		},
		node: (request, response, next) => handleNode(request, response, take, next),
	}
}
