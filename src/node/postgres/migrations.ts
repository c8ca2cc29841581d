/**
 * The versions of our tables in PostgreSQL, all in the schema `dragoman`. A version is a list of statements that bring the
 * one before it forward; nothing goes back. Instead, releases overlap: a version names the oldest one whose programs still
 * work with its tables, so that during an update the old release and the new one run beside each other, and the old one can
 * be started again. A version that only adds is compatible with the one before it. What it makes superfluous, such as a
 * column or a function that only the old release uses, is deleted by the version after it.
 */
import type { PostgresSettings } from '../../config/index.ts'
import { writtenCommand } from '../written-command.ts'
import { type ClientBase, connect, disconnect, refused } from './connection.ts'
import { DatabaseUnusable } from './database-unusable.ts'
import type { Migration } from './migrations/migration.ts'
import { outbox } from './migrations/outbox.ts'
import { state } from './migrations/state.ts'
import { stateFunctions } from './migrations/state-functions.ts'

/** In order: the first makes version 1. A migration that was released is never changed. */
export const migrations: readonly Migration[] = [outbox, state, stateFunctions]

/** The version of the tables that this program was made for. */
export const programVersion = migrations.length

/** The version of the tables in a database. */
export interface SchemaVersion {
	/** 0: there are none. */
	readonly version: number
	/** The oldest version whose programs work with them. */
	readonly compatible: number
}

/** The first of the two numbers of the advisory lock that a migration holds. */
const lockClass = 0x44726160

/** Milliseconds that a migration may take, or wait for another one. */
const longest = 30 * 60_000

/** What a migration has done. */
export interface Migrated {
	readonly from: number
	readonly to: number
}

/**
 * Brings the tables up to date; two that do so at once do it once. Tables of a newer release stay as they are. Rejects with
 * a DatabaseUnusable, and then nothing was changed. `steps`: other migrations, in tests.
 */
export async function migrate(settings: PostgresSettings, steps: readonly Migration[] = migrations): Promise<Migrated> {
	const client = await connect(settings, { connect: 5000, statement: longest })
	try {
		await client.query('BEGIN')
		await client.query('SELECT pg_advisory_xact_lock($1, 0)', [lockClass])
		const { version: from } = await schemaVersion(client)
		if (from === 0) await client.query(versionTable)
		for (const [i, { name, sql, compatible }] of steps.entries()) {
			if (i < from) continue
			await client.query(sql)
			await client.query('INSERT INTO dragoman.versions (version, name, compatible) VALUES ($1, $2, $3)', [
				...[i + 1, name, compatible],
			])
		}
		await client.query('COMMIT')
		return { from, to: Math.max(from, steps.length) }
	} catch (thrown) {
		throw refused(settings, thrown)
	} finally {
		await disconnect(client)
	}
}

const versionTable = `
	CREATE SCHEMA IF NOT EXISTS dragoman;
	CREATE TABLE dragoman.versions (
		version integer PRIMARY KEY,
		name text NOT NULL,
		compatible integer NOT NULL,
		migrated_at timestamptz NOT NULL DEFAULT now()
	)
`

/** The version of the tables in the database. */
export async function schemaVersion(client: ClientBase): Promise<SchemaVersion> {
	const { rows: found } = await client.query(`SELECT 1 WHERE to_regclass('dragoman.versions') IS NOT NULL`)
	const none = { version: 0, compatible: 0 }
	if (found.length === 0) return none
	const { rows } = await client.query<SchemaVersion>(
		'SELECT version, compatible FROM dragoman.versions ORDER BY version DESC LIMIT 1',
	)
	return rows[0] ?? none
}

/** Why a program of this version cannot work with tables of that one; undefined: it can. */
export function whyUnusable({ version, compatible }: SchemaVersion, program = programVersion): string | undefined {
	const advice = `Run "${writtenCommand('outbox migrate')}".`
	if (version === 0) return `The database has no tables of Dragoman. ${advice}`
	if (version < program) {
		return `The tables of the database have version ${version}, and this program needs version ${program}. ${advice}`
	}
	if (compatible <= program) return undefined
	const newer = `The tables of the database have version ${version}, which needs a newer release`
	return `${newer}: this program knows version ${program}, and the oldest that works is ${compatible}.`
}

/** Throws a DatabaseUnusable unless this program works with the tables in the database. */
export async function requireSchema(client: ClientBase): Promise<void> {
	const why = whyUnusable(await schemaVersion(client))
	if (why !== undefined) throw new DatabaseUnusable('schema', why)
}
