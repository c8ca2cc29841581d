/** P6: from the start of the process to its first answer, and the memory of a gateway with nothing to do. */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { program } from '../test/harness/gateway.ts'
import { send } from '../test/harness/http.ts'
import { folder } from '../test/harness/scope.ts'
import { type Spread, spreadOf } from './compare.ts'
import { type Experiment, round, type Trial } from './experiment.ts'
import { residentBytes, run } from './processes.ts'
import { spread } from './turns.ts'
import { call, route, secrets, target } from './work.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Starts of each. */
const times = 9

/** Milliseconds in which a process comes to rest. */
const rest = 500

const emptyServer = `
	import { createServer } from 'node:http'
	createServer((_, response) => response.end()).listen(0, '127.0.0.1', function () {
		console.error('Listening on http://127.0.0.1:' + this.address().port)
	})
`

export const starting: Experiment = {
	...{ id: 'P6', title: 'Start, and memory at rest' },
	async run(trial) {
		execFileSync('npm', ['run', 'build'], { cwd: root, stdio: 'ignore' })
		const home = folder(trial)
		const empty = join(home, 'empty.mjs')
		writeFileSync(empty, emptyServer)
		const main = join(root, 'dist/src/node/main.js')
		const compiled = { NODE_COMPILE_CACHE: join(home, 'compiled') }
		const programs = [
			{ name: 'An empty `node:http` server', file: empty },
			{ name: 'The gateway from its sources', file: program },
			{ name: 'The gateway, built', file: main },
			{ name: 'The gateway, built, with `NODE_COMPILE_CACHE`', file: main, env: compiled },
		]
		// The first start of each fills the caches.
		for (const { file, env } of programs) await start(trial, home, file, env)
		const starts = new Map<string, Started[]>(programs.map(({ name }) => [name, []]))
		for (let n = 0; n < times; n++) {
			for (const { name, file, env } of programs) starts.get(name)?.push(await start(trial, home, file, env))
		}
		const of = (name: string, what: keyof Started): Spread =>
			spreadOf((starts.get(name) ?? []).map((each) => each[what]))
		const [, , plain = '', cached = ''] = programs.map(({ name }) => name)
		const figures = {
			'start, ms': of(plain, 'milliseconds').median,
			'start with cache, ms': of(cached, 'milliseconds').median,
			'memory at rest, MB': of(plain, 'megabytes').median,
		}
		return {
			head: ['', 'First answer after, ms', 'Memory at rest, MB'],
			rows: programs.map(({ name }) => [name, spread(of(name, 'milliseconds')), round(of(name, 'megabytes').median)]),
			figures,
			targets: [
				{ what: 'start, built', reached: figures['start, ms'], bound: 'most', limit: 200, unit: 'ms' },
				{ what: 'memory at rest', reached: figures['memory at rest, MB'], bound: 'most', limit: 100, unit: 'MB' },
			],
		}
	},
}

interface Started {
	/** From the start of the process to its first answer. */
	readonly milliseconds: number
	readonly megabytes: number
}

async function start(trial: Trial, home: string, file: string, env = {}): Promise<Started> {
	const config = join(home, 'gateway.json')
	writeFileSync(config, JSON.stringify({ upstream: { url: 'builtin:demo' }, routes: [route] }))
	const { pid, url, startedIn, end } = await run(trial, {
		...{ command: process.execPath, args: [file], folder: home },
		env: { ...secrets, DRAGOMAN_CONFIG: config, PORT: '0', ...env },
	})
	const from = performance.now()
	const { status } = await send(url, { path: target, body: call })
	if (status !== 200) throw new Error(`${file} answers ${status}`)
	const milliseconds = startedIn + performance.now() - from
	await wait(rest)
	const megabytes = residentBytes(pid) / 1e6
	await end()
	return { milliseconds, megabytes }
}
