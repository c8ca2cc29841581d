/** The collector of bodies: nothing is lost or mixed up, and little more memory is taken than there are bytes. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createByteCollector } from '../src/http/index.ts'

/** Chunks of these sizes, each a copy of its own, whose bytes tell where they belong. */
function chunksOf(sizes: readonly number[]): Uint8Array[] {
	let n = 0
	return sizes.map((size) => Uint8Array.from({ length: size }, () => n++ % 251))
}

const size = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 9000 }), fc.constant(65_536))

test('what is read is what was added, however it was cut', () => {
	const property = fc.property(fc.array(size, { maxLength: 12 }), (sizes) => {
		const chunks = chunksOf(sizes)
		const collect = () => {
			const collector = createByteCollector()
			for (const chunk of chunks) collector.add(chunk)
			return collector
		}
		const added = Buffer.concat(chunks)
		expect(added.equals(collect().joined())).toBe(true)
		expect(collect().read((bytes) => added.equals(bytes))).toBe(true)
		// What was added is still that of the sender.
		expect(added.equals(Buffer.concat(chunks))).toBe(true)
	})
	fc.assert(property)
})

test('what is consumed is what was added, and chunks with memory of their own are freed', () => {
	const chunks = chunksOf([65_536, 65_536, 9000])
	const added = Buffer.concat(chunks)
	const neighbours = new Uint8Array(20_000)
	const collector = createByteCollector()
	for (const chunk of chunks) collector.add(chunk)
	collector.add(neighbours.subarray(0, 10_000))
	expect(collector.consume((bytes) => added.equals(bytes.subarray(0, added.length)))).toBe(true)
	expect(chunks.map(({ byteLength }) => byteLength)).toEqual([0, 0, 0])
	expect(neighbours.byteLength).toBe(20_000)
})

test.each([
	['single bytes', [1], 20_000],
	['small parts of large buffers', [100], 500_000],
	['single bytes between larger chunks', [4096, 1], 4_000_000],
	['large chunks', [65_536], 8_000_000],
])('of %s, about twice the memory is taken at most', (_, sizes, total) => {
	setFlagsFromString('--expose-gc')
	const collect: unknown = runInNewContext('gc')
	const held = () => {
		// The first frees the memory of buffers in the background, and the second waits for that.
		for (let i = 0; i < 2; i++) if (typeof collect === 'function') collect()
		return process.memoryUsage().arrayBuffers
	}
	const before = held()
	const collector = createByteCollector()
	let added = 0
	for (let i = 0; added < total; i++) {
		const length = sizes[i % sizes.length] ?? 0
		// A small chunk as a socket hands it over: in a buffer for all that could have come.
		collector.add(new Uint8Array(length < 4096 ? 65_536 : length).subarray(0, length))
		added += length
	}
	expect(held() - before).toBeLessThan(2 * added + 2 * 65_536)
	expect(collector.read((bytes) => bytes.byteLength)).toBe(added)
})
