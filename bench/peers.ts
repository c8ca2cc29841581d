/** Who does the work: the gateway in several ways, and the programs it is compared with. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { program } from '../test/harness/gateway.ts'
import { folder, type Scope } from '../test/harness/scope.ts'
import { has, path } from '../test/tools.ts'
import { generator } from './load.ts'
import { type Running, run } from './processes.ts'
import { route, secrets } from './work.ts'

/** One that does the work. */
export interface Peer {
	readonly id: string
	/** What it is, for people. */
	readonly title: string
	/** Packages of bench/peers that it needs. */
	readonly packages?: readonly string[]
	/** Why it cannot be measured on this machine; undefined when it can. */
	missing?(): string | undefined
	/** Starts it; the calls of its upstream go to this URL. */
	start(scope: Scope, upstream: string): Promise<Running>
}

const home = fileURLToPath(new URL('peers', import.meta.url))
const file = (name: string): string => join(home, name)

/** A program of bench/peers, on Node. */
function onNode(id: string, title: string, packages: readonly string[] = []): Peer {
	return {
		...{ id, title, packages },
		start: (scope, upstream) =>
			run(scope, { command: process.execPath, args: [file(`${id}.mjs`), upstream], folder: folder(scope) }),
	}
}

/** Starts the bare program with options of Node. */
export function startBare(scope: Scope, upstream: string, options: readonly string[]): Promise<Running> {
	return run(scope, {
		command: process.execPath,
		args: [...options, file('bare.mjs'), upstream],
		folder: folder(scope),
	})
}

/** The gateway on Node, with its log in a file. */
function gateway(id: string, title: string, more: object = {}): Peer {
	return { id, title, start: (scope, upstream) => startGateway(scope, configOf(upstream, more)) }
}

/** The configuration of a gateway that does the work. */
export function configOf(upstream: string, more: object = {}): object {
	return { upstream: { url: upstream, concurrency: 10_000, ...more }, routes: [route] }
}

/** Starts a gateway from its sources. */
export function startGateway(
	scope: Scope,
	config: object,
	{ command = process.execPath, args = [], entry = program, env: more = {} }: GatewayCommand = {},
): Promise<Running> {
	const home = folder(scope)
	const file = join(home, 'gateway.json')
	writeFileSync(file, JSON.stringify(config))
	const env = { ...secrets, DRAGOMAN_CONFIG: file, PORT: '0', ...more }
	return run(scope, { command, args: [...args, entry], env, folder: home })
}

/** What runs the gateway, in place of this Node and its entry, and what its configuration finds in the environment. */
interface GatewayCommand {
	readonly command?: string
	readonly args?: readonly string[]
	readonly entry?: string
	readonly env?: { readonly [name: string]: string }
}

const bun = file('node_modules/bun/bin/bun.exe')
const bunEntry = fileURLToPath(new URL('bun.ts', import.meta.url))

export const peers: readonly Peer[] = [
	gateway('gateway', 'Dragoman'),
	gateway('signed', 'Dragoman, which signs each call', { sign: [{ env: 'BENCH_KEY' }] }),
	{
		...{ id: 'bun', title: 'Dragoman on Bun', packages: ['bun'] },
		start: (scope, upstream) => startGateway(scope, configOf(upstream), { command: bun, entry: bunEntry }),
	},
	onNode('bare', 'Bare Node: `node:http` and undici’s `Pool.request`'),
	onNode('floor', 'The least on Node: bytes, and undici’s `Pool.dispatch`'),
	onNode('hono', 'Hono and `fetch`'),
	onNode('express', 'Express and axios', ['express', 'axios']),
	{
		...{ id: 'nginx', title: 'nginx with Lua', start: startNginx },
		missing: () =>
			hasNginxWithLua() ? undefined : 'nginx with Lua is not installed (libnginx-mod-http-lua, lua-cjson)',
	},
]

function hasNginxWithLua(): boolean {
	return (
		has('nginx') &&
		existsSync('/usr/lib/nginx/modules/ngx_http_lua_module.so') &&
		existsSync('/usr/share/lua/5.1/cjson')
	)
}

async function startNginx(scope: Scope, upstream: string): Promise<Running> {
	const [own, port] = [folder(scope), await freePort()]
	const config = readFileSync(file('nginx.conf'), 'utf8')
		.replaceAll('PORT', String(port))
		.replaceAll('UPSTREAM', new URL(upstream).host)
		.replaceAll('FOLDER', home)
		// Where Debian's packages are; `-p` makes every other path a relative one.
		.replaceAll('modules/', '/usr/lib/nginx/modules/')
	writeFileSync(join(own, 'nginx.conf'), config)
	const [args, env] = [['-p', own, '-c', 'nginx.conf', '-e', 'stderr'], { PATH: path }]
	return run(scope, { command: 'nginx', args, env, folder: own, url: `http://127.0.0.1:${port}` })
}

async function freePort(): Promise<number> {
	const server = createServer()
	await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
	const address = server.address()
	await new Promise((closed) => server.close(closed))
	return typeof address === 'object' ? (address?.port ?? 0) : 0
}

/** Those of the peers that can be measured here. Says why it leaves one out. */
export function available(chosen: readonly Peer[]): Peer[] {
	install([
		...new Set([...chosen.flatMap(({ packages = [] }) => packages), ...(generator === 'wrk' ? [] : [generator])]),
	])
	return chosen.filter(({ title, packages = [], missing = () => undefined }) => {
		const absent = packages.filter((name) => !isInstalled(name))
		const why = missing() ?? (absent.length > 0 ? `${absent.join(', ')} could not be installed` : undefined)
		if (why !== undefined) console.log(`without "${title}": ${why}`)
		return why === undefined
	})
}

/** Whether there is a program that makes load. Installs it from npm if Debian's is missing. */
export function hasGenerator(): boolean {
	if (generator === 'wrk') return true
	install([generator])
	return isInstalled(generator)
}

function isInstalled(name: string): boolean {
	return existsSync(file(`node_modules/${name}/package.json`))
}

/** Installs the packages of bench/peers, if one that is needed is missing. Without a network it does not succeed. */
function install(needed: readonly string[]): void {
	if (needed.every(isInstalled)) return
	try {
		console.log('installing the packages of bench/peers')
		execFileSync('npm', ['ci'], { cwd: home, stdio: 'ignore', timeout: 120_000 })
	} catch {
		// What is missing is said where it is needed.
	}
}
