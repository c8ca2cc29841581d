/** A listening socket that somebody else keeps open: kills and restarts under load refuse nobody. */
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { inheritedSocket, SocketUnusable } from '../../src/node/inherited.ts'

const full = Boolean(process.env.FULL)
const main = fileURLToPath(new URL('../../src/node/main.ts', import.meta.url))
const holder = fileURLToPath(new URL('holder.ts', import.meta.url))

const config = {
	upstream: { url: 'builtin:demo' },
	routes: [{ name: 'own', path: '/own', platform: 'canonical' }],
}

function folder(): string {
	const path = mkdtempSync(join(tmpdir(), 'dragoman-held-'))
	onTestFinished(() => rmSync(path, { recursive: true, force: true }))
	return path
}

/** A held socket. */
interface Held {
	/** What the holder and its gateways have said. */
	told(): string
	port(): number
	/** The id of the how-manieth gateway on it, once that listens. */
	gateway(number: number): Promise<number>
	/** The holder's exit code. */
	readonly ended: Promise<number | null>
}

/** A socket at this address or path, and gateways on it. */
function hold(at: string, env: { [name: string]: string } = {}, given: object = config, command: string[] = []): Held {
	const file = join(folder(), 'gateway.json')
	writeFileSync(file, JSON.stringify(given))
	const child = spawn(process.execPath, [holder, at, ...command], {
		env: { PATH: process.env.PATH, DRAGOMAN_CONFIG: file, ...env },
		stdio: ['ignore', 'pipe', 'pipe'],
		// A group of its own: the gateways end with it.
		detached: true,
	})
	let told = ''
	for (const stream of [child.stdout, child.stderr]) {
		stream.on('data', (chunk) => {
			told += chunk
		})
	}
	const ended = new Promise<number | null>((done) => child.once('close', done))
	onTestFinished(async () => {
		try {
			if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
		} catch {
			// All of it has ended.
		}
		await ended
	})
	return {
		told: () => told,
		port: () => Number(/^port (\d+)$/m.exec(told)?.[1]),
		async gateway(number) {
			await expect.poll(() => told.match(/^Listening on /gm)?.length, { timeout: 20_000, interval: 10 }).toBe(number)
			return Number([...told.matchAll(/^pid (\d+)$/gm)].at(-1)?.[1])
		},
		ended,
	}
}

interface Result {
	/** The status, or the code of what went wrong. */
	readonly was: number | string
	readonly ms: number
}

const body = JSON.stringify({ version: 1, event: { kind: 'message', text: 'Hi', attributes: {} } })

/** One call; with an agent, on a connection of it. */
function once(to: { port?: number; socketPath?: string }, agent?: Agent): Promise<Result> {
	const from = performance.now()
	return new Promise((done) => {
		const end = (was: number | string) => done({ was, ms: performance.now() - from })
		const headers = { 'content-type': 'application/json', ...(!agent && { connection: 'close' }) }
		request({ host: '127.0.0.1', path: '/own', method: 'POST', headers, ...to, ...(agent && { agent }) }, (answer) => {
			answer.resume().on('end', () => end(answer.statusCode ?? 0))
			answer.on('error', (error: NodeJS.ErrnoException) => end(error.code ?? 'broken'))
		})
			.on('error', (error: NodeJS.ErrnoException) => end(error.code ?? 'broken'))
			.end(body)
	})
}

/** Callers that go on until they are told; with connections of their own, or one for each call. */
function load(port: number, callers: number, kept: boolean, pause: number) {
	let going = true
	const results: Result[] = []
	const caller = async () => {
		const agent = kept ? new Agent({ keepAlive: true, maxSockets: 1 }) : undefined
		while (going) {
			results.push(await once({ port }, agent))
			await wait(pause)
		}
		agent?.destroy()
	}
	const all = Promise.all(Array.from({ length: callers }, caller))
	return async () => {
		going = false
		await all
		const ok = results.filter(({ was }) => was === 200)
		return {
			served: ok.length,
			refused: results.filter(({ was }) => was === 'ECONNREFUSED').length,
			broken: results.filter(({ was }) => was !== 200 && was !== 'ECONNREFUSED'),
			slowest: Math.round(Math.max(...ok.map(({ ms }) => ms))),
		}
	}
}

const kills = full ? 20 : 3

