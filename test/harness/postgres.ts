/** A PostgreSQL server of its own, from the programs that are installed, in a folder that goes with it. */
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
	chownSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	readFileSync,
	renameSync,
	rmSync,
	statSync,
	writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Client } from 'pg'
import { path } from '../tools.ts'
import type { Scope } from './scope.ts'

/** A server on this machine. */
export interface PostgresServer {
	readonly folder: string
	readonly port: number
	/** The URL of a new database, with the password in it. */
	database(): Promise<string>
	/** Runs statements as the superuser, in the database of this URL or in that of the server's own. */
	query(sql: string, url?: string): Promise<readonly { readonly [column: string]: unknown }[]>
	/** Ends the server: `fast` breaks off sessions, `kill` is SIGKILL for all of its processes. */
	stop(how: 'fast' | 'kill'): Promise<void>
	/** Starts it again on the same files and port. `settings`: such as `fsync=off`. */
	start(...settings: string[]): Promise<void>
	/** Stops it from doing anything, while its connections stay open. */
	hang(): void
	/** Ends that. */
	resume(): void
}

/** The password in every URL. It must be found nowhere else. */
export const postgresPassword = 'canary-of-a-password'

/** Ends with the scope. fsync is on, as it is for users. `initdb`: more arguments of the program that makes its files. */
export function startPostgres(scope: Scope, initdb: readonly string[] = []): Promise<PostgresServer> {
	return startServer(scope, async (site) => {
		if (initdb.length > 0) return await makeNewFiles(site, initdb)
		const program = programOf('initdb')
		const made = [program, statSync(program).mtimeMs, process.getuid?.()].join()
		const kept = join(newFiles, createHash('sha256').update(made).digest('hex'))
		if (existsSync(kept)) return await copy(kept, site.data)
		await makeNewFiles(site, [])
		mkdirSync(newFiles, { recursive: true })
		const copied = mkdtempSync(join(newFiles, 'copied-'))
		await copy(site.data, join(copied, 'data'))
		try {
			renameSync(join(copied, 'data'), kept)
		} catch {
			// Another process was faster.
		}
		rmSync(copied, { recursive: true, force: true })
	})
}

/** The files of new servers, by what made them: to copy them takes a tenth of the time. */
const newFiles = fileURLToPath(new URL('../../node_modules/.cache/postgres', import.meta.url))

async function makeNewFiles({ folder, data, run, own }: Site, initdb: readonly string[]): Promise<void> {
	const passwordFile = join(folder, 'password')
	writeFileSync(passwordFile, postgresPassword)
	own(passwordFile)
	const access = ['-U', 'postgres', '--pwfile', passwordFile, '-A', 'scram-sha-256']
	await run('initdb', ['-D', data, ...access, '-E', 'UTF8', '--no-sync', ...initdb])
}

/** Copies a folder, with the owners of its files. */
async function copy(from: string, to: string): Promise<void> {
	await promisify(execFile)('cp', ['-a', from, to])
}

/**
 * Starts a server that copies the one at a port of this machine, and ends with the scope. It is read-only until it is
 * promoted: `SELECT pg_promote()`.
 */
export function startStandby(scope: Scope, port: number): Promise<PostgresServer> {
	const from = `postgresql://postgres:${postgresPassword}@127.0.0.1:${port}`
	return startServer(scope, async ({ data, run }) => {
		await run('pg_basebackup', ['-d', from, '-D', data, '-R', '-X', 'stream', '-c', 'fast', '--no-sync'])
	})
}

/** The databases that are made from now on have their tables on this disk. */
export async function putTablesOn(disk: string, server: PostgresServer): Promise<void> {
	const place = join(disk, 'tables')
	mkdirSync(place)
	const { uid, gid } = statSync(server.folder)
	chownSync(place, uid, gid)
	await server.query(`CREATE TABLESPACE small LOCATION '${place}'`)
	await changeSetting(server, 'default_tablespace = small')
}

/** Changes a setting of a server while it runs: `name = value`. */
export async function changeSetting(server: PostgresServer, setting: string): Promise<void> {
	await server.query(`ALTER SYSTEM SET ${setting}`)
	await server.query('SELECT pg_reload_conf()')
	// The server reads it a moment later.
	await wait(200)
}

/** Where the files of a server are made. */
interface Site {
	/** Goes with the server. */
	readonly folder: string
	/** The folder of the files. */
	readonly data: string
	/** Runs a program of PostgreSQL as the user of the server. */
	run(program: string, args: readonly string[]): Promise<unknown>
	/** Gives a file to that user. */
	own(file: string): void
}

