/** The compose file of three gateways: what it may do, and that its parts fit together. */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseEnv } from 'node:util'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { adapters } from '../../adapters/index.ts'
import { readConfig } from '../../src/config/index.ts'
import { pageAt } from '../pages.ts'
import { has } from '../tools.ts'
import { deployed, folder } from './front.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const page = pageAt('docs/deploy-node.md')

interface Service {
	readonly command?: readonly string[]
	readonly depends_on?: object
	readonly env_file?: readonly string[]
	readonly environment?: { readonly [name: string]: string }
	readonly healthcheck?: { readonly test: readonly string[] }
	readonly networks?: { readonly default: { readonly ipv4_address: string } }
	readonly ports?: readonly string[]
	readonly volumes?: readonly string[]
}
const compose: { readonly services: { readonly [name: string]: Service }; readonly volumes: object } = parse(
	read('compose.nodes.yaml'),
	{ merge: true },
)
const small: typeof compose = parse(read('compose.yaml'), { merge: true })
const { services } = compose
const nodes = ['node-1', 'node-2', 'node-3'].map((name) => services[name])

/** The variables of the files that both blocks of the page write. */
function secretsOfThePage(): { [name: string]: string } {
	const at = folder()
	for (const name of ['secrets of compose', 'secrets of three gateways']) {
		execFileSync('sh', ['-ec', page.block(name)], { cwd: at })
	}
	const files = new Set(Object.values(services).flatMap(({ env_file = [] }) => env_file))
	expect([...files].toSorted()).toEqual(['backend.env', 'database.env', 'gateway.env', 'nodes.env'])
	return Object.fromEntries(
		[...files].flatMap((file) =>
			Object.entries(parseEnv(readFileSync(join(at, file), 'utf8'))).map(([name, value = '']) => [name, value]),
		),
	)
}

test('its gateways and its backend are those of the smaller file, and may do no more', () => {
	const restricted = {
		...{ read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'], mem_limit: '1g' },
		build: { context: '.', dockerfile: 'Containerfile' },
	}
	for (const node of nodes) {
		expect(node).toMatchObject(restricted)
		expect(node?.healthcheck).toEqual(small.services.gateway?.healthcheck)
	}
	expect(services.migration).toMatchObject({ ...restricted, command: ['outbox', 'migrate'] })
	expect({ ...services.backend, depends_on: undefined }).toEqual({ ...small.services.backend, depends_on: undefined })
	const published = Object.entries(services).flatMap(([name, { ports }]) => (ports ? [name] : []))
	expect(published).toEqual(['nginx'])
})

test('nginx calls each gateway at its address, and what is mounted exists', () => {
	const listed = [...deployed('nginx/upstream/compose.conf').matchAll(/^\tserver ([\d.]+):8787 /gm)].map(([, at]) => at)
	expect(listed).toEqual(nodes.map((node) => node?.networks?.default.ipv4_address))
	for (const volume of Object.values(services).flatMap(({ volumes = [] }) => volumes)) {
		const [here = ''] = volume.split(':')
		if (here.startsWith('./')) expect([here, existsSync(join(root, here))]).toEqual([here, true])
		else if (!here.startsWith('/')) expect(Object.keys(compose.volumes)).toContain(here)
	}
})

test('nginx reads files of a mounted folder, which may be replaced while it runs', () => {
	const { command = [], volumes = [] } = services.nginx ?? {}
	expect(volumes.filter((volume) => volume.startsWith('./'))).toEqual(['./deploy/nginx:/etc/nginx/dragoman:ro'])
	const linked = [...command.join(' ').matchAll(/\/etc\/nginx\/dragoman\/(\S+)/g)].map(([, path = '']) => path)
	expect(linked).toEqual(['dragoman.conf', 'upstream/compose.conf'])
	for (const path of linked) expect(deployed(`nginx/${path}`)).not.toBe('')
})

test('its configuration is valid with the secrets that the page makes, with either state', () => {
	const env = secretsOfThePage()
	const config = JSON.parse(read('config/compose-nodes.json'))
	for (const state of [config.state, { valkey: { env: 'VALKEY_URL' } }]) {
		expect(() => readConfig({ ...config, state }, { adapters, env, loopback: false })).not.toThrow()
	}
	const database = new URL(env.DATABASE_URL ?? '')
	expect([database.hostname, database.password]).toEqual(['database', env.POSTGRES_PASSWORD])
	expect(Object.keys(services)).toEqual(expect.arrayContaining(['database', new URL(env.VALKEY_URL ?? '').hostname]))
	const smaller = JSON.parse(read('config/compose.json'))
	expect([config.upstream, config.routes]).toEqual([smaller.upstream, smaller.routes])
})

test.skipIf(!has('podman-compose'))('podman-compose reads it', () => {
	const args = ['-f', 'compose.nodes.yaml', 'config']
	expect(spawnSync('podman-compose', args, { cwd: root, timeout: 20_000 }).status).toBe(0)
})
