/** Calls upstreams by fetch: no redirects, no compression, decoded bytes counted. */
import { GatewayError } from '../errors.ts'
import type { WireResponse } from '../format/index.ts'
import type { OutgoingCall } from '../runtime.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false })

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
	if (answer.ok) return { ...wire, body: await readBody(answer, call) }
	giveUp(answer)
	return { ...wire, body: '' }
}

async function readBody(answer: Response, call: OutgoingCall): Promise<string> {
	const encoding = answer.headers.get('content-encoding') ?? 'identity'
	if (encoding.toLowerCase() !== 'identity') {
		giveUp(answer)
		throw new GatewayError('upstream-reply-invalid', { field: 'content-encoding', expected: 'identity' })
	}
	if (Number(answer.headers.get('content-length')) > call.maxBytes) {
		giveUp(answer)
		throw new GatewayError('upstream-reply-too-large', { limit: call.maxBytes })
	}
	const bytes = await countedBytes(answer, call.maxBytes).catch((cause: unknown) => {
		if (cause instanceof GatewayError) throw cause
		if (call.signal.aborted) throw new GatewayError('upstream-timeout', {}, { cause })
		throw new GatewayError('upstream-reply-invalid', { field: 'body', expected: 'all of it' }, { cause })
	})
	try {
		return utf8.decode(bytes)
	} catch (cause) {
		throw new GatewayError('upstream-reply-invalid', { field: 'body', expected: 'UTF-8' }, { cause })
	}
}

async function countedBytes({ body }: Response, limit: number): Promise<Uint8Array> {
	const chunks: Uint8Array[] = []
	let size = 0
	if (body) {
		// Leaving the loop cancels the body.
		for await (const chunk of body) {
			size += chunk.byteLength
			if (size > limit) throw new GatewayError('upstream-reply-too-large', { limit })
			chunks.push(chunk)
		}
	}
	const whole = new Uint8Array(size)
	let end = 0
	for (const chunk of chunks) {
		whole.set(chunk, end)
		end += chunk.byteLength
	}
	return whole
}

function giveUp({ body }: Response): void {
	body?.cancel().catch(() => {})
}
