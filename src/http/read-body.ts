/** Reads the body of a platform's call. */
import { GatewayError } from '../errors.ts'
import type { Fields } from '../format/index.ts'
import { limits } from '../limits.ts'
import type { UnreadBody } from '../turn/index.ts'
import type { ByteAccounts } from './byte-budget.ts'
import type { ByteSource } from './byte-source.ts'
import { createByteCollector } from './collect-bytes.ts'
import { fieldValue } from './field-value.ts'

// A byte order mark at the start is taken off.
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false })

/** What comes before a body. */
interface MessageHead {
	readonly method: string
	/** Names in lower case. */
	readonly headers: Fields
}

/** A body that has not been read. */
export interface BodyToRead {
	readonly head: MessageHead
	readonly source: ByteSource
	/** Bytes that it may have. */
	readonly maxBody: number
	/** For callers who have proved their origin, and for others. */
	readonly budgets: { readonly proven: ByteAccounts; readonly unproven: ByteAccounts }
}

/**
 * The body of a request, which can be read or dropped. `read` throws `encoding-not-supported`, `body-too-large`,
 * `too-many-bodies`, `body-not-utf8`, or `body-incomplete` when the sender broke off.
 */
export function unreadBody(body: BodyToRead): UnreadBody {
	return { read: (isProven) => read(body, isProven), drop: () => drop(body) }
}

async function read({ head, source, maxBody, budgets }: BodyToRead, isProven: boolean): Promise<string> {
	if (isBodiless(head)) return ''
	const encoding = fieldValue(head.headers, 'content-encoding') ?? ''
	if (encoding !== '' && encoding.toLowerCase() !== 'identity') throw new GatewayError('encoding-not-supported')
	const tooLarge = () => new GatewayError('body-too-large', { limit: maxBody })
	if (declaredLength(head) > maxBody) throw tooLarge()
	const collector = createByteCollector()
	const account = (isProven ? budgets.proven : budgets.unproven).open()
	let size = 0
	try {
		await source((chunk) => {
			size += chunk.byteLength
			if (size > maxBody) throw tooLarge()
			account.add(chunk.byteLength)
			collector.add(chunk)
		})
	} catch (thrown) {
		throw thrown instanceof GatewayError ? thrown : new GatewayError('body-incomplete', {}, { cause: thrown })
	} finally {
		account.close()
	}
	return collector.consume(decode)
}

function decode(bytes: Uint8Array): string {
	try {
		return utf8.decode(bytes)
	} catch (cause) {
		throw new GatewayError('body-not-utf8', {}, { cause })
	}
}

/** Reads the body to its end if that is near, so that the connection can serve again; else nothing of it. */
async function drop({ head, source }: BodyToRead): Promise<void> {
	const most = limits.unprovenBodyBytes.value
	if (isBodiless(head) || declaredLength(head) > most) return
	let size = 0
	try {
		await source((chunk) => {
			size += chunk.byteLength
			if (size > most) throw new Error('The end is not near')
		})
	} catch {
		// However it ended, the answer is the same.
	}
}

// Their bodies mean nothing (RFC 9110, section 9.3), and the Request has none.
function isBodiless({ method }: MessageHead): boolean {
	return method === 'GET' || method === 'HEAD'
}

/** What Content-Length says; 0 if it is absent, as with chunked transfer. */
function declaredLength({ headers }: MessageHead): number {
	return Number(fieldValue(headers, 'content-length') ?? 0)
}
