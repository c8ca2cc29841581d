/** The shared state in the configuration: what it becomes, what is wrong with it, and what `check` tells of its server. */
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { canonical } from '../../adapters/canonical/index.ts'
import { ConfigError, readConfig } from '../../src/config/index.ts'
import { folderWith } from '../command-line/run.ts'
import { certify } from '../deploy/front.ts'
import { dragoman } from '../harness/command.ts'
import { folder } from '../harness/scope.ts'
import { stateKinds } from '../harness/state-servers.ts'
import { startValkey, valkeyPassword, valkeyProgram } from '../harness/valkey.ts'
import { gateway, nobody, start, testScope, upstream } from '../servers.ts'
import { has } from '../tools.ts'

const canary = 'canary-of-a-secret-value'
const valkeyUrl = `valkey://user:${canary}@state.test:6380/2`
const postgresUrl = `postgresql://user:${canary}@state.test/chat`
const env = { VALKEY: valkeyUrl, POSTGRES: postgresUrl, ODD: `https://${canary}@state.test`, TEXT: canary }
const rest = {
	upstream: { url: 'http://127.0.0.1:9/' },
	routes: [{ name: 'in', path: '/in', platform: 'canonical' }],
}
const read = (state: unknown) => readConfig({ ...rest, state }, { adapters: [canonical], env, loopback: true }).state

test('without it, each process has its own state', () => {
	expect(readConfig(rest, { adapters: [canonical], env, loopback: true })).not.toHaveProperty('state')
})

test('names a server, and how long a turn waits for it', () => {
	expect(read({ valkey: { env: 'VALKEY' } })).toEqual({ store: 'valkey', url: valkeyUrl, timeout: 250 })
	expect(read({ valkey: { env: 'VALKEY' }, timeout: '1s' })).toMatchObject({ timeout: 1000 })
	const database = { store: 'postgres', url: postgresUrl, migrate: false, timeout: 250 }
	expect(read({ postgres: { env: 'POSTGRES' } })).toEqual(database)
	expect(read({ postgres: { env: 'POSTGRES', migrate: true } })).toEqual({ ...database, migrate: true })
})

test.each([
	[{}, 'state: must have either "postgres" or "valkey"'],
	[{ valkey: { env: 'VALKEY' }, postgres: { env: 'POSTGRES' } }, 'state: must have either "postgres" or "valkey"'],
	[{ postgres: { env: 'VALKEY' } }, /^state\.postgres\.env: the variable must hold a URL such as postgresql/],
	[{ valkey: { env: 'GONE' } }, 'state.valkey.env: the environment variable GONE is not set'],
	[{ valkey: valkeyUrl }, /^state\.valkey: must be \{ "env": "NAME" \}/],
	[{ valkey: { env: 'ODD' } }, /^state\.valkey\.env: the variable must hold a URL such as/],
	[{ valkey: { env: 'TEXT' } }, /^state\.valkey\.env: the variable must hold a URL such as/],
	[{ valkey: { env: 'VALKEY' }, timeout: '11s' }, 'state.timeout: must be from "1ms" to "10s"'],
	[{ valkey: { env: 'VALKEY' }, timeout: '0s' }, 'state.timeout: must be from "1ms" to "10s"'],
	[{ valkey: { env: 'VALKEY' }, colour: 1 }, 'state.colour: no such key'],
])('%j is refused, without a value', (state, mistake) => {
	const mistakes = () => {
		try {
			read(state)
		} catch (thrown) {
			if (thrown instanceof ConfigError) return thrown.mistakes
		}
		return []
	}
	expect(mistakes()).toEqual([typeof mistake === 'string' ? mistake : expect.stringMatching(mistake)])
	expect(String(mistakes())).not.toContain(canary)
})

test('only the client of the store that is named is loaded', async () => {
	// The clients are CommonJS, whose modules are listed.
	const preload = `
		import { createRequire } from 'node:module'
		process.on('exit', () => console.error(Object.keys(createRequire('/').cache).join('\\n')))
	`
	const loaded = async (state?: object) => {
		const gateway = await start({ ...rest, ...(state && { state }) }, { preload, env: { NOBODY: `valkey://${host}` } })
		await gateway.end()
		return ['iovalkey', 'pg'].filter((name) => gateway.written().includes(`/node_modules/${name}/`))
	}
	const { host } = new URL(await nobody())
	expect(await loaded()).toEqual([])
	expect(await loaded({ valkey: { env: 'NOBODY' } })).toEqual(['iovalkey'])
})

test('cannot be changed by a reload', async () => {
	const { reload } = await gateway(rest)
	const next = { ...rest, state: { valkey: { env: 'VALKEY' } } }
	expect(() => reload(next, { env })).toThrow(ConfigError)
})

test.skipIf(valkeyProgram === undefined || !has('openssl'))(
	'valkeys uses TLS, and trusts no unknown authority',
	async () => {
		const home = folder(testScope)
		certify(home)
		const [cert, key] = [join(home, 'cert.pem'), join(home, 'key.pem')]
		const { port } = new URL(await nobody())
		await startValkey(testScope, [
			...['--port', '0', '--tls-port', port, '--tls-auth-clients', 'no'],
			...['--tls-cert-file', cert, '--tls-key-file', key, '--tls-ca-cert-file', cert],
		])
		const { url: backend } = await upstream()
		const state = { valkey: { env: 'STATE_URL' } }
		const { path, remove } = folderWith({ 'gateway.json': { ...rest, upstream: { url: backend }, state } })
		onTestFinished(remove)
		const check = (env: { readonly [name: string]: string }) =>
			dragoman(['check', '--config', join(path, 'gateway.json')], {
				env: { STATE_URL: `valkeys://:${valkeyPassword}@localhost:${port}`, ...env },
			})
		expect((await check({ NODE_EXTRA_CA_CERTS: cert })).out).toMatch(/\nok +state in valkey at localhost:\d+: reached/)
		const refused = await check({})
		expect(refused.out).toContain('cannot be used (self-signed certificate')
		expect(refused.code).toBe(69)
	},
)

describe.each(stateKinds)('check, with $name', (kind) => {
	const check = async (url: string) => {
		const { url: backend } = await upstream()
		const state = { [kind.name]: { env: 'STATE_URL' } }
		const { path, remove } = folderWith({ 'gateway.json': { ...rest, upstream: { url: backend }, state } })
		onTestFinished(remove)
		return dragoman(['check', '--config', join(path, 'gateway.json')], { env: { STATE_URL: url } })
	}

	test.skipIf(!kind.isInstalled)('tells the version of a server that can be used', async () => {
		const { url } = await kind.start(testScope)
		const { code, out } = await check(url)
		expect(out).toMatch(
			RegExp(`\nok +state in ${kind.name} at 127\\.0\\.0\\.1:[^ ]+: reached in \\d+ ms, [a-z]+ \\d+\\.\\d+`),
		)
		expect(out).not.toContain(kind.password)
		expect(code).toBe(0)
	})

	test('tells why a server cannot be used', async () => {
		const { host } = new URL(await nobody())
		const { code, out } = await check(`${kind.scheme}://user:${kind.password}@${host}`)
		expect(out).toMatch(RegExp(`\nfailed +state in ${kind.name} at ${host}: cannot be used \\(.*ECONNREFUSED`))
		expect(out).not.toContain(kind.password)
		expect(code).toBe(69)
	})
})
