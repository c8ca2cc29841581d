/** Reads the configuration of a running gateway again: when somebody asks, or when one of its files changes. */
import { relative } from 'node:path'
import { ConfigError } from '../config/index.ts'
import { type Configuration, requireLoaded } from './configuration.ts'
import type { Gateway } from './serve.ts'
import { watchFiles } from './watch-files.ts'

/** What is reloaded, and from where. */
interface Reloading {
	readonly gateway: Gateway
	/** Whether the gateway listens on this machine only. */
	readonly loopback: boolean
	/** Reads the files. */
	load(): Promise<Configuration>
	/** The configuration of the start, whose files are watched from now on. Absent: nothing is watched. */
	readonly watched?: Configuration | undefined
}

/**
 * Returns what reloads; calls never overlap. What is wrong is a line of the log, and changes nothing. While files are
 * watched, standard error says which of them changed, and that the old configuration goes on.
 */
export function createReload({ gateway, loopback, load, watched }: Reloading): () => void {
	const follow =
		watched &&
		watchFiles((files) => {
			console.error(`Changed: ${files.map((file) => relative('', file)).join(', ')}`)
			reload()
		})
	const apply = async (): Promise<void> => {
		try {
			const configuration = await load()
			// Also of a wrong one: the mistake may be in a new file.
			follow?.(configuration.files)
			requireLoaded(configuration, loopback)
			gateway.reload(configuration.json, configuration)
		} catch (thrown) {
			const mistakes = thrown instanceof ConfigError ? thrown.mistakes : undefined
			const cause = mistakes || !(thrown instanceof Error) ? undefined : thrown.stack
			gateway.runtime.log({ level: 'error', msg: 'reload', mistakes, cause })
			if (follow) console.error('The gateway goes on with the configuration that it had.')
		}
	}
	let last = Promise.resolve()
	const reload = (): void => {
		last = last.then(apply)
	}
	if (watched) follow?.(watched.files)
	return reload
}
