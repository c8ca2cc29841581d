/** The rights that a gateway needs to our tables, and whether its user has them. */
import type { ClientBase } from './connection.ts'
import { DatabaseUnusable } from './database-unusable.ts'

/** What a user must be allowed to do with each table or sequence, by its name in our schema. */
export interface Rights {
	readonly [name: string]: readonly ('SELECT' | 'INSERT' | 'UPDATE' | 'DELETE' | 'TRUNCATE' | 'USAGE')[]
}

/** For the outbox. */
export const outboxRights: Rights = {
	events: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
	meta: ['SELECT', 'INSERT', 'UPDATE'],
	nodes: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
	places: ['USAGE'],
}

/** For the shared state. Its partitions are emptied one at a time, which the right to the whole table does not allow. */
export const stateRights: Rights = {
	memories: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
	memories_0: ['TRUNCATE'],
	memories_1: ['TRUNCATE'],
	memories_2: ['TRUNCATE'],
	memories_3: ['TRUNCATE'],
}

/** Throws a DatabaseUnusable that names each right which the user lacks. Tables that are not there are not looked at. */
export async function requireRights(client: ClientBase, rights: Rights): Promise<void> {
	const wanted = Object.entries(rights).flatMap(([name, list]) => list.map((right) => ({ name, right })))
	const { rows } = await client.query<{ user: string; name: string; rights: string }>(
		`SELECT current_user AS user, name, string_agg("right", ', ') AS rights
		FROM json_to_recordset($1) AS wanted (name text, "right" text)
			JOIN pg_class ON relname = name AND relnamespace = to_regnamespace('dragoman')
		WHERE NOT CASE relkind
			WHEN 'S' THEN has_sequence_privilege(pg_class.oid, "right")
			ELSE has_table_privilege(pg_class.oid, "right")
		END
		GROUP BY name ORDER BY name`,
		[JSON.stringify(wanted)],
	)
	const [first] = rows
	if (!first) return
	const missing = rows.map(({ name, rights }) => `${rights} on dragoman.${name}`).join('; ')
	const message = `The user ${first.user} of the PostgreSQL database lacks these rights, so grant them: ${missing}.`
	throw new DatabaseUnusable('rights', message)
}
