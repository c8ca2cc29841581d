/** Reads the body of an answer within a limit of bytes. */
import { createByteCollector } from './collect-bytes.ts'

/** A body as a Response has it. */
export interface Body {
	readonly body: AsyncIterable<Uint8Array> | null
	arrayBuffer(): Promise<ArrayBuffer>
}

/**
 * The whole body, or undefined when it is over the limit; then the rest is not read. `declared` is what Content-Length
 * says, where no more than that can come: such a body is read by the runtime, which is faster. Rejects when it breaks off.
 */
export async function readLimited(message: Body, limit: number, declared?: number): Promise<Uint8Array | undefined> {
	if (declared === undefined) return message.body ? await readChunks(message.body, limit) : new Uint8Array()
	if (declared > limit) return undefined
	const bytes = new Uint8Array(await message.arrayBuffer())
	// In case a runtime reads more than was declared.
	return bytes.byteLength > limit ? undefined : bytes
}

async function readChunks(body: AsyncIterable<Uint8Array>, limit: number): Promise<Uint8Array | undefined> {
	const collector = createByteCollector()
	let size = 0
	const iterator = body[Symbol.asyncIterator]()
	for (;;) {
		const { done, value } = await iterator.next()
		if (done) return collector.joined()
		size += value.byteLength
		if (size > limit) {
			// Not by leaving a loop: that would wait until the sender has taken notice.
			iterator.return?.().catch(() => {})
			return undefined
		}
		collector.add(value)
	}
}
