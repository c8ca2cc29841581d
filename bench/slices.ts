/** Measures several subjects in turn, in short slices of work: whatever slows the machine for a while slows all of them. */
import type { Socket } from 'node:net'
import { type Spread, spreadOf } from './compare.ts'
import { sendAll } from './connections.ts'
import { busyMicroseconds } from './processes.ts'

/** A subject of a comparison. */
export interface Subject {
	readonly id: string
	/** Does a slice of its work, and returns the microseconds of CPU that a turn took. */
	take(): Promise<number>
}

/** How many slices of work each subject does. */
export interface Slices {
	/** Not measured: its code is being compiled. */
	readonly warm: number
	readonly measured: number
}

/** Microseconds of CPU that a turn of each subject takes, by its id. */
export async function inSlices(
	subjects: readonly Subject[],
	{ warm, measured }: Slices,
): Promise<ReadonlyMap<string, Spread>> {
	const micros = new Map<string, number[]>(subjects.map(({ id }) => [id, []]))
	for (let n = -warm; n < measured; n++) {
		for (const { id, take } of n % 2 === 0 ? subjects : subjects.toReversed()) {
			const taken = await take()
			if (n >= 0) micros.get(id)?.push(taken)
		}
	}
	return new Map([...micros].map(([id, taken]) => [id, spreadOf(taken)]))
}

/** Sends calls to a process, and returns the microseconds of CPU that it took for each, on average. */
export async function cpuOf(pid: number, sockets: readonly Socket[], calls: readonly Buffer[]): Promise<number> {
	const before = busyMicroseconds(pid)
	await sendAll(sockets, calls)
	return (busyMicroseconds(pid) - before) / calls.length
}
