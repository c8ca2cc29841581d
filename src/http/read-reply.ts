/** Reads the body of an upstream's answer, for the HTTP clients of the runtimes. */
import { GatewayError } from '../errors.ts'
import type { Fields } from '../format/index.ts'
import type { OutgoingCall, Reads } from '../runtime.ts'
import type { ByteAccounts } from './byte-budget.ts'
import { fieldValue } from './field-value.ts'
import { type Body, readLimited } from './read-limited.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false })

/** Whether the body of an answer with this status is read. */
export function isBodyRead(status: number, reads: Reads): boolean {
	const isSuccess = status >= 200 && status <= 299
	return reads === 'refusal' ? !isSuccess : isSuccess && reads === 'reply'
}

/**
 * The body as text. Throws `upstream-reply-too-large`, `too-many-replies`, `upstream-timeout`, or `upstream-reply-invalid` when it is
 * compressed, breaks off or is not UTF-8. Then the rest of the body may be unread. `signal` ends the reading.
 */
export async function readReply(
	answer: Body,
	headers: Fields,
	{ maxBytes }: Pick<OutgoingCall, 'maxBytes'>,
	signal: AbortSignal,
	budget: ByteAccounts,
): Promise<string> {
	const declared = expectReadable(headers, maxBytes)
	let bytes: Uint8Array | undefined
	const account = budget.open()
	try {
		bytes = await readLimited(answer, maxBytes, declared, (size) => account.add(size))
	} catch (cause) {
		if (cause instanceof GatewayError) throw cause
		if (signal.aborted) throw new GatewayError('upstream-timeout', {}, { cause })
		throw brokenOff(cause)
	} finally {
		account.close()
	}
	if (!bytes) throw new GatewayError('upstream-reply-too-large', { limit: maxBytes })
	return replyText(bytes)
}

/**
 * The bytes that an answer declares, if it does. Throws `upstream-reply-invalid` if it is compressed, and
 * `upstream-reply-too-large` if they are more than these.
 */
export function expectReadable(headers: Fields, maxBytes: number): number | undefined {
	const encoding = fieldValue(headers, 'content-encoding') ?? 'identity'
	if (encoding.toLowerCase() !== 'identity') throw invalid('content-encoding', 'identity')
	const declared = Number(fieldValue(headers, 'content-length') ?? Number.NaN)
	if (declared > maxBytes) throw new GatewayError('upstream-reply-too-large', { limit: maxBytes })
	return Number.isNaN(declared) ? undefined : declared
}

/** A body as text. Throws `upstream-reply-invalid` if it is not UTF-8. */
export function replyText(bytes: Uint8Array): string {
	// Without a byte order mark it is valid UTF-8, of NUL characters.
	if (isUtf16(bytes)) throw invalid('body', 'UTF-8, and not UTF-16')
	try {
		return utf8.decode(bytes)
	} catch (cause) {
		throw invalid('body', 'UTF-8', cause)
	}
}

/** For a body of which not all came. */
export function brokenOff(cause: unknown): GatewayError {
	return invalid('body', 'all of it', cause)
}

/** JSON begins with two ASCII characters, of which UTF-16 and UTF-32 make a NUL; or there is a byte order mark. */
function isUtf16(bytes: Uint8Array): boolean {
	// Not by destructuring, which goes through an iterator.
	const first = bytes[0]
	const second = bytes[1]
	if (first === 0 || second === 0) return true
	return (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)
}

function invalid(field: string, expected: string, cause?: unknown): GatewayError {
	return new GatewayError('upstream-reply-invalid', { field, expected }, { cause })
}
