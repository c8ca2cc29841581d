/** What is known of a gateway from outside: whether it is well, its memory, its sockets. */
import { readFileSync, writeFileSync } from 'node:fs'
import { excerpt } from './behaviours.ts'
import type { Started } from './gateway.ts'

/** What broke in it, one sentence each: it ended, it failed by a fault of its own, or it told what an upstream said. */
export function faultsOf({ process, lines, written }: Started): string[] {
	const own = lines.filter(({ msg, error }) => msg === 'uncaught' || error === 'internal')
	const faults: string[] = []
	if (process.exitCode !== null || process.signalCode !== null)
		faults.push(`the gateway ended (${process.exitCode ?? process.signalCode})`)
	if (own.length > 0) faults.push(`${own.length} faults of the gateway's own, the first: ${JSON.stringify(own[0])}`)
	if (written().includes(excerpt)) faults.push('words of the upstream stand in the log')
	return faults
}

/** The kernel's figures of a process, as proc(5) has them. */
function statusOf({ process }: Started, name: string): number {
	const line = readFileSync(`/proc/${process.pid}/status`, 'utf8').match(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm'))
	return Number(line?.[1]) / 1024
}

/** Megabytes of memory in use now. */
function memoryOf(gateway: Started): number {
	return statusOf(gateway, 'VmRSS')
}

/** Begins to watch its memory; the megabytes by which it grew at most since then. */
export function watchMemory(gateway: Started): () => number {
	// Resets the peak: proc_pid_clear_refs(5).
	writeFileSync(`/proc/${gateway.process.pid}/clear_refs`, '5')
	const before = memoryOf(gateway)
	return () => statusOf(gateway, 'VmHWM') - before
}

/** Seconds that its slowest turn took by its own log: whoever calls it on a busy machine reads the answer later. */
export function slowestTurn({ lines }: Started): number {
	return Math.max(...lines.filter(({ msg }) => msg === 'turn').map(({ ms }) => Number(ms))) / 1000
}

/** Megabytes that it has read so far, from wherever. */
export function readBy({ process }: Started): number {
	return Number(/^rchar: (\d+)$/m.exec(readFileSync(`/proc/${process.pid}/io`, 'utf8'))?.[1]) / 1024 / 1024
}

/** Connections of callers that it has taken and not closed: proc(5), /proc/net/tcp. One that waits to be taken has no inode. */
export function heldBy({ url }: Started): number {
	const own = `:${Number(new URL(url).port).toString(16).toUpperCase().padStart(4, '0')}`
	const lines = readFileSync('/proc/net/tcp', 'utf8').split('\n').slice(1)
	const fields = lines.map((line) => line.trim().split(/\s+/))
	// Established, or ended by the caller alone.
	return fields.filter(([, local, , state, , , , , , inode]) => {
		return local?.endsWith(own) && (state === '01' || state === '08') && inode !== '0'
	}).length
}

/** A rule that a figure of time or memory did not keep, as `missed` has it; nothing when it did. */
export function over(figure: number, limit: number, what: (figure: string) => string): string[] {
	return figure <= limit ? [] : [what(figure.toFixed(1))]
}
