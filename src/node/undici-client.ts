/** Calls upstreams through undici: a pool for each origin, and another one for calls to public addresses only; no redirects, no compression, decoded bytes counted. */
import { lookup as lookUp } from 'node:dns'
import Pool from 'undici/lib/dispatcher/pool.js'
import type { Fields, WireResponse } from '../format/index.ts'
import { createReplyBudget } from '../http/index.ts'
import { limits } from '../limits.ts'
import type { OutgoingCall } from '../runtime.ts'
import { isPublicAddress } from '../upstream/index.ts'
import { guardedConnect, type Resolve } from './guarded-connect.ts'
import { acceptContinue } from './unasked-continue.ts'
import { UndiciExchange } from './undici-exchange.ts'

/**
 * Milliseconds to connect, TLS included; the timeout of the call limits everything. It is more than the second
 * after which TCP repeats a first packet that was lost or dropped by a full backlog (RFC 6298, section 2).
 */
const connectTimeout = 1500

/** URLs that are remembered with what they lead to. Most upstreams are called at one, others at another for each call. */
const maxTargets = 1000

/** Where a URL leads. */
interface Target {
	readonly origin: string
	/** With the query. */
	readonly path: string
}

/** How a sender finds addresses and judges them. */
export interface Network {
	/** Finds the addresses of a name. Absent: the system's resolver. */
	readonly resolve?: Resolve
	/** Which addresses are public. Absent: those of `isPublicAddress`. */
	readonly isPublic?: (address: string) => boolean
}

/** Sends calls, and ends its connections. */
export interface Sender {
	send(call: OutgoingCall): Promise<WireResponse>
	close(): Promise<void>
}

/** A sender that has no connection yet. It keeps a pool for each origin; origins come from the configuration, so there are few. */
export function createSender({ resolve = lookUp, isPublic = isPublicAddress }: Network = {}): Sender {
	const timeout = connectTimeout
	const connectAnywhere = acceptContinue(guardedConnect({ resolve, allows: () => true, timeout }))
	const connectToPublic = acceptContinue(guardedConnect({ resolve, allows: isPublic, timeout }))
	const pools = new Map<string, Pool>()
	const budgetOf = createReplyBudget(limits.repliesAtOnce.value)

	const poolOf = (origin: string, onlyPublic: boolean): Pool => {
		// Connections of other calls were made without a check of their address.
		const key = onlyPublic ? `public ${origin}` : origin
		const known = pools.get(key)
		if (known) return known
		const connect = onlyPublic ? connectToPublic : connectAnywhere
		const pool = new Pool(origin, { connect, headersTimeout: 0, bodyTimeout: 0, allowH2: false })
		pools.set(key, pool)
		return pool
	}

	const targets = new Map<string, Target>()
	const targetOf = (url: string): Target => {
		const known = targets.get(url)
		if (known) return known
		const { origin, pathname, search } = new URL(url)
		const target = { origin, path: pathname + search }
		if (targets.size === maxTargets) targets.clear()
		targets.set(url, target)
		return target
	}

	return {
		send(call) {
			return new Promise((resolve, reject) => {
				const { origin, path } = targetOf(call.url)
				const { method, body } = call
				const request = { path, method, headers: flat(call.headers), body: body === '' ? null : body }
				const exchange = new UndiciExchange(call, budgetOf(origin), resolve, reject)
				poolOf(origin, call.onlyPublic).dispatch(request, exchange)
			})
		},
		async close() {
			await Promise.all(Array.from(pools.values(), (pool) => pool.destroy()))
		},
	}
}

/** Names and values in turn. Not by `Array.flat`, which takes ten times as long. */
function flat(fields: Fields): string[] {
	const all: string[] = []
	for (const [name, value] of fields) all.push(name, value)
	return all
}
