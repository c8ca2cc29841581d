/** Signs calls to an upstream as Standard Webhooks specifies. */
import type { Fields } from '../format/index.ts'
import type { Runtime } from '../runtime.ts'
import type { Upstream } from './upstream.ts'

/** The signature headers: `webhook-id`, `webhook-timestamp` in seconds, one `v1` signature per key. */
export async function signature(upstream: Upstream, id: string, body: string, runtime: Runtime): Promise<Fields> {
	const timestamp = Math.floor(runtime.now() / 1000)
	const macs = await Promise.all(
		upstream.signingKeys.map((key) => runtime.crypto.hmac(key, `${id}.${timestamp}.`, body)),
	)
	return [
		['webhook-id', id],
		['webhook-timestamp', String(timestamp)],
		['webhook-signature', macs.map((mac) => `v1,${mac}`).join(' ')],
	]
}