test(`${kills} kills under load refuse nobody, and break no more than was in hand`, async () => {
	const { gateway, port } = hold('127.0.0.1')
	let pid = await gateway(1)
	const callers = 32
	const stop = load(port(), callers, false, 5)
	for (let number = 1; number <= kills; number++) {
		await wait(150 + 300 * Math.random())
		process.kill(pid, 'SIGKILL')
		pid = await gateway(number + 1)
	}
	const { served, refused, broken, slowest } = await stop()
	console.log(`${kills} kills: ${served} served, ${refused} refused, ${broken.length} broken, slowest ${slowest} ms`)
	expect(refused).toBe(0)
	expect(broken.length).toBeLessThanOrEqual(kills * callers)
	expect(served).toBeGreaterThan(callers)
}, 120_000)

const restarts = full ? 10 : 2

test.each([
	['connections that are kept', true],
	['a connection for each call', false],
])(
	`${restarts} restarts under load break nothing: %s`,
	async (_, kept) => {
		const { gateway, port, told } = hold('127.0.0.1')
		let pid = await gateway(1)
		const callers = 64
		const stop = load(port(), callers, kept, 0)
		for (let number = 1; number <= restarts; number++) {
			await wait(300)
			process.kill(pid, 'SIGTERM')
			pid = await gateway(number + 1)
		}
		const { served, refused, broken, slowest } = await stop()
		console.log(`${restarts} restarts: ${served} served, ${broken.length} broken, slowest ${slowest} ms`)
		expect([refused, broken]).toEqual([0, []])
		expect(served).toBeGreaterThan(callers)
		expect(told().match(/^ended .+$/gm)).toEqual(Array.from({ length: restarts }, () => 'ended 0'))
	},
	120_000,
)

test('a process with an idle connection ends, and the next one answers whoever came meanwhile', async () => {
	const { gateway, port, told } = hold('127.0.0.1')
	const pid = await gateway(1)
	const agent = new Agent({ keepAlive: true, maxSockets: 1 })
	onTestFinished(() => agent.destroy())
	expect((await once({ port: port() }, agent)).was).toBe(200)
	process.kill(pid, 'SIGTERM')
	await expect.poll(told, { timeout: 20_000, interval: 1 }).toContain('ended 0')
	expect(told().match(/^Listening on /gm)).toHaveLength(1)
	expect(await once({ port: port() })).toMatchObject({ was: 200 })
})

test('what says that a socket was passed is taken out of the environment, whoever it was meant for', async () => {
	const passed = { LISTEN_PID: '7', LISTEN_FDS: '2', LISTEN_FDNAMES: 'a:b' }
	const [foreign, own] = [{ ...passed, PATH: '/bin' }, { ...passed }]
	expect(inheritedSocket(foreign, 8)).toBeUndefined()
	expect(() => inheritedSocket(own, 7)).toThrow(SocketUnusable)
	expect([foreign, own]).toEqual([{ PATH: '/bin' }, {}])
	const { gateway, port, told } = hold('127.0.0.1', { PORT: '0' }, config, ['LISTEN_PID=1 LISTEN_FDS=1'])
	await gateway(1)
	expect(told()).not.toContain(`Listening on http://127.0.0.1:${port()}\n`)
})

test('a route without a secret starts where only this machine connects: the address is that of the socket', async () => {
	const path = join(folder(), 'gateway.sock')
	const unix = hold(path, { HOST: '0.0.0.0' })
	await unix.gateway(1)
	expect(unix.told()).toContain('Listening on http://localhost\n')
	expect(await once({ socketPath: path })).toMatchObject({ was: 200 })

	const everywhere = hold('0.0.0.0', { HOST: '127.0.0.1' })
	expect(await everywhere.ended).toBe(78)
	expect(everywhere.told()).toContain('routes[0].secrets: is missing: anybody could call')
	const open = { ...config, routes: config.routes.map((route) => ({ ...route, open: true })) }
	await hold('0.0.0.0', {}, open).gateway(1)
})

test.each([
	['two sockets', '2', 'ignore', 'More than one socket was passed (LISTEN_FDS). Pass one.'],
	['a file', '1', 'ignore', 'The descriptor 3 that was passed (LISTEN_FDS) is no listening stream socket.'],
	['a connection', '1', 'pipe', 'The descriptor 3 that was passed (LISTEN_FDS) is no listening stream socket.'],
] as const)('what cannot be listened on is told in one sentence: %s', (_, count, descriptor, sentence) => {
	const file = join(folder(), 'gateway.json')
	writeFileSync(file, JSON.stringify(config))
	const script = `LISTEN_PID=$$ LISTEN_FDS=${count} exec "$@"`
	const { status, stderr } = spawnSync('sh', ['-c', script, 'sh', process.execPath, main], {
		env: { PATH: process.env.PATH, DRAGOMAN_CONFIG: file },
		stdio: ['ignore', 'pipe', 'pipe', descriptor],
		encoding: 'utf8',
		timeout: 20_000,
	})
	expect([status, stderr]).toEqual([78, `${sentence}\n`])
})
