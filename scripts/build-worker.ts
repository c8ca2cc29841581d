/** Builds the Worker's bundle offline, and tells its size: `npm run build:worker`. DRAGOMAN_CONFIG names another configuration. */
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { checkWrangler, wranglerToml } from './check-wrangler.ts'
import { bundleWorker } from './worker-bundle.ts'

/** Bytes, compressed: far below what Cloudflare allows, so that what makes it grow is noticed. */
const budget = 80_000

const mistakes = checkWrangler(wranglerToml())
for (const mistake of mistakes) console.error(`wrangler.toml: ${mistake}`)
if (mistakes.length > 0) process.exit(1)

const { DRAGOMAN_CONFIG: config } = process.env
const folder = fileURLToPath(new URL('../.wrangler/build', import.meta.url))
const { bytes, gzip } = await bundleWorker(folder, config && resolve(config))
console.log(`${folder}/index.js: ${bytes} bytes, ${gzip} compressed, of ${budget}`)
if (gzip > budget) {
	console.error(`The bundle is over its budget of ${budget} bytes compressed.`)
	process.exitCode = 1
}
