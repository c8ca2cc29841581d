/** Servers in front of the gateway, as processes with the configuration of deploy/: how they are started, called, ended. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished } from 'vitest'
import { path } from '../tools.ts'

/** A file of deploy/. */
export function deployed(path: string): string {
	return readFileSync(fileURLToPath(new URL(`../../deploy/${path}`, import.meta.url)), 'utf8')
}

/** The text with each of these replaced, all of which must be there. */
export function replaced(text: string, changes: readonly (readonly [from: string, to: string])[]): string {
	return changes.reduce((result, [from, to]) => {
		if (!result.includes(from)) throw new Error(`There is no "${from}"`)
		return result.replaceAll(from, to)
	}, text)
}

/** A folder that everybody can read, gone with the test. */
export function folder(): string {
	const made = mkdtempSync(join(tmpdir(), 'dragoman-deploy-'))
	chmodSync(made, 0o755)
	onTestFinished(() => rmSync(made, { recursive: true, force: true }))
	return made
}

/** A certificate for `localhost`, made now, in this folder: cert.pem and key.pem. */
export function certify(into: string): void {
	const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
	const files = ['-keyout', join(into, 'key.pem'), '-out', join(into, 'cert.pem')]
	const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
	execFileSync('openssl', ['req', '-x509', '-days', '2', ...key, ...subject, ...files], { stdio: 'ignore' })
}

/** A port of this machine that nobody uses at the moment. */
export async function freePort(): Promise<number> {
	const server = createServer()
	await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
	const address = server.address()
	await new Promise((closed) => server.close(closed))
	return typeof address === 'object' && address ? address.port : 0
}

