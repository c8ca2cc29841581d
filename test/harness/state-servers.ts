/** Servers of a shared state, one kind for each store, and what may be done to them. */
import { Redis } from 'iovalkey'
import { migrate } from '../../src/node/postgres/migrations.ts'
import { has } from '../tools.ts'
import { changeSetting, postgresPassword, putTablesOn, startPostgres } from './postgres.ts'
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
	/** Ends with the scope. `disk`: a small one, without which a server of PostgreSQL cannot be made full. */
	start(scope: Scope, disk?: string): Promise<StateServer>
}

const valkey: StateKind = {
	...{ name: 'valkey', scheme: 'redis', tool: 'redis-server', password: valkeyPassword },
	isInstalled: valkeyProgram !== undefined,
	async start(scope) {
		const server = await startValkey(scope)
		const tell = async (...command: [string, ...string[]]) => {
			const admin = new Redis(server.url)
			await admin.call(...command)
			await admin.quit()
		}
		return {
			...server,
			setFull: (on) => tell('CONFIG', 'SET', 'maxmemory', on ? '1' : '0'),
			// A replica of a server that is not there keeps what it has.
			setReadOnly: (on) => tell('REPLICAOF', ...(on ? ['127.0.0.1', '1'] : ['NO', 'ONE'])),
		}
	},
}

const postgres: StateKind = {
	...{ name: 'postgres', scheme: 'postgresql', tool: 'postgres', password: postgresPassword },
	isInstalled: has('postgres'),
	async start(scope, disk) {
		const server = await startPostgres(scope)
		if (disk !== undefined) await putTablesOn(disk, server)
		const url = await server.database()
		await migrate({ url, migrate: false })
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
		}
	},
}

/** Every kind, installed or not. */
export const stateKinds: readonly StateKind[] = [valkey, postgres]
