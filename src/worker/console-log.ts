/** The log of a Worker: JSON lines on the console, which Workers Logs collects. */
import { rfc3339 } from '../rfc3339.ts'
import type { LogLine } from '../runtime.ts'

/** Writes a log line to the console. */
export function log({ level, msg, ...fields }: LogLine): void {
	console.log(JSON.stringify({ level, time: rfc3339(Date.now()), msg, ...fields }))
}