/** Runs a server until the test ends; what it says of itself. */
export function run(program: string, args: readonly string[], env: { [name: string]: string } = {}) {
	const child: ChildProcess = spawn(program, args, { env: { PATH: path, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
	let said = ''
	for (const stream of [child.stdout, child.stderr]) {
		stream?.on('data', (chunk) => {
			said += chunk
		})
	}
	const ended = new Promise<void>((done) => child.once('close', () => done()))
	onTestFinished(async () => {
		child.kill('SIGTERM')
		const late = setTimeout(() => child.kill('SIGKILL'), 5000)
		await ended
		clearTimeout(late)
	})
	return { said: () => said, ended: () => child.exitCode !== null, signal: (name: NodeJS.Signals) => child.kill(name) }
}

interface Sent {
	readonly port: number
	readonly path: string
	readonly method?: string
	readonly headers?: { readonly [name: string]: string }
	readonly body?: string
	readonly ca: string
}

/** One call through TLS, on a connection of its own; status 0 when there was no answer. */
export function send({ port, path, method = 'POST', headers, body = '', ca }: Sent): Promise<{
	readonly status: number
	readonly body: string
}> {
	return new Promise((done) => {
		const at = { host: 'localhost', port, path, method, ca, agent: false } as const
		const call = request({ ...at, headers: { 'content-type': 'application/json', ...headers } }, async (answer) => {
			let text = ''
			try {
				for await (const chunk of answer) text += chunk
				done({ status: answer.statusCode ?? 0, body: text })
			} catch {
				done({ status: 0, body: text })
			}
		})
		call.on('error', () => done({ status: 0, body: '' })).end(body)
	})
}

/** All that was written into this folder, and into folders in it. */
export function written(into: string): string {
	const files = readdirSync(into, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
	return files.map(({ parentPath, name }) => readFileSync(join(parentPath, name), 'latin1')).join('\n')
}

/** A server that runs: its TLS port, and the certificate to call it with. */
interface Front {
	readonly port: number
	readonly ca: string
	/** All that it wrote into files or said. */
	told(): string
}

/** Starts the server in front of these URLs. */
export type Start = (...urls: readonly string[]) => Promise<Front>

const hostOf = (url: string) => new URL(url).host

async function listening(port: number, ca: string, { ended, said }: ReturnType<typeof run>): Promise<void> {
	const answers = async () => {
		if (ended()) throw new Error(said())
		return (await send({ port, ca, method: 'GET', path: '/readyz' })).status
	}
	await expect.poll(answers, { timeout: 15_000, interval: 50 }).toBe(404)
}

/** nginx with the configuration of deploy/, in front of gateways that each remember for themselves. */
export const nginx: Start = (...urls) => {
	const listed = urls.map((url) => `	server ${hostOf(url)} max_fails=0;`).join('\n')
	return startNginx(
		replaced(deployed('nginx/upstream/by-route.conf'), [['	server 127.0.0.1:8787 max_fails=0;', listed]]),
	)
}

/** Where the lists of gateways that share their state have theirs. */
const places = {
	shared: [8787, 8788, 8789].map((port) => `127.0.0.1:${port}`),
	compose: [11, 12, 13].map((host) => `10.87.87.${host}:8787`),
}

/** A list of gateways that share their state, with these in place of its own: two or three, or all three of the compose file. */
export function listOfShared(name: keyof typeof places, urls: readonly string[]): string {
	const list = deployed(`nginx/upstream/${name}.conf`).replace(urls.length === 3 ? /# (?=server)/ : '', '')
	return replaced(
		list,
		urls.map((url, i) => [places[name][i] ?? '', hostOf(url)]),
	)
}

/** The same, in front of gateways that share their state. */
export const nginxOfShared: Start = (...urls) => startNginx(listOfShared('shared', urls))

/**
 * nginx with the configuration of deploy/ and this list of gateways. `reload` takes another list without a stop. `tls`: how
 * it calls the gateways by TLS. Absent: it does not.
 */
export async function startNginx(list: string, tls?: string): Promise<Front & { reload(list: string): void }> {
	const [at, port] = [folder(), await freePort()]
	certify(at)
	mkdirSync(join(at, 'logs'))
	const site = replaced(deployed('nginx/dragoman.conf'), [
		['listen 443 ssl;', `listen 127.0.0.1:${port} ssl;`],
		['server_name bots.example.com;', 'server_name localhost;'],
		['/etc/letsencrypt/live/bots.example.com/fullchain.pem', join(at, 'cert.pem')],
		['/etc/letsencrypt/live/bots.example.com/privkey.pem', join(at, 'key.pem')],
		['/var/log/nginx/', `${join(at, 'logs')}/`],
		...(tls === undefined ? [] : [['http://dragoman', 'https://dragoman'] as const]),
	])
	writeFileSync(join(at, 'site.conf'), site)
	writeFileSync(join(at, 'upstream.conf'), list)
	const running = runNginx(at, `${tls ?? ''} include ${join(at, 'upstream.conf')}; include ${join(at, 'site.conf')};`)
	const ca = readFileSync(join(at, 'cert.pem'), 'utf8')
	await listening(port, ca, running)
	return {
		...{ port, ca, told: () => running.said() + written(join(at, 'logs')) },
		reload(next) {
			writeFileSync(join(at, 'upstream.conf'), next)
			running.signal('SIGHUP')
		},
	}
}

/** nginx with this inside of `http`. Its files are in the folder, its logs in `logs/` there. */
export function runNginx(at: string, http: string): ReturnType<typeof run> {
	const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
		(each) => `${each}_temp_path ${join(at, each)};`,
	)
	writeFileSync(
		join(at, 'nginx.conf'),
		`daemon off; worker_processes 1; pid ${join(at, 'pid')}; error_log ${join(at, 'logs/main.log')};
		events {} http { ${temporary.join(' ')} ${http} }`,
	)
	return run('nginx', ['-p', at, '-c', join(at, 'nginx.conf'), '-e', join(at, 'logs/first.log')])
}

/** Caddy with the configuration of deploy/. */
export const caddy: Start = async (...urls) => {
	const [at, port] = [folder(), await freePort()]
	certify(at)
	mkdirSync(join(at, 'logs'))
	const site = replaced(deployed('caddy/Caddyfile'), [
		['\n{\n', '\n{\n\tadmin off\n\tauto_https disable_redirects\n'],
		['bots.example.com {', `https://localhost:${port} {\n\tbind 127.0.0.1\n\ttls ${at}/cert.pem ${at}/key.pem\n`],
		['/var/log/caddy/', `${join(at, 'logs')}/`],
		['reverse_proxy 127.0.0.1:8787', `reverse_proxy ${urls.map(hostOf).join(' ')}`],
	])
	writeFileSync(join(at, 'Caddyfile'), site)
	const home = { HOME: at, XDG_DATA_HOME: join(at, 'data'), XDG_CONFIG_HOME: join(at, 'config') }
	const running = run('caddy', ['run', '--adapter', 'caddyfile', '--config', join(at, 'Caddyfile')], home)
	const ca = readFileSync(join(at, 'cert.pem'), 'utf8')
	await listening(port, ca, running)
	return { port, ca, told: () => running.said() + written(join(at, 'logs')) }
}
