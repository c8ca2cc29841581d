/** Reads the configuration file, and reports where it is not JSON without repeating its content. */
import { readFile } from 'node:fs/promises'
import { ConfigError } from '../config/index.ts'
import { writtenCommand } from './written-command.ts'

/** What people use in configuration files, because other JSON parsers allow it. */
const notAllowed = 'Comments and trailing commas are not allowed.'

/** The parsed file. Rejects with a ConfigError if it cannot be read or is not JSON. */
export async function readConfigFile(file: string): Promise<unknown> {
	const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
		const why = cause.code === 'ENOENT' ? 'does not exist' : `cannot be read (${cause.code})`
		throw new ConfigError([`${file} ${why}. Make one with "${writtenCommand('init')}", or name another with --config.`])
	})
	try {
		return JSON.parse(text)
	} catch (cause) {
		throw new ConfigError([`${file} is not JSON${describePosition(cause, text)}. ${notAllowed}`])
	}
}

// The parser's own message quotes the text, which may contain a secret.
function describePosition(cause: unknown, text: string): string {
	const position = /at position (\d+)/.exec(String(cause))?.[1]
	if (position === undefined) return ''
	const before = text.slice(0, Number(position)).split('\n')
	return `: line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`
}
