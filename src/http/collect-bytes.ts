/** Collects the chunks of a body. */

/** Bytes of the smallest and the largest block that chunks are copied into. */
const [smallestBlock, largestBlock] = [4096, 65_536]

export interface ByteCollector {
	add(chunk: Uint8Array): void
	/** Everything that was added. */
	joined(): Uint8Array
}

/** A collector that takes at most about twice as much memory as it has bytes, however small the chunks are. */
export function createByteCollector(): ByteCollector {
	let size = 0
	/** The first chunk, not copied: most bodies have no other. */
	let first: Uint8Array | undefined
	const blocks: Uint8Array[] = []
	let block = new Uint8Array()
	let filled = 0
	return {
		add(chunk) {
			size += chunk.byteLength
			if (!first) {
				first = chunk
				return
			}
			for (let rest = chunk; rest.byteLength > 0; ) {
				if (filled === block.byteLength) {
					block = new Uint8Array(Math.min(Math.max(size, smallestBlock), largestBlock))
					blocks.push(block)
					filled = 0
				}
				const part = rest.subarray(0, block.byteLength - filled)
				block.set(part, filled)
				filled += part.byteLength
				rest = rest.subarray(part.byteLength)
			}
		},
		joined() {
			if (!first) return new Uint8Array()
			if (blocks.length === 0) return first
			const whole = new Uint8Array(size)
			let end = 0
			for (const each of [first, ...blocks]) {
				whole.set(each.subarray(0, size - end), end)
				end += each.byteLength
			}
			return whole
		},
	}
}
