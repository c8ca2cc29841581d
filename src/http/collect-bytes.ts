/** Collects the chunks of a body. */

/** Bytes of the smallest and the largest block that small chunks are copied into. */
const [smallestBlock, largestBlock] = [4096, 65_536]

export interface ByteCollector {
	add(chunk: Uint8Array): void
	/** Everything that was added. */
	joined(): Uint8Array
	/** What a function makes of everything that was added; the bytes may be gone once it has returned. */
	read<T>(make: (bytes: Uint8Array) => T): T
}

/** A collector that takes at most about twice as much memory as it has bytes, however small the chunks are. */
export function createByteCollector(): ByteCollector {
	let size = 0
	const parts: Uint8Array[] = []
	/** Small chunks behind the last part. */
	let block = new Uint8Array()
	let filled = 0
	const takeFilled = (): Uint8Array => {
		const taken = block.subarray(0, filled)
		filled = 0
		return taken
	}
	/** Undefined: there is no more than one part. */
	const join = (): Uint8Array<ArrayBuffer> | undefined => {
		if (filled > 0) parts.push(takeFilled())
		if (parts.length < 2) return undefined
		const whole = new Uint8Array(size)
		let end = 0
		for (const part of parts) {
			whole.set(part, end)
			end += part.byteLength
		}
		return whole
	}
	const only = (): Uint8Array => parts[0] ?? new Uint8Array()
	return {
		add(chunk) {
			// The first chunk is kept in any case: most bodies have no other.
			const isKept = size === 0 || isWorthKeeping(chunk)
			size += chunk.byteLength
			if (isKept) {
				if (filled > 0) parts.push(takeFilled().slice())
				parts.push(chunk)
				return
			}
			for (let rest = chunk; rest.byteLength > 0; ) {
				if (filled === block.byteLength) {
					if (filled > 0) parts.push(takeFilled())
					block = new Uint8Array(Math.min(Math.max(size, smallestBlock), largestBlock))
				}
				const part = rest.subarray(0, block.byteLength - filled)
				block.set(part, filled)
				filled += part.byteLength
				rest = rest.subarray(part.byteLength)
			}
		},
		joined: () => join() ?? only(),
		read(make) {
			const whole = join()
			if (!whole) return make(only())
			try {
				return make(whole)
			} finally {
				// Frees the memory. Left to be collected, such buffers cause most of the collections of all that there is.
				whole.buffer.transfer(0)
			}
		},
	}
}

/** Whether it takes less time and hardly more memory to keep a chunk than to copy it. */
function isWorthKeeping({ byteLength, buffer }: Uint8Array): boolean {
	return byteLength >= smallestBlock && byteLength * 2 >= buffer.byteLength
}
