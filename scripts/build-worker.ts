/** Builds the Worker's bundle offline, and tells its size: `npm run build:worker`. DRAGOMAN_CONFIG names another configuration. */
import { execFile } from 'node:child_process'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import * as v from 'valibot'
import { checkWrangler, wranglerToml } from './check-wrangler.ts'
import { bundleWorker } from './worker-bundle.ts'

/** Milliseconds of processor time to start the module. */
const startBudget = 20
/**
 * Milliseconds that work which is always the same takes on the machine that the budget is meant for, when it is idle. What
 * is measured is told in its proportion: another machine, or one that is busy, needs more for both.
 */
const sameWork = 22
const tries = 12
/** Bytes, compressed: far below what Cloudflare allows, so that what makes it grow is noticed. */
const budget = 80_000

const Times = v.object({ start: v.number(), same: v.number() })

const mistakes = checkWrangler(wranglerToml())
for (const mistake of mistakes) console.error(`wrangler.toml: ${mistake}`)
if (mistakes.length > 0) process.exit(1)

const { DRAGOMAN_CONFIG: config } = process.env
const folder = fileURLToPath(new URL('../.wrangler/build', import.meta.url))
const { bytes, gzip } = await bundleWorker(folder, config && resolve(config))
const start = await startTime(join(folder, 'index.js'))
console.log(`${folder}/index.js`)
console.log(`  ${bytes} bytes, ${gzip} compressed of at most ${budget}`)
console.log(`  ${start.toFixed(1)} ms to start of at most ${startBudget}`)
if (gzip > budget || start > startBudget) {
	console.error('The bundle is over its budget.')
	process.exitCode = 1
}

async function startTime(file: string): Promise<number> {
	const script = fileURLToPath(new URL('worker-start.ts', import.meta.url))
	const least = { start: Number.POSITIVE_INFINITY, same: Number.POSITIVE_INFINITY }
	for (let i = 0; i < tries; i++) {
		const { stdout } = await promisify(execFile)(process.execPath, [script, file], { timeout: 30_000 })
		const { start, same } = v.parse(Times, JSON.parse(stdout))
		// What else the machine does only ever adds to it.
		least.start = Math.min(least.start, start)
		least.same = Math.min(least.same, same)
	}
	return (least.start / least.same) * sameWork
}
