/** A listening socket that somebody else keeps open: which one is taken, and what is said of one that cannot be. */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { Agent } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { activatedSocket, SocketUnusable } from '../../src/node/socket-activation.ts'
import { once } from './callers.ts'
import { config, folder, hold } from './held.ts'

const main = fileURLToPath(new URL('../../src/node/main.ts', import.meta.url))

test('a process with an idle connection ends, and the next one answers whoever came meanwhile', async () => {
	const { gateway, port, told } = hold(onTestFinished, '127.0.0.1')
	const pid = await gateway(1)
	const agent = new Agent({ keepAlive: true, maxSockets: 1 })
	onTestFinished(() => agent.destroy())
	expect((await once({ port: port() }, {}, agent)).was).toBe(200)
	process.kill(pid, 'SIGTERM')
	await expect.poll(told, { timeout: 20_000, interval: 1 }).toContain('ended 0')
	expect(told().match(/^Listening on /gm)).toHaveLength(1)
	expect(await once({ port: port() })).toMatchObject({ was: 200 })
})

test('what says that a socket was passed is taken out of the environment, whoever it was meant for', async () => {
	const passed = { LISTEN_PID: '7', LISTEN_FDS: '2', LISTEN_FDNAMES: 'a:b' }
	const [foreign, own] = [{ ...passed, PATH: '/bin' }, { ...passed }]
	expect(activatedSocket(foreign, 8)).toBeUndefined()
	expect(() => activatedSocket(own, 7)).toThrow(SocketUnusable)
	expect([foreign, own]).toEqual([{ PATH: '/bin' }, {}])
	const { gateway, port, told } = hold(onTestFinished, '127.0.0.1', { PORT: '0' }, config, [
		'LISTEN_PID=1 LISTEN_FDS=1',
	])
	await gateway(1)
	expect(told()).not.toContain(`Listening on http://127.0.0.1:${port()}\n`)
})

test('a route without a secret starts where only this machine connects: the address is that of the socket', async () => {
	const path = join(folder(onTestFinished), 'gateway.sock')
	const unix = hold(onTestFinished, path, { HOST: '0.0.0.0' })
	await unix.gateway(1)
	expect(unix.told()).toContain('Listening on http://localhost\n')
	expect(await once({ socketPath: path })).toMatchObject({ was: 200 })

	const everywhere = hold(onTestFinished, '0.0.0.0', { HOST: '127.0.0.1' })
	expect(await everywhere.ended).toBe(78)
	expect(everywhere.told()).toContain('routes[0].secrets: is required unless the gateway listens on localhost')
	const open = { ...config, routes: config.routes.map((route) => ({ ...route, open: true })) }
	await hold(onTestFinished, '0.0.0.0', {}, open).gateway(1)
})

test.each([
	['two sockets', '2', 'ignore', 'LISTEN_FDS passes more than one socket. Pass exactly one.'],
	['a file', '1', 'ignore', 'Descriptor 3, passed by LISTEN_FDS, is not a listening stream socket.'],
	['a connection', '1', 'pipe', 'Descriptor 3, passed by LISTEN_FDS, is not a listening stream socket.'],
] as const)('what cannot be listened on is told in one sentence: %s', (_, count, descriptor, sentence) => {
	const file = join(folder(onTestFinished), 'gateway.json')
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
