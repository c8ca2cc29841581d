/** Collects the chunks of a body. */

/** Bytes of the smallest and the largest block that small chunks are copied into. */
const [smallestBlock, largestBlock] = [4096, 65_536]

export interface ByteCollector {
	add(chunk: Uint8Array): void
	/** Everything that was added. */
	joined(): Uint8Array
	/** What a function makes of everything that was added; the bytes may be gone once it has returned. */
	read<T>(make: (bytes: Uint8Array) => T): T
	/** The same, after which the chunks may be gone, too: nothing else may use their memory. */
	consume<T>(make: (bytes: Uint8Array) => T): T
}

/** A collector that takes at most about twice as much memory as it has bytes, however small the chunks are. */
export function createByteCollector(): ByteCollector {
	return new Collector()
}

const nothing = new Uint8Array()

// A class: each body has one, and functions of its own would take more than most bodies.
class Collector implements ByteCollector {
	#size = 0
	#parts: Uint8Array[] = []
	/** Small chunks behind the last part. */
	#block = nothing
	#filled = 0

	add(chunk: Uint8Array): void {
		if (this.#size === 0) {
			// The first chunk is kept in any case: most bodies have no other.
			this.#parts = [chunk]
			this.#size = chunk.byteLength
			return
		}
		this.#size += chunk.byteLength
		if (isWorthKeeping(chunk)) {
			if (this.#filled > 0) this.#parts.push(this.#takeFilled().slice())
			this.#parts.push(chunk)
			return
		}
		for (let rest = chunk; rest.byteLength > 0; ) {
			if (this.#filled === this.#block.byteLength) {
				if (this.#filled > 0) this.#parts.push(this.#takeFilled())
				this.#block = new Uint8Array(Math.min(Math.max(this.#size, smallestBlock), largestBlock))
			}
			const part = rest.subarray(0, this.#block.byteLength - this.#filled)
			this.#block.set(part, this.#filled)
			this.#filled += part.byteLength
			rest = rest.subarray(part.byteLength)
		}
	}

	joined(): Uint8Array {
		return this.#join() ?? this.#only()
	}

	read<T>(make: (bytes: Uint8Array) => T): T {
		const whole = this.#join()
		if (!whole) return make(this.#only())
		try {
			return make(whole)
		} finally {
			// Frees the memory. Left to be collected, such buffers cause most of the collections of all that there is.
			whole.buffer.transfer(0)
		}
	}

	consume<T>(make: (bytes: Uint8Array) => T): T {
		return this.read((bytes) => {
			// As above. What is left to be collected of a few dozen large bodies causes a collection of all that there is.
			if (this.#parts.length > 1) for (const part of this.#parts) free(part)
			return make(bytes)
		})
	}

	#takeFilled(): Uint8Array {
		const taken = this.#block.subarray(0, this.#filled)
		this.#filled = 0
		return taken
	}

	/** Undefined: there is no more than one part. */
	#join(): Uint8Array<ArrayBuffer> | undefined {
		if (this.#filled > 0) this.#parts.push(this.#takeFilled())
		if (this.#parts.length < 2) return undefined
		const whole = new Uint8Array(this.#size)
		let end = 0
		for (const part of this.#parts) {
			whole.set(part, end)
			end += part.byteLength
		}
		return whole
	}

	#only(): Uint8Array {
		return this.#parts[0] ?? nothing
	}
}

/** Frees the memory of a chunk, unless it is a part of something larger. */
function free({ buffer, byteLength }: Uint8Array): void {
	if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0)
}

/** Whether it takes less time and hardly more memory to keep a chunk than to copy it. */
function isWorthKeeping({ byteLength, buffer }: Uint8Array): boolean {
	return byteLength >= smallestBlock && byteLength * 2 >= buffer.byteLength
}
