/** The log of a Worker: one line of JSON on the console, where Workers Logs reads it. */
import type { LogLine } from '../runtime.ts'

export function log({ level, msg, ...fields }: LogLine): void {
	console.log(JSON.stringify({ level, time: new Date().toISOString(), msg, ...fields }))
}
