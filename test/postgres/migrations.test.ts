/** Our tables in PostgreSQL: how they come to be, and which programs work with them. */
import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type PostgresSettings, readOutbox } from '../../src/config/index.ts'
import { openPostgresStore } from '../../src/node/outbox/postgres/store.ts'
import { connect, createPool, requireDurable } from '../../src/node/postgres/connection.ts'
import {
	migrate,
	migrations,
	programVersion,
	requireSchema,
	schemaVersion,
	whyUnusable,
} from '../../src/node/postgres/migrations.ts'
import { reachDatabase } from '../../src/node/postgres/reach-database.ts'
import { outboxRights } from '../../src/node/postgres/rights.ts'
import { type PostgresServer, postgresPassword, startPostgres } from '../harness/postgres.ts'
import { has } from '../tools.ts'

describe.skipIf(!has('postgres'))('on a server', () => {
	let server: PostgresServer
	const ends: (() => unknown)[] = []
	beforeAll(async () => {
		server = await startPostgres({ after: (end) => void ends.push(end) })
	})
	afterAll(async () => {
		for (const end of ends) await end()
	})

	const fresh = async (): Promise<PostgresSettings> => ({ url: await server.database(), migrate: false })
	async function versionIn(settings: PostgresSettings) {
		const client = await connect(settings)
		try {
			return await schemaVersion(client)
		} finally {
			await client.end()
		}
	}
	async function require(settings: PostgresSettings): Promise<void> {
		const client = await connect(settings)
		try {
			await requireSchema(client)
		} finally {
			await client.end()
		}
	}
	const step = (sql: string, compatible: number) => ({ name: 'test', sql, compatible })

	test('an empty database gets the tables, and a second run finds nothing to do', async () => {
		const settings = await fresh()
		await expect(require(settings)).rejects.toThrow(/has no tables of Dragoman\. Run ".*outbox migrate"\./)
		expect(await migrate(settings)).toEqual({ from: 0, to: programVersion })
		await require(settings)
		expect(await migrate(settings)).toEqual({ from: programVersion, to: programVersion })
		expect((await versionIn(settings)).version).toBe(migrations.length)
	})

	test('of several runs at once, one does the work and the others wait for it', async () => {
		const settings = await fresh()
		const runs = await Promise.all(Array.from({ length: 5 }, () => migrate(settings)))
		expect(runs.filter(({ from }) => from === 0)).toHaveLength(1)
		expect(runs.every(({ to }) => to === programVersion)).toBe(true)
	})

	test('a step that fails leaves everything as it was', async () => {
		const settings = await fresh()
		const [first] = migrations
		if (!first) throw new Error('there is a first version')
		const bad = [first, step('CREATE TABLE dragoman.later (a int)', 1), step('SELECT no_such_function()', 1)]
		await expect(migrate(settings, bad)).rejects.toThrow(/no_such_function/)
		expect(await versionIn(settings)).toEqual({ version: 0, compatible: 0 })
		await migrate(settings)
		expect(await migrate(settings, [...migrations, step('CREATE TABLE dragoman.later (a int)', 1)])).toEqual({
			...{ from: programVersion, to: programVersion + 1 },
		})
	})

	test('a program works with tables of the next release if that release says so', async () => {
		const settings = await fresh()
		await migrate(settings, [...migrations, step('SELECT 1', programVersion)])
		await require(settings)
		// The older program does not undo what the newer one did.
		expect(await migrate(settings)).toEqual({ from: programVersion + 1, to: programVersion + 1 })
		await migrate(settings, [...migrations, step('SELECT 1', programVersion), step('SELECT 1', programVersion + 1)])
		await expect(require(settings)).rejects.toThrow(/needs a newer release: this program knows version \d+, and the/)
	})

	test('functions have a number in their names, and the release before finds those that it calls without one', async () => {
		const settings = await fresh()
		const call = JSON.stringify([{ kind: 'begin', conversation: 'c', call: 'x', fence: 1, lease: 60_000 }])
		const begin = (name: string) => ({ name, text: `SELECT word FROM dragoman.${name}($1)`, values: [call] })
		await migrate(settings, migrations.slice(0, 2))
		const [before, after] = [await connect(settings), await connect(settings)]
		try {
			expect((await before.query(begin('take_steps'))).rows).toEqual([{ word: 'replies' }])
			await migrate(settings)
			expect(whyUnusable(await versionIn(settings), 2)).toBeUndefined()
			// One connection knows the statement from before, and the other does not.
			for (const client of [before, after]) {
				for (const name of ['take_steps', 'take_steps_1'])
					expect((await client.query(begin(name))).rows).toEqual([{ word: 'pending' }])
				await client.query('SELECT dragoman.empty_partition(), dragoman.empty_partition_1()')
			}
			const { rows } = await after.query(
				`SELECT proname AS name FROM pg_proc WHERE pronamespace = 'dragoman'::regnamespace AND proname !~ '_\\d+$' ORDER BY 1`,
			)
			expect(rows.map(({ name }) => name)).toEqual(['empty_partition', 'take_steps'])
		} finally {
			await Promise.all([before, after].map((client) => client.end()))
		}
	})

	test('a database that cannot be reached is described without user and password', async () => {
		const url = await server.database()
		const cases = [
			[url.replace(postgresPassword, 'wrong-canary-of-a-password'), /password authentication failed/],
			[url.replace('test_', 'none_'), /does not exist/],
			[url.replace(`:${server.port}`, ':9'), /ECONNREFUSED/],
		] as const
		for (const [wrong, why] of cases) {
			const error = await connect({ url: wrong, migrate: false }).catch((thrown: unknown) => thrown)
			expect(error).toMatchObject({ name: 'DatabaseUnusable', reason: 'unreachable' })
			expect(`${error}`).toMatch(why)
			expect(`${error}`).toMatch(/^DatabaseUnusable: The PostgreSQL database 127\.0\.0\.1:\d+\/\w+ cannot be reached/)
			expect(`${error}`).not.toContain('canary-of-a-password')
		}
	})

	test('a URL that the driver cannot read is described without its password', async () => {
		const url = (await server.database()).replace(postgresPassword, `${postgresPassword}%ZZ`)
		const error = await connect({ url, migrate: false }).catch((thrown: unknown) => thrown)
		expect(error).toMatchObject({ name: 'DatabaseUnusable', reason: 'unreachable' })
		expect(inspect(error)).not.toContain(postgresPassword)
	})

	test('a database that cannot store every text is refused', async () => {
		await server.query(`CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0`)
		const url = (await server.database()).replace(/\/\w+$/, '/latin')
		await expect(migrate({ url, migrate: false })).rejects.toThrow(/has the encoding LATIN1\. Create one with UTF8\./)
	})

	test.each([
		['130022', /^The PostgreSQL server is too old, with version 13\. Update it to 14 or newer\.$/],
		['90624', /^The PostgreSQL server is too old, with version 9\. Update it to 14 or newer\.$/],
		['140000', undefined],
	])(
		'a server that says that it has version %s is taken, or refused before anything is made in it',
		async (version, why) => {
			const settings = await fresh()
			const database = new URL(settings.url).pathname.slice(1)
			await server.query(
				`CREATE FUNCTION public.current_setting(name text) RETURNS text LANGUAGE sql AS $$
				SELECT CASE name WHEN 'server_version_num' THEN '${version}' ELSE pg_catalog.current_setting(name) END
			$$;
			ALTER DATABASE ${database} SET search_path = public, pg_catalog`,
				settings.url,
			)
			const outcome = await migrate(settings).catch((thrown: unknown) => thrown)
			const { error } = await reachDatabase({ ...settings, migrate: true }, requireDurable, outboxRights)
			if (why === undefined) {
				expect([outcome, error]).toEqual([{ from: 0, to: programVersion }, undefined])
				return
			}
			expect(outcome).toMatchObject({
				name: 'DatabaseUnusable',
				reason: 'too-old',
				message: expect.stringMatching(why),
			})
			expect(error).toMatch(why)
			expect(await server.query(`SELECT to_regnamespace('dragoman') AS made`, settings.url)).toEqual([{ made: null }])
		},
	)

	test('what the server refuses is described, and not thrown as it is', async () => {
		const settings = await fresh()
		await server.query(`CREATE ROLE plain LOGIN PASSWORD '${postgresPassword}'`)
		const plain = { url: settings.url.replace('//postgres:', '//plain:'), migrate: false }
		const refused = {
			name: 'DatabaseUnusable',
			reason: 'refused',
			message: expect.stringContaining('permission denied'),
		}
		await expect(migrate(plain)).rejects.toMatchObject(refused)
		await migrate(settings)
		const outbox = readOutbox({ outbox: { postgres: { env: 'DATABASE_URL' } } }, { DATABASE_URL: plain.url })
		if (!outbox || !('postgres' in outbox)) throw new Error('it is in a database')
		await expect(openPostgresStore(outbox)).rejects.toMatchObject(refused)
		expect(await reachDatabase(plain, requireDurable, outboxRights)).toMatchObject({
			error: expect.stringContaining('permission denied'),
		})
	})

	test('a pool opens connections as they are needed, and each has the limits of time', async () => {
		const pool = createPool(await fresh(), 2)
		try {
			const ask = () => pool.query('SHOW statement_timeout; SELECT pg_sleep(0.2)')
			const [first, ...rest] = await Promise.all([ask(), ask(), ask()])
			expect(first).toMatchObject([{ rows: [{ statement_timeout: '8s' }] }, {}])
			expect([rest.length, pool.totalCount]).toEqual([2, 2])
		} finally {
			await pool.end()
		}
	})

	test('a server that would lose what it confirms is refused, and so is a read-only one', async () => {
		const own: (() => unknown)[] = []
		const unsafe = await startPostgres({ after: (end) => void own.push(end) })
		try {
			const settings = { url: await unsafe.database(), migrate: false }
			const open = async () => {
				const client = await connect(settings)
				try {
					await requireDurable(client)
					const { rows } = await client.query('SHOW synchronous_commit')
					return rows[0]?.synchronous_commit
				} finally {
					await client.end()
				}
			}
			await unsafe.stop('fast')
			await unsafe.start('synchronous_commit=off')
			expect(await open()).toBe('on')
			await unsafe.stop('fast')
			await unsafe.start('synchronous_commit=remote_apply')
			expect(await open()).toBe('remote_apply')
			await unsafe.stop('fast')
			await unsafe.start('default_transaction_read_only=on')
			await expect(open()).rejects.toMatchObject({ reason: 'read-only' })
			await unsafe.stop('fast')
			await unsafe.start('fsync=off')
			await expect(open()).rejects.toThrow(/fsync = off: .+ Set it to on\.$/)
		} finally {
			for (const end of own) await end()
		}
	})
})

test('a program says which tables it works with', () => {
	const why = (version: number, compatible: number) => whyUnusable({ version, compatible }, 3)
	expect(why(2, 1)).toMatch(/have version 2, and this program needs version 3\. Run/)
	expect(why(3, 3)).toBeUndefined()
	expect(why(4, 3)).toBeUndefined()
	expect(why(4, 4)).toMatch(/version 4, which needs a newer release/)
})
