/** Checks the configuration that `npm run build:worker` is about to bundle, and finds what the bundle must contain for it. */
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from 'smol-toml'
import * as v from 'valibot'
import { Config, ConfigError, type Environment } from '../src/config/index.ts'
import { checkConfiguration, loadConfiguration } from '../src/node/configuration.ts'
import type { BundledParts } from './worker-bundle.ts'

const Wrangler = v.object({ alias: v.object({ '#gateway-config': v.string() }) })

/** The path of the configuration file that a wrangler.toml in the root of the project names. */
export function configFileOf(toml: string): string {
	const root = fileURLToPath(new URL('..', import.meta.url))
	return resolve(root, v.parse(Wrangler, parse(toml)).alias['#gateway-config'])
}

/** The mistakes that `dragoman check` finds. Ignores environment variables that are not set yet. */
export async function checkWorkerConfig(file: string, env: Environment): Promise<readonly string[]> {
	try {
		const checked = checkConfiguration(await loadConfiguration(file, env), false)
		if ('settings' in checked) return []
		return checked.mistakes.filter((mistake) => !checked.unset.includes(mistake))
	} catch (thrown) {
		if (!(thrown instanceof ConfigError)) throw thrown
		return thrown.mistakes
	}
}

/** Finds what a valid configuration needs. Of the adapters: those of its platforms and upstreams, and the default of upstreams. */
export async function partsOf(file: string): Promise<BundledParts> {
	const { json, adapters, own } = await loadConfiguration(file, {})
	const { upstream, routes, replyUrl } = v.parse(Config, json)
	const named = new Set([
		...['canonical', upstream?.adapter],
		...routes.flatMap((route) => [route.platform, route.upstream?.adapter].flat()),
	])
	return { adapters: adapters.filter(({ name }) => named.has(name)), own, replyUrls: replyUrl !== undefined }
}
