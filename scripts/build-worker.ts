/**
 * Builds the Worker's bundle offline, as it is to be deployed, and checks its configuration, size and start-up time:
 * `npm run build:worker`.
 * DRAGOMAN_CONFIG names another configuration.
 */
import { execFile } from 'node:child_process'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import * as v from 'valibot'
import { checkWorkerConfig, configFileOf } from './check-worker-config.ts'
import { checkWrangler, wranglerToml } from './check-wrangler.ts'
import { bundleWorker } from './worker-bundle.ts'

/** Milliseconds of processor time to start the module. */
const startBudget = 20
/**
 * Milliseconds that a fixed piece of work takes on the idle machine for which the budget was set. The measured time is
 * scaled by it, because a slower or busier machine needs more for both.
 */
const sameWork = 22
const tries = 12
/** Bytes, compressed: far below Cloudflare's limit, so that growth is noticed. */
const budget = 80_000

const Times = v.object({ start: v.number(), same: v.number() })

const toml = wranglerToml()
const config = process.env.DRAGOMAN_CONFIG && resolve(process.env.DRAGOMAN_CONFIG)
const mistakes = [
	...checkWrangler(toml).map((mistake) => `wrangler.toml: ${mistake}`),
	...(await checkWorkerConfig(config || configFileOf(toml), process.env)).map((mistake) => `configuration: ${mistake}`),
]
for (const mistake of mistakes) console.error(mistake)
if (mistakes.length > 0) process.exit(1)

const folder = fileURLToPath(new URL('../.wrangler/build', import.meta.url))
const { bytes, gzip } = await bundleWorker(folder, config)
const start = await startTime(join(folder, 'index.js'))
console.log(`${folder}/index.js`)
console.log(`  ${bytes} bytes; ${gzip} compressed, limit ${budget}`)
console.log(`  ${start.toFixed(1)} ms to start, limit ${startBudget}`)
if (gzip > budget || start > startBudget) {
	console.error('The bundle exceeds its limits.')
	process.exitCode = 1
}

async function startTime(file: string): Promise<number> {
	const script = fileURLToPath(new URL('worker-start.ts', import.meta.url))
	const least = { start: Number.POSITIVE_INFINITY, same: Number.POSITIVE_INFINITY }
	for (let i = 0; i < tries; i++) {
		const { stdout } = await promisify(execFile)(process.execPath, [script, file], { timeout: 30_000 })
		const { start, same } = v.parse(Times, JSON.parse(stdout))
		// Other load on the machine can only add to it.
		least.start = Math.min(least.start, start)
		least.same = Math.min(least.same, same)
	}
	return (least.start / least.same) * sameWork
}
