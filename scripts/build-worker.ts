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
import { checkWorkerConfig, configFileOf, partsOf } from './check-worker-config.ts'
import { checkWrangler, wranglerToml } from './check-wrangler.ts'
import { bundleWorker } from './worker-bundle.ts'

/** Milliseconds of processor time to start the module, which grows with its size. */
const startBudget = 26
/** The same for a Worker with one platform. */
const leastStartBudget = 20
/**
 * Milliseconds that a fixed piece of work takes on the idle machine for which the budget was set. The measured time is
 * scaled by it, because a slower or busier machine needs more for both.
 */
const sameWork = 22
const tries = 12
/** Bytes, compressed: far below Cloudflare's limit, so that growth is noticed. */
const budget = 96_000
/** What URLs for replies may add to it. */
const replyUrlsBudget = 9_500
/** The same for a Worker with one platform: what every Worker has. */
const leastBudget = 80_000

const Times = v.object({ start: v.number(), same: v.number() })

const toml = wranglerToml()
const config = resolve(process.env.DRAGOMAN_CONFIG || configFileOf(toml))
const mistakes = [
	...checkWrangler(toml).map((mistake) => `wrangler.toml: ${mistake}`),
	...(await checkWorkerConfig(config, process.env)).map((mistake) => `configuration: ${mistake}`),
]
for (const mistake of mistakes) console.error(mistake)
if (mistakes.length > 0) process.exit(1)

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = join(root, '.wrangler/build')
const onePlatform = join(root, 'config/one-platform.json')
const parts = await partsOf(config)
const most = budget + (parts.replyUrls ? replyUrlsBudget : 0)
const [deployed, least] = await Promise.all([
	bundleWorker(folder, config, parts),
	bundleWorker(join(root, '.wrangler/one-platform'), onePlatform, await partsOf(onePlatform)),
])
const start = await startTime(join(folder, 'index.js'))
const leastStart = await startTime(join(root, '.wrangler/one-platform/index.js'))
console.log(`${folder}/index.js`)
console.log(`  ${deployed.bytes} bytes; ${deployed.gzip} compressed, limit ${most}`)
console.log(`  ${start.toFixed(1)} ms to start, limit ${startBudget}`)
console.log(`  with the platform of config/one-platform.json: ${least.gzip} compressed, limit ${leastBudget}`)
console.log(`  ${leastStart.toFixed(1)} ms to start, limit ${leastStartBudget}`)
const isTooLarge = deployed.gzip > most || least.gzip > leastBudget
if (isTooLarge || start > startBudget || leastStart > leastStartBudget) {
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