async function startServer(scope: Scope, makeFiles: (site: Site) => Promise<void>): Promise<PostgresServer> {
	const user = whoRuns()
	const own = (file: string) => user && chownSync(file, user.uid, user.gid)
	const folder = mkdtempSync(join(tmpdir(), 'dragoman-postgres-'))
	own(folder)
	const data = join(folder, 'data')
	const port = await freePort()
	const urlOf = (name: string) => `postgresql://postgres:${postgresPassword}@127.0.0.1:${port}/${name}`
	const of = { cwd: folder, env: { PATH: path, LC_ALL: 'C.UTF-8', TZ: 'UTC' }, ...user }
	// Not with spawnSync: it takes a second, and an upstream of this process may be asked meanwhile.
	const run: Site['run'] = (program, args) => promisify(execFile)(programOf(program), args, of)
	await makeFiles({ folder, data, run, own })
	let running: ChildProcess | undefined
	let databases = 0

	async function start(...settings: string[]): Promise<void> {
		const fixed = [`port=${port}`, 'listen_addresses=127.0.0.1', `unix_socket_directories=${folder}`]
		const all = [...fixed, 'shared_buffers=32MB', 'max_connections=40', ...settings].flatMap((each) => ['-c', each])
		const server = spawn(programOf('postgres'), ['-D', data, ...all], {
			...of,
			detached: true,
			stdio: ['ignore', 'ignore', 'pipe'],
		})
		running = server
		const { promise, resolve, reject } = Promise.withResolvers<void>()
		let said = ''
		server.stderr.setEncoding('utf8').on('data', (text: string) => {
			said = (said + text).slice(-10_000)
			if (text.includes('database system is ready')) resolve()
		})
		server.once('error', reject).once('exit', () => reject(new Error(`the server ended: ${said}`)))
		await promise
	}
	async function stop(how: 'fast' | 'immediate' | 'kill'): Promise<void> {
		const server = running
		running = undefined
		if (server?.pid === undefined || server.exitCode !== null || server.signalCode !== null) return
		const ended = new Promise((done) => server.once('exit', done))
		if (how === 'kill') await killAll(server)
		else server.kill(how === 'fast' ? 'SIGINT' : 'SIGQUIT')
		// A test that failed may have left it hanging. It ends the processes of its connections by itself.
		if (how === 'immediate') server.kill('SIGCONT')
		await ended
	}
	async function query(sql: string, url = urlOf('postgres')) {
		const client = new Client({ connectionString: url })
		client.on('error', () => {})
		await client.connect()
		try {
			return (await client.query(sql)).rows
		} finally {
			await client.end()
		}
	}

	const abandon = () => {
		if (running?.pid !== undefined) process.kill(running.pid, 'SIGKILL')
	}
	process.once('exit', abandon)
	scope.after(async () => {
		// Without a checkpoint: the files go as well.
		await stop('immediate')
		process.off('exit', abandon)
		rmSync(folder, { recursive: true, force: true })
	})
	await start()
	return {
		folder,
		port,
		async database() {
			const name = `test_${++databases}`
			await query(`CREATE DATABASE ${name}`)
			return urlOf(name)
		},
		query,
		stop,
		start,
		hang: () => void halt(running),
		resume: () => signal(processesOf(running), 'SIGCONT'),
	}
}

/** The process of a server, and those of its connections. Each has a group of its own. */
function processesOf(server: ChildProcess | undefined): readonly number[] {
	if (server?.pid === undefined) return []
	const children = readFileSync(`/proc/${server.pid}/task/${server.pid}/children`, 'utf8')
	return [server.pid, ...children.split(' ').filter(Boolean).map(Number)]
}

function signal(processes: readonly number[], name: NodeJS.Signals): void {
	for (const pid of processes) process.kill(pid, name)
}

/** Stops all processes of a server, and tells which they are. */
function halt(server: ChildProcess | undefined): readonly number[] {
	// First the one that starts the others.
	server?.kill('SIGSTOP')
	const all = processesOf(server)
	signal(all, 'SIGSTOP')
	return all
}

/** Kills all processes of a server: one that was left would go on with its work, and hold on to the memory that they share. */
async function killAll(server: ChildProcess): Promise<void> {
	const all = halt(server)
	signal(all, 'SIGKILL')
	while (all.some(isAlive)) await wait(5)
}

/** What has ended has no command line, although its parent may not have asked for its exit code yet. */
function isAlive(pid: number): boolean {
	try {
		return readFileSync(`/proc/${pid}/cmdline`, 'utf8') !== ''
	} catch {
		return false
	}
}

function programOf(name: string): string {
	const found = path.split(delimiter).find((folder) => existsSync(join(folder, name)))
	if (found === undefined) throw new Error(`there is no ${name}`)
	return join(found, name)
}

/** PostgreSQL does not run as root: the user of its package, or else nobody. Undefined: this user is not root. */
function whoRuns(): { readonly uid: number; readonly gid: number } | undefined {
	if (process.getuid?.() !== 0) return undefined
	const [uid, gid] = ['-u', '-g'].map((which) => {
		const { stdout } = spawnSync('id', [which, 'postgres'], { encoding: 'utf8' })
		return Number.parseInt(stdout, 10) || 65_534
	})
	return uid === undefined || gid === undefined ? undefined : { uid, gid }
}

async function freePort(): Promise<number> {
	const server = createServer()
	await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
	const address = server.address()
	await new Promise((done) => server.close(done))
	if (address === null || typeof address === 'string') throw new Error('a port was listened on')
	return address.port
}
