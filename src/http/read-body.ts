/** Reads the body of a platform's call. */
import { type ErrorCode, GatewayError } from '../errors.ts'
import { readLimited } from './read-limited.ts'

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
 * The body of a request. Refuses it with `encoding-not-supported`, `body-too-large`, `body-not-utf8`, or
 * `body-incomplete` when the sender broke off.
 */
export async function readBody(request: Request, { readAtMost, maxBody }: BodyLimits): Promise<ReadBody> {
	// Their bodies mean nothing (RFC 9110, section 9.3), and the Request has none.
	if (request.method === 'GET' || request.method === 'HEAD') return { body: '' }
	const encoding = request.headers.get('content-encoding') ?? ''
	if (encoding !== '' && encoding.toLowerCase() !== 'identity') return rejected('encoding-not-supported')
	const declared = request.headers.get('content-length')
	let bytes: Uint8Array | undefined
	try {
		bytes = await readLimited(request, readAtMost, declared === null ? undefined : Number(declared))
	} catch {
		return rejected('body-incomplete')
	}
	if (!bytes) return rejected('body-too-large', readAtMost)
	if (bytes.byteLength > maxBody) return rejected('body-too-large', maxBody)
	try {
		return { body: utf8.decode(bytes) }
	} catch {
		return rejected('body-not-utf8')
	}
}

function rejected(code: ErrorCode, limit?: number): ReadBody {
	return { body: '', refusal: new GatewayError(code, limit === undefined ? {} : { limit }) }
}
