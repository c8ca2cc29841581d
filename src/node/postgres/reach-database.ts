/** Tries whether a database can be used: for `dragoman check`, which changes nothing. */
import type { PostgresSettings } from '../../config/index.ts'
import { connect, placeOf, requireDurable } from './connection.ts'
import { DatabaseUnusable } from './database-unusable.ts'
import { programVersion, requireSchema, schemaVersion } from './migrations.ts'

/** How a database was found. */
export interface ReachedDatabase {
	/** Its host and name. */
	readonly place: string
	/** How long connecting took, in milliseconds. Absent: there is no connection. */
	readonly ms?: number
	/** The version of its tables; 0: there are none. Absent: there is no connection. */
	readonly version?: number
	/** The version of the tables that this program was made for. */
	readonly programVersion: number
	/** Why it cannot be used, as a sentence. Absent: it can. */
	readonly error?: string
}

/** Connects, and looks at the server and the version of the tables. */
export async function reachDatabase(settings: PostgresSettings): Promise<ReachedDatabase> {
	const found = { place: placeOf(settings), programVersion }
	const startedAt = performance.now()
	try {
		const client = await connect(settings)
		const ms = Math.round(performance.now() - startedAt)
		try {
			const { version } = await schemaVersion(client)
			const check = async () => {
				await requireDurable(client)
				// The start makes them.
				if (!settings.migrate) await requireSchema(client)
			}
			const error = await check().then(() => undefined, reasonOf)
			return { ...found, ms, version, ...(error !== undefined && { error }) }
		} finally {
			await client.end()
		}
	} catch (thrown) {
		return { ...found, error: reasonOf(thrown) }
	}
}

function reasonOf(thrown: unknown): string {
	if (thrown instanceof DatabaseUnusable) return thrown.message
	throw thrown
}
