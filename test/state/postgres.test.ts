/** The State in PostgreSQL, on a real server: what every State does, and what is particular to this store. */
import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Offer } from '../../src/fit/index.ts'
import { limits } from '../../src/limits.ts'
import type { CanonicalReply } from '../../src/model/index.ts'
import { migrate } from '../../src/node/postgres/migrations.ts'
import { openState } from '../../src/node/state/open-state.ts'
import { openPostgresStore } from '../../src/node/state/postgres-store.ts'
import { createSharedState, type SharedState } from '../../src/node/state/shared-state.ts'
import type { LogLine } from '../../src/runtime.ts'
import { startNetwork } from '../harness/network.ts'
import { changeSetting, type PostgresServer, postgresPassword, startPostgres } from '../harness/postgres.ts'
import { testScope } from '../servers.ts'
import { claim, openChoices, settle } from '../state-steps.ts'
import { stateSuite } from '../state-suite.ts'
import { has } from '../tools.ts'
import { user } from './rig.ts'

/** Milliseconds that a test never waits for. */
const long = 60_000
const offer: Offer = { set: 'messages[0]', label: 'Tea', choice: { title: 'Tea', value: 'x7' } }

describe.skipIf(!has('postgres'))('the state in PostgreSQL', () => {
	const ends: (() => unknown)[] = []
	const failures: string[] = []
	const forgot = (failure: string | undefined) => failure !== undefined && failures.push(`forget: ${failure}`)
	let shared: SharedState | undefined
	let server: PostgresServer | undefined
	let url = ''
	beforeAll(async () => {
		server = await startPostgres({ after: (end) => ends.push(end) })
		url = await server.database()
		const settings = { url, migrate: false }
		await migrate(settings)
		const opened = await createSharedState({
			timeout: 10_000,
			open: ({ wake }) => openPostgresStore(settings, 10_000, { wake, forgot }),
			failed: (did, cause) => failures.push(`${did}: ${cause}`),
			recovered() {},
		})
		ends.push(opened.close)
		await opened.identify()
		shared = opened
	}, 60_000)
	afterAll(async () => {
		for (const end of ends.reverse()) await end()
		expect(failures).toEqual([])
	})

	stateSuite('PostgreSQL', () => {
		if (!shared) throw new Error('not started')
		return shared.state
	})

	const steps = async () => {
		if (!shared || !server) throw new Error('not started')
		return { state: shared.state, query: (sql: string) => server?.query(sql, url) ?? [] }
	}
	const partition = `floor(extract(epoch FROM now()) / ${(limits.rememberedTime.value / 2) * 3600})::bigint`
	const day = `interval '${limits.rememberedTime.value} hours'`

	test('is told no user', async () => {
		const { state, query } = await steps()
		await openChoices(state, `in ${user}`)
		await state.settle(`in ${user}`, { reply: { turnId: 'turn', offers: [offer] } })
		await claim(state, `in ${user}`, 'a call', long)
		const rows = await query('SELECT conversation, call FROM dragoman.memories')
		expect(rows.length).toBeGreaterThan(1)
		expect(JSON.stringify(rows)).not.toContain(user)
	})

	test('forgets everything after a day, whatever has come since', async () => {
		const { state, query } = await steps()
		const c = 'a conversation of yesterday'
		const late = (text: string): CanonicalReply => ({
			messages: [{ type: 'text', text }],
			attributes: { session: {}, user: {} },
		})
		const answer = { status: 200, headers: [], body: 'Hello' }
		const fenceOf = async (call: string) => {
			const held = await claim(state, c, call, long)
			return 'fence' in held ? held.fence : 0
		}
		const reply = { turnId: 'old', offers: [offer] }
		await state.settle(c, { claim: { call: 'old', fence: await fenceOf('old'), answer }, reply })
		await state.addLateReply(c, late('old'))
		await query(`UPDATE dragoman.memories SET at = at - ${day} + interval '1 minute'`)
		expect(await claim(state, c, 'old', long)).toEqual({ answer })
		expect(await openChoices(state, c)).toHaveLength(1)
		await query(`UPDATE dragoman.memories SET at = at - interval '1 minute'`)
		await state.addLateReply(c, late('new'))
		expect(await openChoices(state, c)).toEqual([])
		expect(await state.takeLateReplies(c)).toEqual([late('new')])
		expect(await claim(state, c, 'old', 1)).toEqual({ fence: expect.any(Number) })
	})

	test('empties the partition that is used next, and no other', async () => {
		const { state, query } = await steps()
		await claim(state, 'kept', 'a call', long)
		for (const ago of [1, 2, 3]) {
			await query(
				`INSERT INTO dragoman.memories (part, conversation, at) VALUES ((${partition} - ${ago}) % 4, 'ago ${ago}', now())`,
			)
		}
		await query('SELECT dragoman.empty_partition_1()')
		const left = await query(`SELECT conversation FROM dragoman.memories WHERE conversation LIKE 'ago %' ORDER BY 1`)
		expect(left).toEqual([{ conversation: 'ago 1' }, { conversation: 'ago 2' }])
		expect(await claim(state, 'kept', 'another', long)).toEqual({ fence: expect.any(Number) })
	})

	test('says once that it may not delete what is old, and that it may again; an observer is told each time', async () => {
		if (!server) throw new Error('not started')
		const owners = await server.database()
		const query = (sql: string) => server?.query(sql, owners) ?? Promise.resolve([])
		await migrate({ url: owners, migrate: false })
		await query(`CREATE ROLE keeping LOGIN PASSWORD '${postgresPassword}'`)
		await query(`GRANT USAGE ON SCHEMA dragoman TO keeping;
			GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA dragoman TO keeping;
			INSERT INTO dragoman.memories (part, conversation, at) VALUES ((${partition} + 1) % 4, 'old', now() - ${day})`)
		const left = () => query(`SELECT conversation FROM dragoman.memories WHERE conversation = 'old'`)
		const [lines, seen]: [LogLine[], string[]] = [[], []]
		const url = owners.replace('//postgres:', '//keeping:')
		const { identify, state, close } = await openState(
			{ store: 'postgres', url, migrate: false, timeout: 10_000 },
			{
				log: (line) => void lines.push(line),
				elapsed: () => performance.now(),
				observer: { stateFailure: ({ did }) => void seen.push(did) },
			},
		)
		testScope.after(close)
		// A start tries it, and so does each of these.
		for (const times of [1, 2, 3]) {
			await expect.poll(() => seen).toEqual(Array(times).fill('forget'))
			await identify()
		}
		await expect.poll(() => seen).toHaveLength(4)
		const cause = expect.stringMatching(/permission denied for table memories_\d \(SQLSTATE 42501\)/)
		const failing = { level: 'warn', msg: 'state', store: 'postgres', did: 'forget', cause }
		expect([lines, await left()]).toEqual([[failing], [{ conversation: 'old' }]])
		// It is no trouble of turns, and ends with none of them.
		expect(await claim(state, 'c', 'call', long)).toEqual({ fence: expect.any(Number) })

		await query('GRANT TRUNCATE ON ALL TABLES IN SCHEMA dragoman TO keeping')
		for (let tries = 0; tries < 2; tries++) await identify()
		await expect.poll(() => lines.length).toBe(2)
		const works = { level: 'info', msg: 'state', store: 'postgres', did: 'forget' }
		expect([lines, seen.length, await left()]).toEqual([[failing, works], 4, []])
	})

	test('keeps nothing on disk but in unlogged tables', async () => {
		const { query } = await steps()
		const kinds = await query(
			`SELECT DISTINCT relpersistence AS kind FROM pg_class WHERE relname ~ '^memories_\\d' AND relkind IN ('r', 'i')`,
		)
		expect(kinds).toEqual([{ kind: 'u' }])
	})

	test('takes many turns of few conversations at once, on several connections: each call is claimed once', async () => {
		const { state } = await steps()
		const answer = { status: 200, headers: [], body: 'Hello' }
		let claimed = 0
		const turn = async (n: number): Promise<unknown> => {
			const [c, call] = [`busy ${n % 7}`, `call ${n % 100}`]
			const held = await claim(state, c, call, long)
			if (!('fence' in held)) return held
			claimed++
			const reply = { turnId: `turn ${n}`, offers: [offer] }
			await state.settle(c, { claim: { call, fence: held.fence, answer }, reply })
			return { answer }
		}
		const answers = await Promise.all(Array.from({ length: 1400 }, (_, n) => turn(n)))
		expect(answers.every((each) => JSON.stringify(each) === JSON.stringify({ answer }))).toBe(true)
		expect(claimed).toBe(700)
	})

	test('may be read-only, as after a failover: turns go on', async () => {
		if (!server) throw new Error('not started')
		const failed: string[] = []
		const other = await server.database()
		await migrate({ url: other, migrate: false })
		await server.query(`ALTER DATABASE ${new URL(other).pathname.slice(1)} SET default_transaction_read_only = on`)
		const readOnly = await createSharedState({
			open: ({ wake }) => openPostgresStore({ url: other, migrate: false }, 10_000, { wake, forgot }),
			timeout: 10_000,
			failed: (_, cause) => failed.push(cause),
			recovered() {},
		})
		testScope.after(readOnly.close)
		expect(await claim(readOnly.state, 'c', 'call', long)).toEqual({ held: false })
		expect(failed).toEqual([expect.stringContaining('25006')])
	})

	test('after a failover that left its connections to the old primary, who waits is woken by the new one', async () => {
		const [old, next] = [await startPostgres(testScope), await startPostgres(testScope)]
		const [oldUrl, nextUrl] = [await old.database(), await next.database()]
		for (const each of [oldUrl, nextUrl]) await migrate({ url: each, migrate: false })
		const address = await startNetwork(testScope, old.port)
		const settings = { url: oldUrl.replace(`:${old.port}/`, `:${address.port}/`), migrate: false }
		const open = async () => {
			const opened = await createSharedState({
				open: ({ wake }) => openPostgresStore(settings, 10_000, { wake, forgot }),
				...{ timeout: 10_000, failed() {}, recovered() {} },
			})
			testScope.after(opened.close)
			return opened.state
		}
		const [one, other] = [await open(), await open()]
		const answer = { status: 200, headers: [], body: 'Hello' }
		let calls = 0
		/** Whether a call that waits for the same one at the other gateway has its answer soon after that is there. */
		const isWoken = async (): Promise<boolean> => {
			const call = `call ${calls++}`
			const held = await claim(one, 'c', call, long)
			if (!('fence' in held)) return false
			const waiting = claim(other, 'c', call, long)
			await wait(200)
			await settle(one, 'c', call, held.fence, answer)
			const got = await Promise.race([waiting, wait(2000)])
			return got !== undefined && 'answer' in got
		}
		await expect.poll(isWoken, { timeout: 20_000 }).toBe(true)
		await changeSetting(old, 'default_transaction_read_only = on')
		address.leadTo(next.port)
		await expect.poll(isWoken, { timeout: 30_000 }).toBe(true)
	}, 60_000)

	test('says what to do when it has no tables, and makes them at the start where that is asked for', async () => {
		if (!server) throw new Error('not started')
		const other = await server.database()
		const opened = (migrate: boolean) =>
			createSharedState({
				open: ({ wake }) => openPostgresStore({ url: other, migrate }, 10_000, { wake, forgot }),
				...{ timeout: 10_000, failed() {}, recovered() {} },
			})
		const without = await opened(false)
		testScope.after(without.close)
		await expect(without.identify()).rejects.toThrow('The database has no tables of Dragoman. Run ')
		const making = await opened(true)
		testScope.after(making.close)
		expect(await making.identify()).toMatch(/^postgresql /)
		expect(await claim(making.state, 'c', 'call', long)).toEqual({ fence: expect.any(Number) })
	})

	test('says which version it is', async () => {
		expect(await shared?.identify()).toMatch(/^postgresql \d+\.\d+/)
	})
})
