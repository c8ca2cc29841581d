/** The load: as many turns as go through in some seconds, from a process of its own. */
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import * as v from 'valibot'
import { has } from '../test/tools.ts'

/** What came of a load. Times of calls are in milliseconds. */
const Loaded = v.object({
	turns: v.number(),
	failed: v.number(),
	seconds: v.number(),
	p50: v.number(),
	p99: v.number(),
})
export type Loaded = v.InferOutput<typeof Loaded>

/** The program that makes the load. */
export const generator = has('wrk') ? 'wrk' : 'autocannon'

const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url))

/** Calls a URL with the call in a file, on this many connections. Throws when a turn fails. */
export async function load(url: string, file: string, connections: number, seconds: number): Promise<Loaded> {
	// No run repeats the ids of another.
	const run = randomBytes(4).toString('hex')
	const [program, ...args] =
		generator === 'wrk'
			? [
					'wrk',
					'-t1',
					`-c${connections}`,
					`-d${seconds}s`,
					'--timeout=30s',
					'-s',
					here('load.lua'),
					url,
					'--',
					file,
					run,
				]
			: [process.execPath, here('peers/load.mjs'), url, connections, seconds, file, run]
	const { stdout } = await promisify(execFile)(String(program), args.map(String), { timeout: seconds * 1000 + 40_000 })
	const loaded = v.parse(Loaded, JSON.parse(stdout.trim().split('\n').at(-1) ?? ''))
	if (loaded.failed > 0 || loaded.turns === 0) throw new Error(`${loaded.failed} of ${loaded.turns} turns failed`)
	return loaded
}
