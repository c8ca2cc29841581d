/** A gateway’s process seen from outside: whether it is well, its memory, its sockets. */
import { readFileSync, writeFileSync } from 'node:fs'
import type { WireResponse } from '../../src/format/index.ts'
import type { GatewayProcess, ProcessOptions } from '../harness/gateway.ts'
import { header } from '../harness/http.ts'
import { until } from '../until.ts'
import { excerpt } from './turns.ts'

/** What went wrong, one sentence each: the process ended, had an internal error, or logged text of an upstream. */
export function faultsOf({ process, lines, written }: GatewayProcess): string[] {
	const own = lines.filter(({ msg, error }) => msg === 'uncaught' || error === 'internal')
	const faults: string[] = []
	if (process.exitCode !== null || process.signalCode !== null)
		faults.push(`the gateway ended (${process.exitCode ?? process.signalCode})`)
	if (own.length > 0) faults.push(`${own.length} faults of the gateway's own, the first: ${JSON.stringify(own[0])}`)
	if (written().includes(excerpt)) faults.push('the log contains text of the upstream')
	return faults
}

/** A field of /proc/PID/status in megabytes: proc_pid_status(5). */
function statusOf({ process }: GatewayProcess, name: string): number {
	const line = readFileSync(`/proc/${process.pid}/status`, 'utf8').match(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm'))
	return Number(line?.[1]) / 1024
}

/** Makes a process tell what it keeps, for `keptBy`. */
export const tellsKept: Pick<ProcessOptions, 'node' | 'preload'> = {
	node: ['--expose-gc'],
	preload: `process.on('SIGUSR2', () => {
		gc()
		const { heapUsed, external } = process.memoryUsage()
		console.error('kept', heapUsed + external)
	})`,
}

/** Collects garbage in a gateway that `tellsKept`, and resolves with the megabytes that are left, buffers included. */
export async function keptBy({ process, written }: GatewayProcess): Promise<number> {
	const told = () => [...written().matchAll(/^kept (\d+)$/gm)]
	const before = told().length
	process.kill('SIGUSR2')
	await until(() => told().length > before, 10_000)
	return Number(told().at(-1)?.[1]) / 1024 / 1024
}

/** Starts to watch memory. The function returns the maximum growth since then in megabytes. */
export function watchMemory(gateway: GatewayProcess): () => number {
	// Resets the peak: proc_pid_clear_refs(5).
	writeFileSync(`/proc/${gateway.process.pid}/clear_refs`, '5')
	const before = statusOf(gateway, 'VmRSS')
	return () => statusOf(gateway, 'VmHWM') - before
}

/** Seconds of the slowest turn according to the log. On a busy machine the client reads the answer later. */
export function slowestTurn({ lines }: GatewayProcess): number {
	return Math.max(...lines.filter(({ msg }) => msg === 'turn').map(({ ms }) => Number(ms))) / 1000
}

/** Kilobytes that the process has read so far, from any source. */
export function readBy({ process }: GatewayProcess): number {
	return Number(/^rchar: (\d+)$/m.exec(readFileSync(`/proc/${process.pid}/io`, 'utf8'))?.[1]) / 1024
}

/** Accepted connections that are not closed. A connection that waits to be accepted has no inode. */
export function heldBy({ url }: GatewayProcess): number {
	// Established, or closed by the client only.
	return connections().filter(
		({ local, state, inode }) => local === portOf(url) && (state === '01' || state === '08') && inode !== '0',
	).length
}

/** Sockets of this machine that are connected to a server, or try to be. */
export function socketsTo(url: string): number {
	// What is closed on both sides, and only remembered by the system, is none.
	return connections().filter(({ remote, state }) => remote === portOf(url) && state !== '06').length
}

/** The TCP sockets of this machine, each with the ports of both sides: proc(5), /proc/net/tcp. */
function connections() {
	const lines = readFileSync('/proc/net/tcp', 'utf8').trim().split('\n').slice(1)
	return lines.map((line) => {
		const [, local = '', remote = '', state, , , , , , inode] = line.trim().split(/\s+/)
		const port = (address: string) => Number.parseInt(address.split(':')[1] ?? '', 16)
		return { local: port(local), remote: port(remote), state, inode }
	})
}

function portOf(url: string): number {
	return Number(new URL(url).port)
}

/** What is wrong with an answer of a gateway that may reject excess calls. */
export function answeredOrRefused(answer: WireResponse): string | undefined {
	if (answer.status === 503 && header(answer, 'retry-after') === undefined) return '503 without Retry-After'
	return answer.status === 200 || answer.status === 503 ? undefined : `status ${answer.status}`
}
