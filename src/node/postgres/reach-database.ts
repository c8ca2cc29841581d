/** Tries whether a database can be used: for `dragoman check`, which changes nothing. */
import type { PostgresSettings } from '../../config/index.ts'
import { type ClientBase, connect, disconnect, placeOf, refused, versionOf } from './connection.ts'
import { DatabaseUnusable, type DatabaseUnusableReason } from './database-unusable.ts'
import { programVersion, requireSchema, schemaVersion } from './migrations.ts'
import { type Rights, requireRights } from './rights.ts'

/** How a database was found. */
export interface ReachedDatabase {
	/** Its host and name. */
	readonly place: string
	/** How long connecting took, in milliseconds. Absent: there is no connection. */
	readonly ms?: number
	/** What the server is: `postgresql 17.2`. Absent: there is no connection. */
	readonly server?: string
	/** The version of its tables; 0: there are none. Absent: there is no connection. */
	readonly version?: number
	/** The version of the tables that this program was made for. */
	readonly programVersion: number
	/** Why it cannot be used, as a sentence. Absent: it can. */
	readonly error?: string
	/** The same, in a word. */
	readonly reason?: DatabaseUnusableReason
}

/** Connects, and looks at the server with `require`, at the version of the tables, and at the rights of the user. */
export async function reachDatabase(
	settings: PostgresSettings,
	require: (client: ClientBase) => Promise<void>,
	rights: Rights,
): Promise<ReachedDatabase> {
	const found = { place: placeOf(settings), programVersion }
	const startedAt = performance.now()
	try {
		const client = await connect(settings)
		const ms = Math.round(performance.now() - startedAt)
		try {
			const server = await versionOf(client)
			const { version } = await schemaVersion(client)
			const check = async () => {
				await require(client)
				// The start makes them.
				if (!settings.migrate) await requireSchema(client)
				await requireRights(client, rights)
			}
			const failure = await check().then(
				() => undefined,
				(thrown) => failureOf(refused(settings, thrown)),
			)
			return { ...found, ms, server, version, ...failure }
		} finally {
			await disconnect(client)
		}
	} catch (thrown) {
		return { ...found, ...failureOf(refused(settings, thrown)) }
	}
}

function failureOf(thrown: unknown): Required<Pick<ReachedDatabase, 'error' | 'reason'>> {
	if (thrown instanceof DatabaseUnusable) return { error: thrown.message, reason: thrown.reason }
	throw thrown
}
