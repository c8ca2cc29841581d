/** Where the bytes of a body come from. */

/** Hands over each chunk as it comes; nothing else uses its memory. Resolves at the end. Rejects when the bytes break off, and with what `take` throws. */
export type ByteSource = (take: (chunk: Uint8Array) => void) => Promise<void>

/** The chunks of a web stream, such as the body of a Request. Null is an empty one. */
export function streamSource(stream: ReadableStream<Uint8Array> | null): ByteSource {
	return async (take) => {
		if (!stream) return
		const reader = stream.getReader()
		try {
			for (;;) {
				const { done, value } = await reader.read()
				if (done) return
				take(value)
			}
		} catch (thrown) {
			// Not awaited: that would wait until the sender has taken notice.
			reader.cancel().catch(() => {})
			throw thrown
		}
	}
}
