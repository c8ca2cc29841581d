/** How long the event loop of this process is blocked. */
import { setImmediate as nextTurn } from 'node:timers/promises'

/**
 * Runs a function, and measures the longest time between two turns of the event loop until its promise settles, in
 * milliseconds. Time in which this thread had no core is not counted, so other processes do not change the figure.
 */
export async function longestBlock<T>(act: () => Promise<T>): Promise<{ readonly block: number; readonly result: T }> {
	let block = 0
	let over = false
	await nextTurn()
	let [wall, cpu] = [performance.now(), threadTime()]
	const measure = (): void => {
		const [wallNow, cpuNow] = [performance.now(), threadTime()]
		block = Math.max(block, Math.min(wallNow - wall, cpuNow - cpu))
		;[wall, cpu] = [wallNow, cpuNow]
	}
	const look = (): void => {
		measure()
		if (!over) setImmediate(look)
	}
	setImmediate(look)
	try {
		const result = await act()
		measure()
		return { block, result }
	} finally {
		over = true
	}
}

/** Milliseconds of CPU time that this thread has used. */
export function threadTime(): number {
	const { user, system } = process.threadCpuUsage()
	return (user + system) / 1000
}

/**
 * The mean time of some runs, in milliseconds of CPU time of this thread, so that other processes do not count. The
 * runs last long enough for the clock, whose steps are of milliseconds, and for what is compiled or collected meanwhile to
 * matter little.
 */
export function timeOf(run: () => void): number {
	const from = threadTime()
	let runs = 0
	do {
		run()
		runs++
	} while (threadTime() - from < 15)
	return (threadTime() - from) / runs
}
