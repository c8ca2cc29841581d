/** A listening socket that somebody else keeps open: which one is taken, and what is said of one that cannot be. */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { activatedSocket, SocketUnusable } from '../../src/node/socket-activation.ts'
import { program } from '../harness/gateway.ts'
import { hold } from '../harness/held.ts'
import { createClient, message, send } from '../harness/http.ts'
import { own, ownTo } from '../harness/platforms.ts'
import { folder } from '../harness/scope.ts'
import { testScope } from '../servers.ts'

const config = ownTo('builtin:demo')
const call = { path: '/own', body: message('Hi') }

test('a process with an idle connection ends, and the next one answers the calls that arrived meanwhile', async () => {
	const { gateway, url, written } = hold(testScope, config)
	const pid = await gateway(1)
	const client = createClient(url(), { connections: 1 })
	testScope.after(client.close)
	expect((await client.send(call)).status).toBe(200)
	process.kill(pid, 'SIGTERM')
	await expect.poll(written, { timeout: 20_000, interval: 1 }).toContain('ended 0')
	expect(written().match(/^Listening on /gm)).toHaveLength(1)
	expect((await send(url(), call)).status).toBe(200)
})

test('the variables of socket activation are removed from the environment, whatever process they are for', async () => {
	const passed = { LISTEN_PID: '7', LISTEN_FDS: '2', LISTEN_FDNAMES: 'a:b' }
	const [foreign, own] = [{ ...passed, PATH: '/bin' }, { ...passed }]
	expect(activatedSocket(foreign, 8)).toBeUndefined()
	expect(() => activatedSocket(own, 7)).toThrow(SocketUnusable)
	expect([foreign, own]).toEqual([{ PATH: '/bin' }, {}])
	const { gateway, url, written } = hold(testScope, config, {
		env: { PORT: '0' },
		command: 'LISTEN_PID=1 LISTEN_FDS=1',
	})
	await gateway(1)
	expect(written()).not.toContain(`Listening on ${url()}\n`)
})

test('a route without a secret is allowed if the passed socket is local', async () => {
	const path = join(folder(testScope), 'gateway.sock')
	const unix = hold(testScope, config, { at: path, env: { HOST: '0.0.0.0' } })
	await unix.gateway(1)
	expect(unix.written()).toContain('Listening on http://localhost\n')
	expect((await send('http://localhost', call, { socketPath: path })).status).toBe(200)

	const everywhere = hold(testScope, config, { at: '0.0.0.0', env: { HOST: '127.0.0.1' } })
	expect(await everywhere.ended).toBe(78)
	expect(everywhere.written()).toContain('routes[0].secrets: is required unless the gateway listens on localhost')
	const open = { ...config, routes: [own.route({ open: true })] }
	await hold(testScope, open, { at: '0.0.0.0' }).gateway(1)
})

test.each([
	['two sockets', '2', 'ignore', 'LISTEN_FDS passes more than one socket. Pass exactly one.'],
	['a file', '1', 'ignore', 'Descriptor 3, passed by LISTEN_FDS, is not a listening stream socket.'],
	['a connection', '1', 'pipe', 'Descriptor 3, passed by LISTEN_FDS, is not a listening stream socket.'],
] as const)('what cannot be listened on is told in one sentence: %s', (_, count, descriptor, sentence) => {
	const file = join(folder(testScope), 'gateway.json')
	writeFileSync(file, JSON.stringify(config))
	const script = `LISTEN_PID=$$ LISTEN_FDS=${count} exec "$@"`
	const { status, stderr } = spawnSync('sh', ['-c', script, 'sh', process.execPath, program], {
		env: { PATH: process.env.PATH, DRAGOMAN_CONFIG: file },
		stdio: ['ignore', 'pipe', 'pipe', descriptor],
		encoding: 'utf8',
		timeout: 20_000,
	})
	expect([status, stderr]).toEqual([78, `${sentence}\n`])
})
