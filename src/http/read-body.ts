/** Reads the body of a call within its limits: bytes as they come, whatever its headers say. */
import { GatewayError } from '../errors.ts'

/** The body as text, or why there is none. */
export interface ReadBody {
	readonly body: string
	readonly refusal?: GatewayError
}

// A byte order mark at the start is taken off.
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false })

/** Bytes: what is read of a body, and what it may have. */
export interface BodyLimits {
	readonly readAtMost: number
	readonly maxBody: number
}

/**
 * The body of a request. Refuses with `encoding-not-supported`, `body-too-large`, `body-not-utf8`, or
 * `body-incomplete` when the sender broke off.
 */
export async function readBody(request: Request, { readAtMost, maxBody }: BodyLimits): Promise<ReadBody> {
	// Their bodies mean nothing (RFC 9110, section 9.3), and the Request has none.
	if (request.method === 'GET' || request.method === 'HEAD') return { body: '' }
	try {
		const bytes = await readBytes(request, readAtMost)
		if (bytes.byteLength > maxBody) throw tooLarge(maxBody)
		return { body: toText(bytes) }
	} catch (thrown) {
		return { body: '', refusal: thrown instanceof GatewayError ? thrown : new GatewayError('body-incomplete') }
	}
}

async function readBytes(request: Request, limit: number): Promise<Uint8Array | ArrayBuffer> {
	const { headers } = request
	const encoding = headers.get('content-encoding') ?? ''
	if (encoding !== '' && encoding.toLowerCase() !== 'identity') throw new GatewayError('encoding-not-supported')
	const declared = headers.get('content-length')
	if (declared === null) return await readCounted(request, limit)
	if (Number(declared) > limit) throw tooLarge(limit)
	const bytes = await request.arrayBuffer()
	// The runtime reads no more than was declared; should one not, this does.
	if (bytes.byteLength > limit) throw tooLarge(limit)
	return bytes
}

async function readCounted({ body }: Request, limit: number): Promise<Uint8Array> {
	if (!body) return new Uint8Array()
	const chunks: Uint8Array[] = []
	let size = 0
	const reader = body.getReader()
	for (;;) {
		const { done, value } = await reader.read()
		if (done) return joined(chunks, size)
		size += value.byteLength
		if (size > limit) {
			reader.cancel().catch(() => {})
			throw tooLarge(limit)
		}
		chunks.push(value)
	}
}

function joined(chunks: readonly Uint8Array[], size: number): Uint8Array {
	const whole = new Uint8Array(size)
	let end = 0
	for (const chunk of chunks) {
		whole.set(chunk, end)
		end += chunk.byteLength
	}
	return whole
}

function toText(bytes: Uint8Array | ArrayBuffer): string {
	try {
		return utf8.decode(bytes)
	} catch {
		throw new GatewayError('body-not-utf8')
	}
}

function tooLarge(limit: number): GatewayError {
	return new GatewayError('body-too-large', { limit })
}
