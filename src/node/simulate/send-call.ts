/** Sends a simulated platform's call. */
import { GatewayError } from '../../errors.ts'
import type { WireResponse } from '../../format/index.ts'
import { readLimited } from '../../http/index.ts'
import type { OutgoingCall } from '../../runtime.ts'

/** Like the runtime's own, but keeps the body of an error, which developers of a webhook want to read. */
export async function sendCall({ url, method, headers, body, timeout, maxBytes }: OutgoingCall): Promise<WireResponse> {
	const signal = AbortSignal.timeout(timeout)
	const init = { method, redirect: 'manual', signal, ...(body !== '' && { body }) } as const
	const failed = (cause: unknown) => {
		throw new GatewayError(signal.aborted ? 'upstream-timeout' : 'upstream-unreachable', {}, { cause })
	}
	const response = await fetch(url, { ...init, headers: headers.map(([name, value]) => [name, value]) }).catch(failed)
	// Not by its length: fetch decompresses it.
	const bytes = await readLimited(response, maxBytes).catch(failed)
	if (!bytes) throw new GatewayError('upstream-reply-too-large', { limit: maxBytes })
	return { status: response.status, headers: [...response.headers], body: new TextDecoder().decode(bytes) }
}
