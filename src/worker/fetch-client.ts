/** Calls upstreams by fetch: no redirects, no compression, decoded bytes counted. */
import { GatewayError } from '../errors.ts'
import type { WireResponse } from '../format/index.ts'
import { readReply } from '../http/index.ts'
import type { OutgoingCall } from '../runtime.ts'

export async function send(call: OutgoingCall): Promise<WireResponse> {
	const headers = new Headers()
	for (const [name, value] of call.headers) headers.append(name, value)
	const answer = await fetch(call.url, {
		method: call.method,
		headers,
		body: call.body === '' ? null : call.body,
		signal: call.signal,
		redirect: 'manual',
	}).catch((cause: unknown) => {
		throw new GatewayError(call.signal.aborted ? 'upstream-timeout' : 'upstream-unreachable', {}, { cause })
	})
	const wire = { status: answer.status, headers: [...answer.headers] }
	try {
		if (answer.ok) return { ...wire, body: await readReply(answer, wire.headers, call) }
	} catch (thrown) {
		giveUp(answer)
		throw thrown
	}
	giveUp(answer)
	return { ...wire, body: '' }
}

function giveUp({ body }: Response): void {
	body?.cancel().catch(() => {})
}
