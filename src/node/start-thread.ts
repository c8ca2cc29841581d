/** Starts programs of the gateway in threads of their own. */
import { Worker } from 'node:worker_threads'

/**
 * Starts the program at this path below src/node/, without an extension, in a thread. Of the environment, which holds
 * secrets, it gets only where Node keeps compiled code. Without that, it would compile everything again.
 */
export function startThread(path: string, name: string, workerData: unknown): Worker {
	const { NODE_COMPILE_CACHE } = process.env
	const env = NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE }
	return new Worker(programFile(path), { name, workerData, env, execArgv: [] })
}

/** The package has the programs at the same places in dist/. */
function programFile(path: string): URL {
	// TypeScript runs in a clone only. In the package, this code is in a file that several programs share.
	const file = import.meta.url.endsWith('.ts') ? `src/node/${path}.ts` : `dist/src/node/${path}.js`
	return new URL(file, import.meta.resolve('dragoman/package.json'))
}
