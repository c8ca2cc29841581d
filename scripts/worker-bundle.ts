/** Builds the bundle of the Worker, offline: wrangler bundles it, and oxc minifies it. */
import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { minify } from 'vite'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Keeps wrangler from contacting other machines. */
export const quiet = {
	CLOUDFLARE_CF_FETCH_ENABLED: 'false',
	WRANGLER_SEND_METRICS: 'false',
	WRANGLER_HIDE_BANNER: 'true',
}

export interface Bundle {
	/** The module, minified. */
	readonly code: string
	/** Its size in bytes, uncompressed, and compressed as Cloudflare counts it. */
	readonly bytes: number
	readonly gzip: number
}

/** Builds the bundle in a folder; `config` is a file to use in place of the configuration in wrangler.toml. */
export async function bundleWorker(folder: string, config?: string): Promise<Bundle> {
	const alias = config === undefined ? [] : ['--alias', `#gateway-config:${config}`]
	const wrangler = join(root, 'node_modules/wrangler/bin/wrangler.js')
	const args = ['deploy', '--dry-run', '--outdir', folder, ...alias]
	await promisify(execFile)(process.execPath, [wrangler, ...args], {
		cwd: root,
		env: { ...process.env, ...quiet },
		timeout: 100_000,
	})
	const file = join(folder, 'index.js')
	// Not wrangler's own minifier: with the names that oxc chooses, the bundle is 3 % smaller when compressed.
	const { code, errors } = await minify(file, await readFile(file, 'utf8'), {
		module: true,
		compress: { target: 'es2024' },
	})
	if (errors[0]) throw errors[0]
	await writeFile(file, code)
	return { code, bytes: Buffer.byteLength(code), gzip: gzipSync(code).length }
}
