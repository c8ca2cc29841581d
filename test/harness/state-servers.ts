/** Servers of a shared state, one kind for each store, and what may be done to them. */
import { Redis } from 'iovalkey'
import { migrate } from '../../src/node/postgres/migrations.ts'
import { has } from '../tools.ts'
import { until } from '../until.ts'
import {
	changeSetting,
	type PostgresServer,
	postgresPassword,
	putTablesOn,
	startPostgres,
	startStandby,
} from './postgres.ts'
import type { Scope } from './scope.ts'
import { empty, fill } from './small-disk.ts'
import { startValkey, type ValkeyServer, valkeyPassword, valkeyProgram } from './valkey.ts'

/** A server of a state. */
export interface StateServer extends Omit<ValkeyServer, 'start'> {
	/** Starts it again, at the same port. */
	start(): Promise<void>
	/** Takes all the room that it has, or gives it back. */
	setFull(on: boolean): Promise<void>
	/** Makes it refuse all writes, as a server does that is not the primary, while its connections stay open; or ends that. */
	setReadOnly(on: boolean): Promise<void>
	/** Starts a server that copies this one, and waits until it has all that this one has now. Ends with the scope. */
	startReplica(): Promise<StateReplica>
}

/** A server that copies another one, and is read-only until it is promoted. */
export interface StateReplica extends StateServer {
	/** Waits until it has all that the other one has now. */
	catchUp(): Promise<void>
	/** Makes it the primary, whether or not the other one is there. */
	promote(): Promise<void>
}

/** One kind of store. */
export interface StateKind {
	/** The key of the configuration. */
	readonly name: 'valkey' | 'postgres'
	/** Of its URLs. */
	readonly scheme: string
	/** What must be installed. */
	readonly tool: string
	readonly isInstalled: boolean
	/** Never to be shown. */
	readonly password: string
	/** Connections of a Node at most. */
	readonly connections: number
	/** Whether replicas have what was remembered. */
	readonly isCopied: boolean
	/** Ends with the scope. `disk`: a small one, without which a server of PostgreSQL cannot be made full. */
	start(scope: Scope, disk?: string): Promise<StateServer>
}

const valkey: StateKind = {
	...{ name: 'valkey', scheme: 'redis', tool: 'redis-server', password: valkeyPassword },
	...{ isInstalled: valkeyProgram !== undefined, connections: 2, isCopied: true },
	start: async (scope) => valkeyState(scope, await startValkey(scope)),
}

function valkeyState(scope: Scope, server: ValkeyServer): StateServer {
	const tell = (...command: [string, ...string[]]) => tellValkey(server, ...command)
	return {
		...server,
		setFull: (on) => tell('CONFIG', 'SET', 'maxmemory', on ? '1' : '0').then(() => {}),
		// A replica of a server that is not there keeps what it has.
		setReadOnly: (on) => tell('REPLICAOF', ...(on ? ['127.0.0.1', '1'] : ['NO', 'ONE'])).then(() => {}),
		async startReplica() {
			const from = ['--replicaof', '127.0.0.1', String(server.port), '--masterauth', valkeyPassword]
			// Without a delay, in which the primary waits for more replicas.
			await tell('CONFIG', 'SET', 'repl-diskless-sync-delay', '0')
			const replica = await startValkey(scope, from)
			const offset = async (of: ValkeyServer) => {
				const told = await tellValkey(of, 'INFO', 'replication')
				const isLinked = of === server || told.includes('master_link_status:up')
				return isLinked ? Number(/^master_repl_offset:(\d+)/m.exec(told)?.[1]) : -1
			}
			const catchUp = async () => {
				const all = await offset(server)
				if (!(await until(async () => (await offset(replica)) >= all))) throw new Error('the replica does not follow')
			}
			await catchUp()
			const promote = () => tellValkey(replica, 'REPLICAOF', 'NO', 'ONE').then(() => {})
			return { ...valkeyState(scope, replica), catchUp, promote }
		},
	}
}

async function tellValkey({ url }: ValkeyServer, ...command: [string, ...string[]]): Promise<string> {
	const admin = new Redis(url)
	const told = await admin.call(...command)
	await admin.quit()
	return String(told)
}

const postgres: StateKind = {
	...{ name: 'postgres', scheme: 'postgresql', tool: 'postgres', password: postgresPassword },
	...{ isInstalled: has('postgres'), connections: 4, isCopied: false },
	async start(scope, disk) {
		const server = await startPostgres(scope)
		if (disk !== undefined) await putTablesOn(disk, server)
		const url = await server.database()
		await migrate({ url, migrate: false })
		return postgresState(scope, server, url, disk)
	},
}

function postgresState(scope: Scope, server: PostgresServer, url: string, disk?: string): StateServer {
	return {
		...{ url, port: server.port, hang: server.hang, resume: server.resume },
		start: () => server.start(),
		kill: () => server.stop('kill'),
		async setFull(on) {
			if (disk === undefined) throw new Error('the server has all the room of this machine')
			if (on) fill(disk)
			else empty(disk)
		},
		setReadOnly: (on) => changeSetting(server, `default_transaction_read_only = ${on ? 'on' : 'off'}`),
		async startReplica() {
			const standby = await startStandby(scope, server.port)
			const own = new URL(url)
			own.port = String(standby.port)
			return {
				...postgresState(scope, standby, own.href),
				// It has the tables, and of what is in them nothing is copied.
				async catchUp() {},
				promote: () => standby.query('SELECT pg_promote()').then(() => {}),
			}
		},
	}
}

/** Every kind, installed or not. */
export const stateKinds: readonly StateKind[] = [valkey, postgres]
