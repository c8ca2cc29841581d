/** Reads the file `.env` beside the configuration: variables for development, in which those of the process win. */
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { parseEnv } from 'node:util'
import { ConfigError, type Environment } from '../config/index.ts'

/** The environment with what `.env` adds to it. */
export interface FilledEnvironment {
	readonly env: Environment
	/** Path of the `.env` that was read. Absent: there is none. */
	readonly envFile?: string
}

/** Path of the `.env` that belongs to a configuration. */
export function dotenvOf(configFile: string): string {
	return join(dirname(configFile), '.env')
}

/** Adds the variables of `.env` that are not set. Rejects with a ConfigError if the file is there and cannot be read. */
export async function readDotenv(configFile: string, env: Environment): Promise<FilledEnvironment> {
	const envFile = dotenvOf(configFile)
	const text = await readFile(envFile, 'utf8').catch((cause: NodeJS.ErrnoException) => {
		if (cause.code === 'ENOENT' || cause.code === 'ENOTDIR') return undefined
		throw new ConfigError([`${envFile} cannot be read (${cause.code}). Correct its permissions, or remove it.`])
	})
	if (text === undefined) return { env }
	return { env: { ...parseEnv(text), ...env }, envFile }
}
