/** Checks the configuration that `npm run build:worker` is about to bundle, and finds the adapters that it needs. */
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from 'smol-toml'
import * as v from 'valibot'
import { Config, ConfigError, type Environment } from '../src/config/index.ts'
import type { AdapterFactory } from '../src/format/index.ts'
import { checkConfiguration, loadConfiguration } from '../src/node/configuration.ts'
import type { OwnAdapter } from '../src/node/own-adapters.ts'

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

/** What a Worker's bundle needs of the adapters. */
interface NeededAdapters {
	/** Those that a valid configuration names, for platforms and for upstreams, and the default of upstreams. */
	readonly adapters: readonly AdapterFactory[]
	/** Where those are from that the configuration loads. */
	readonly own: readonly OwnAdapter[]
}

/** Finds the adapters that a valid configuration needs. */
export async function adaptersOf(file: string): Promise<NeededAdapters> {
	const { json, adapters, own } = await loadConfiguration(file, {})
	const { upstream, routes } = v.parse(Config, json)
	const named = new Set([
		...['canonical', upstream?.adapter],
		...routes.flatMap((route) => [route.platform, route.upstream?.adapter].flat()),
	])
	return { adapters: adapters.filter(({ name }) => named.has(name)), own }
}
