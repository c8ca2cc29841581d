/** Checks the configuration that `npm run build:worker` is about to bundle, and finds the adapters that it needs. */
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from 'smol-toml'
import * as v from 'valibot'
import { adapters } from '../adapters/index.ts'
import { Config, ConfigError, type Environment, readConfig } from '../src/config/index.ts'
import type { AdapterFactory } from '../src/format/index.ts'
import { readConfigFile } from '../src/node/config-file.ts'
import { demo } from '../src/upstream/index.ts'

const Wrangler = v.object({ alias: v.object({ '#gateway-config': v.string() }) })

/** The path of the configuration file that a wrangler.toml in the root of the project names. */
export function configFileOf(toml: string): string {
	const root = fileURLToPath(new URL('..', import.meta.url))
	return resolve(root, v.parse(Wrangler, parse(toml)).alias['#gateway-config'])
}

/** The mistakes of a configuration, as the Worker would log them. Ignores environment variables that are not set yet. */
export async function checkWorkerConfig(file: string, env: Environment): Promise<readonly string[]> {
	try {
		readConfig(await readConfigFile(file), { adapters, env, loopback: false, demo })
		return []
	} catch (thrown) {
		if (!(thrown instanceof ConfigError)) throw thrown
		return thrown.mistakes.filter((mistake) => !thrown.unset.includes(mistake))
	}
}

/** The adapters that a valid configuration names, for platforms and for upstreams, and the default of upstreams. */
export async function adaptersOf(file: string): Promise<readonly AdapterFactory[]> {
	const { upstream, routes } = v.parse(Config, await readConfigFile(file))
	const named = new Set([
		...['canonical', upstream?.adapter],
		...routes.flatMap((route) => [route.platform, route.upstream?.adapter].flat()),
	])
	return adapters.filter(({ name }) => named.has(name))
}
