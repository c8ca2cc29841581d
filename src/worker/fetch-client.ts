/** Calls upstreams by fetch: no redirects, no compression, decoded bytes counted. */
import { GatewayError } from '../errors.ts'
import type { WireResponse } from '../format/index.ts'
import { createReplyBudget, isBodyRead, readReply } from '../http/index.ts'
import { limits } from '../limits.ts'
import type { OutgoingCall } from '../runtime.ts'

const budgetOf = createReplyBudget(limits.repliesAtOnceOnWorkers.value)

/** Sends a call, as `Runtime.send`. */
export async function send(call: OutgoingCall): Promise<WireResponse> {
	const limit = new AbortController()
	const timer = setTimeout(() => limit.abort(), call.timeout)
	try {
		return await sendUntil(limit.signal, call)
	} finally {
		// Not by AbortSignal.timeout: its timer would outlive the turn, and there are thousands of turns a second.
		clearTimeout(timer)
	}
}

async function sendUntil(signal: AbortSignal, call: OutgoingCall): Promise<WireResponse> {
	const headers = new Headers()
	for (const [name, value] of call.headers) headers.append(name, value)
	const answer = await fetch(call.url, {
		method: call.method,
		headers,
		body: call.body === '' ? null : call.body,
		signal,
		redirect: 'manual',
	}).catch((cause: unknown) => {
		throw new GatewayError(signal.aborted ? 'upstream-timeout' : 'upstream-unreachable', {}, { cause })
	})
	const wire = { status: answer.status, headers: asRead(answer.headers) }
	try {
		if (isBodyRead(answer.status, call.reads))
			return { ...wire, body: await readReply(answer, wire.headers, call, signal, budgetOf(new URL(call.url).origin)) }
	} catch (thrown) {
		giveUp(answer)
		if (call.reads === 'refusal') return { ...wire, body: '' }
		throw thrown
	}
	giveUp(answer)
	return { ...wire, body: '' }
}

/** Codings that workerd undoes before the body is read; other spellings of them it leaves as they are. */
const undone: ReadonlySet<string | null> = new Set(['gzip', 'br'])

/** The headers of the body as it is read: workerd leaves the coding and the length of the compressed one among them. */
function asRead(headers: Headers): (readonly [name: string, value: string])[] {
	if (!undone.has(headers.get('content-encoding'))) return [...headers]
	return [...headers].filter(([name]) => name !== 'content-encoding' && name !== 'content-length')
}

function giveUp({ body }: Response): void {
	body?.cancel().catch(() => {})
}
