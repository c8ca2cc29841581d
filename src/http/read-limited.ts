/** Reads the body of an answer within a limit of bytes. */
import { limits } from '../limits.ts'
import { createByteCollector } from './collect-bytes.ts'

/** A body as a Response has it. */
export interface Body {
	readonly body: AsyncIterable<Uint8Array> | null
	arrayBuffer(): Promise<ArrayBuffer>
}

/**
 * The whole body, or undefined when it is over the limit; then the rest is not read. `declared` is what Content-Length
 * says, where no more than that can come: a small body is then read by the runtime, which is faster. Rejects when it
 * breaks off, and with what `count` throws, which gets the bytes of each chunk.
 */
export async function readLimited(
	message: Body,
	limit: number,
	declared = Number.POSITIVE_INFINITY,
	count: (bytes: number) => void = () => {},
): Promise<Uint8Array | undefined> {
	if (declared > limit && declared !== Number.POSITIVE_INFINITY) return undefined
	// These bytes are not counted.
	if (declared > limits.uncountedBodyBytes.value) {
		return message.body ? await readChunks(message.body, limit, count) : new Uint8Array()
	}
	const bytes = new Uint8Array(await message.arrayBuffer())
	// In case a runtime reads more than was declared.
	return bytes.byteLength > limit ? undefined : bytes
}

async function readChunks(
	body: AsyncIterable<Uint8Array>,
	limit: number,
	count: (bytes: number) => void,
): Promise<Uint8Array | undefined> {
	const collector = createByteCollector()
	let size = 0
	const iterator = body[Symbol.asyncIterator]()
	for (;;) {
		const { done, value } = await iterator.next()
		if (done) return collector.joined()
		size += value.byteLength
		// Not by leaving a loop: that would wait until the sender has taken notice.
		const stop = () => void iterator.return?.().catch(() => {})
		if (size > limit) {
			stop()
			return undefined
		}
		try {
			count(value.byteLength)
		} catch (thrown) {
			stop()
			throw thrown
		}
		collector.add(value)
	}
}
