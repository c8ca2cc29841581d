/**
 * Binds a socket and runs the gateway on it, again and again, as a supervisor does: `holder.ts HOST-OR-PATH`. Tells the
 * port, then each process that runs and how it ended. Ends when one ends by itself with anything but 0.
 */
import { spawnSync } from 'node:child_process'
import { writeSync } from 'node:fs'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'

const [at = '127.0.0.1', command = 'LISTEN_PID=$$ LISTEN_FDS=1'] = process.argv.slice(2)
const main = fileURLToPath(new URL('../../src/node/main.ts', import.meta.url))
const tell = (line: string) => writeSync(1, `${line}\n`)

const server = createServer()
server.listen(at.startsWith('/') ? { path: at } : { host: at, port: 0 }, () => {
	const address = server.address()
	const descriptor: unknown = Reflect.get(Reflect.get(server, '_handle'), 'fd')
	if (typeof descriptor !== 'number') throw new Error('the socket has a descriptor')
	tell(`port ${typeof address === 'object' ? address?.port : 0}`)
	// Without a turn of the event loop, so that nobody is ever accepted here.
	for (;;) {
		const script = `echo "pid $$"; ${command} exec "$@"`
		const { status, signal } = spawnSync('sh', ['-c', script, 'sh', process.execPath, main], {
			stdio: ['ignore', 'inherit', 'inherit', descriptor],
		})
		tell(`ended ${signal ?? status}`)
		if (status) process.exit(status)
	}
})
