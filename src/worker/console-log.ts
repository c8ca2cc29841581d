/** The log of a Worker: JSON lines on the console, which Workers Logs collects. */
import type { LogLine } from '../runtime.ts'

/** Writes a log line to the console. */
export function log({ level, msg, ...fields }: LogLine): void {
	console.log(JSON.stringify({ level, time: new Date().toISOString(), msg, ...fields }))
}
