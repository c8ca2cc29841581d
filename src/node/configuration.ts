/** What a command needs of a configuration: the file itself, its `.env`, and the adapters of its own that it names. */
import { adapters as shipped } from '../../adapters/index.ts'
import { ConfigError, type Environment, type GatewaySettings, readConfig } from '../config/index.ts'
import type { AdapterFactory } from '../format/index.ts'
import { demo } from '../upstream/index.ts'
import { readConfigFile } from './config-file.ts'
import { dotenvOf, type FilledEnvironment, readDotenv } from './dotenv.ts'
import { loadOwnAdapters, type OwnAdapter } from './own-adapters.ts'

/** A configuration as it was read, not yet checked. */
export interface Configuration extends FilledEnvironment {
	readonly file: string
	readonly json: unknown
	/** All that come with the gateway, and those that the configuration names. */
	readonly adapters: readonly AdapterFactory[]
	/** Where the latter are from. */
	readonly own: readonly OwnAdapter[]
	/** Why some could not be loaded. */
	readonly mistakes: readonly string[]
	/** Every file that it depends on, whether it is there or not. */
	readonly files: readonly string[]
}

/** Reads the file, its `.env` and its adapters. Rejects with a ConfigError if one of the two files cannot be read. */
export async function loadConfiguration(file: string, processEnv: Environment): Promise<Configuration> {
	const json = await readConfigFile(file)
	const filled = await readDotenv(file, processEnv)
	const { own, mistakes, files } = await loadOwnAdapters(
		json,
		file,
		shipped.map(({ name }) => name),
	)
	const adapters = [...shipped, ...own.map(({ factory }) => factory)]
	return { file, json, ...filled, own, mistakes, adapters, files: [file, dotenvOf(file), ...files] }
}

/** Throws a ConfigError with everything that is wrong with a configuration if its adapters could not be loaded. */
export function requireLoaded(configuration: Configuration, loopback: boolean): void {
	if (configuration.mistakes.length === 0) return
	const checked = checkConfiguration(configuration, loopback)
	if ('mistakes' in checked) throw new ConfigError(checked.mistakes, checked.unset)
}

/** What checking a configuration found: all mistakes, or else what the gateway would run with. */
export type Checked =
	| { readonly settings: GatewaySettings }
	| {
			readonly mistakes: readonly string[]
			/** The mistakes that say that an environment variable is not set. */
			readonly unset: readonly string[]
	  }

/** Checks a configuration as the start does. `loopback`: the gateway listens on this machine only. */
export function checkConfiguration(
	{ json, adapters, env, mistakes }: Pick<Configuration, 'json' | 'adapters' | 'env' | 'mistakes'>,
	loopback: boolean,
): Checked {
	try {
		const settings = readConfig(json, { adapters, env, loopback, demo })
		return mistakes.length === 0 ? { settings } : { mistakes, unset: [] }
	} catch (thrown) {
		if (!(thrown instanceof ConfigError)) throw thrown
		return { mistakes: [...mistakes, ...thrown.mistakes], unset: thrown.unset }
	}
}
