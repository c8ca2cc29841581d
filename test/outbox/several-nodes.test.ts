/** Several processes share one outbox in PostgreSQL: order, ended processes, clocks, and a server that fails. */
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Client } from 'pg'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { PostgresOutboxSettings } from '../../src/config/index.ts'
import type { Claimed } from '../../src/node/outbox/claims.ts'
import { openOutbox } from '../../src/node/outbox/open-outbox.ts'
import { openRecords } from '../../src/node/outbox/open-records.ts'
import type { Committed } from '../../src/node/outbox/store.ts'
import type { RemoteStore } from '../../src/node/outbox/store-client.ts'
import { postgresPassword, startPostgres } from '../harness/postgres.ts'
import { gatewayTo, upstream } from '../servers.ts'
import { has } from '../tools.ts'
import { freshSettings, opened, pass, serverOfFile } from './postgres-rig.ts'
import { batchOf, delivery, entry } from './rig.ts'

const all = { in: 1000 }
const hour = 3_600_000
const delivered = (id: string) => ({ id, result: 'delivered' }) as const
const idsOf = (claimed: readonly Claimed[]) => claimed.map(({ id }) => id)

describe.skipIf(!has('postgres'))('on a server', () => {
	const server = serverOfFile()
	/** A batch that claims whatever is due. `now` goes on, so that what happens once a second happens. */
	let now = 0
	const later = () => {
		now += 1000
		return now
	}
	const claim = (store: RemoteStore, outcomes: readonly ReturnType<typeof delivered>[] = []) =>
		store.commit(batchOf({ now: later(), outcomes, room: all }))
	const query = (settings: PostgresOutboxSettings, sql: string) => server().query(sql, settings.postgres.url)
	/** Ends every connection to the database, as a network that is cut does. */
	const cut = (settings: PostgresOutboxSettings) =>
		query(
			settings,
			'SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
		)

	test('two processes that store and deliver at the same time keep the order of each conversation', async () => {
		const settings = await freshSettings(server())
		const nodes = await Promise.all([opened(settings), opened(settings), opened(settings)])
		const lanes = ['a', 'b', 'c', 'd', 'e']
		/** The ids of each conversation, in the order in which they were delivered. */
		const went = new Map<string, string[]>(lanes.map((lane) => [lane, []]))
		const underWay = new Set<string>()
		let deliveries = 0
		async function run(store: RemoteStore, node: number): Promise<void> {
			let outcomes: ReturnType<typeof delivered>[] = []
			for (let round = 0; round < 400 && (round < 40 || deliveries < 600); round++) {
				const entries =
					round < 40 ? lanes.map((lane) => entry(`${lane}-${node}-${String(round).padStart(2, '0')}`, lane)) : []
				for (const { id } of outcomes) underWay.delete(id[0] ?? '')
				const { claimed } = await store.commit(batchOf({ now: round, entries, outcomes, room: { in: 3 } }))
				for (const { id } of claimed) {
					const lane = id[0] ?? ''
					// Only the head of a conversation is under way, whoever delivers it.
					expect([...underWay]).not.toContain(lane)
					underWay.add(lane)
					went.get(lane)?.push(id)
					deliveries++
				}
				outcomes = idsOf(claimed).map(delivered)
			}
			for (const { id } of outcomes) underWay.delete(id[0] ?? '')
			await store.commit(batchOf({ outcomes }))
		}
		await Promise.all(nodes.map(run))
		for (const lane of lanes) {
			const ids = went.get(lane) ?? []
			expect(new Set(ids).size).toBe(120)
			for (const node of [0, 1, 2]) {
				const own = ids.filter((id) => id.startsWith(`${lane}-${node}-`))
				expect(own).toEqual(own.toSorted())
			}
		}
	})

	test('the events of a process that was killed go to another at once, in their order', async () => {
		const settings = await freshSettings(server())
		const store = await opened(settings)
		const entries = ['a', 'b', 'c'].flatMap((lane) => [1, 2].map((n) => entry(`${lane}${n}`, lane)))
		await store.commit(batchOf({ entries }))
		const program = fileURLToPath(new URL('claiming-node.ts', import.meta.url))
		const child = spawn(process.execPath, [program], {
			env: { PATH: process.env.PATH, DATABASE_URL: settings.postgres.url },
			stdio: ['ignore', 'pipe', 'inherit'],
		})
		onTestFinished(() => void child.kill('SIGKILL'))
		const said = await new Promise<string>((done) => child.stdout.setEncoding('utf8').once('data', done))
		expect(said.trim().split(',').toSorted()).toEqual(['a1', 'b1', 'c1'])
		expect((await claim(store)).claimed).toEqual([])
		child.kill('SIGKILL')
		const taken: Claimed[] = []
		await expect.poll(async () => taken.push(...(await claim(store)).claimed)).toBe(3)
		expect(idsOf(taken).toSorted()).toEqual(['a1', 'b1', 'c1'])
		expect(taken.every(({ interrupted, failed }) => interrupted && failed === 0)).toBe(true)
		const next = await claim(store, ['a1', 'b1', 'c1'].map(delivered))
		expect(idsOf(next.claimed).toSorted()).toEqual(['a2', 'b2', 'c2'])
	})

	test('clocks that are apart move no attempt: the time is that of the server', async () => {
		const settings = await freshSettings(server())
		const [ahead, behind] = [await opened(settings), await opened(settings)]
		const [early, late] = [1_000_000_000_000, 1_000_000_300_000]
		await ahead.commit(batchOf({ now: late, entries: [entry('e1')], room: all }))
		const error = 'upstream-status' as const
		const outcomes = [{ id: 'e1', result: 'failed', error, nextAt: late + hour } as const]
		await ahead.commit(batchOf({ now: late, outcomes }))
		const { nextAt, claimed } = await behind.commit(batchOf({ now: early, room: all }))
		expect(claimed).toEqual([])
		expect(nextAt).toBeGreaterThan(early + hour - 60_000)
		expect(nextAt).toBeLessThanOrEqual(early + hour)
		await pass({ query: (sql: string) => query(settings, sql) }, hour)
		const again = await behind.commit(batchOf({ now: early, room: all }))
		expect(again.claimed).toMatchObject([{ id: 'e1', failed: 1 }])
		// Its age is that of the server as well.
		expect(early - (again.claimed[0]?.acceptedAt ?? 0)).toBeGreaterThanOrEqual(hour)
		expect(early - (again.claimed[0]?.acceptedAt ?? 0)).toBeLessThan(hour + 60_000)
	})

	test('a process whose connection was cut keeps its claims when it is back before others look', async () => {
		const settings = await freshSettings(server())
		const store = await opened(settings)
		expect(
			(await store.commit(batchOf({ entries: [entry('a1', 'a'), entry('a2', 'a')], room: all }))).claimed,
		).toHaveLength(1)
		await cut(settings)
		await expect
			.poll(() =>
				claim(store).then(
					({ claimed }) => claimed,
					() => 'failed',
				),
			)
			.toEqual([])
		expect(idsOf((await claim(store, [delivered('a1')])).claimed)).toEqual(['a2'])
	})

	test('once others have taken its events, a process that comes back changes nothing of them', async () => {
		const settings = await freshSettings(server())
		const [first, second] = [await opened(settings), await opened(settings)]
		await first.commit(batchOf({ entries: [entry('a1', 'a'), entry('a2', 'a')], room: all }))
		await query(
			settings,
			`SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory' AND objid = 1 AND classid = ${0x44726161}`,
		)
		const { claimed } = await claim(second)
		expect(claimed).toMatchObject([{ id: 'a1', interrupted: true }])
		await expect
			.poll(() =>
				claim(first, [delivered('a1')]).then(
					({ claimed }) => claimed,
					() => 'failed',
				),
			)
			.toEqual([])
		expect(idsOf((await claim(second, [delivered('a1')])).claimed)).toEqual(['a2'])
		await second.commit(batchOf({ now: later(), outcomes: [delivered('a2')] }))
		// It takes part again.
		await first.commit(batchOf({ now: later(), entries: [entry('b1', 'b')] }))
		expect(idsOf((await claim(first)).claimed)).toEqual(['b1'])
	})

	test('a process that stores more than it has room for calls the others', async () => {
		const settings = await freshSettings(server())
		const [first, second] = [await opened(settings), await opened(settings)]
		let called = 0
		second.onNews?.(() => called++)
		await second.commit(batchOf({ room: all }))
		await first.commit(batchOf({ now: later(), entries: [entry('x'), entry('y')], room: { in: 1 } }))
		await expect.poll(() => called).toBe(1)
		expect((await claim(second)).claimed).toHaveLength(1)
	})

	test('a key that one process does not have yet leaves its events to the others', async () => {
		const settings = await freshSettings(server(), { key: { env: 'ONE' } })
		const older = await opened(settings)
		const newer = await opened({ ...settings, keys: [Buffer.alloc(32, 2), Buffer.alloc(32, 1)] })
		await newer.commit(batchOf({ entries: [entry('e1', 'c')] }))
		expect((await claim(older)).claimed).toEqual([])
		expect((await claim(newer)).claimed).toMatchObject([{ id: 'e1', payload: '"e1"' }])
	})

	/** What a batch is worth while the server fails, and when it is back. */
	async function fails(settings: PostgresOutboxSettings, begin: () => Promise<unknown>, end: () => Promise<unknown>) {
		const store = await opened(settings)
		await store.commit(batchOf({ entries: [entry('before')] }))
		const during = async (id: string): Promise<Committed | Error> => {
			try {
				return await store.commit(batchOf({ now: later(), entries: [entry(id)] }))
			} catch (thrown) {
				return thrown instanceof Error ? thrown : new Error(String(thrown))
			}
		}
		await begin()
		const [first, second] = [await during('one'), await during('two')]
		await end()
		await expect.poll(() => during('after')).toMatchObject({ entries: [undefined] })
		const ids = idsOf((await claim(store)).claimed)
		expect(ids).toEqual(expect.arrayContaining(['before', 'after']))
		expect(new Set(ids).size).toBe(ids.length)
		for (const each of [first, second]) if (each instanceof Error) expect(each.message).not.toContain(postgresPassword)
		return { first, second, ids }
	}

	test.each(['fast', 'kill'] as const)(
		'a server that is ended (%s) and started again has lost nothing',
		async (how) => {
			const { first, second, ids } = await fails(
				await freshSettings(server()),
				() => server().stop(how),
				() => server().start(),
			)
			expect(first).toBeInstanceOf(Error)
			expect(`${second}`).toMatch(/cannot be reached: .*ECONNREFUSED/)
			expect(ids).toEqual(['before', 'after'])
		},
	)

	test('a server that has become read-only is left, and used again when it is the primary', async () => {
		const settings = await freshSettings(server())
		const name = new URL(settings.postgres.url).pathname.slice(1)
		const set = (value: string) => server().query(`ALTER DATABASE ${name} SET default_transaction_read_only = ${value}`)
		const { first, second, ids } = await fails(
			settings,
			async () => {
				await set('on')
				await cut({ ...settings })
			},
			() => set('off'),
		)
		expect(first).toBeInstanceOf(Error)
		expect(`${second}`).toMatch(/read-only\. Connect to the primary server/)
		expect(ids).toEqual(['before', 'after'])
	})

	test('a server without connections to spare refuses, and takes events again when there are some', async () => {
		const settings = await freshSettings(server())
		const clients: Client[] = []
		onTestFinished(async () => {
			await Promise.all(clients.map((client) => client.end().catch(() => {})))
		})
		const { second } = await fails(
			settings,
			async () => {
				await cut(settings)
				for (let open = true; open && clients.length < 100; ) {
					const client = new Client({ connectionString: settings.postgres.url })
					client.on('error', () => {})
					open = await client.connect().then(
						() => clients.push(client) > 0,
						() => false,
					)
				}
				// The server keeps no connection for the one that was cut.
				expect(clients.length).toBeGreaterThan(5)
			},
			() => Promise.all(clients.splice(0).map((client) => client.end())),
		)
		expect(`${second}`).toMatch(/too many clients|reserved for/)
	})

	test('a statement that waits for too long is ended, and its events are stored later', async () => {
		const settings = await freshSettings(server())
		const blocker = new Client({ connectionString: settings.postgres.url })
		onTestFinished(() => blocker.end())
		await blocker.connect()
		const { first } = await fails(
			settings,
			() => blocker.query('BEGIN; LOCK TABLE dragoman.events IN ACCESS EXCLUSIVE MODE'),
			() => blocker.query('ROLLBACK'),
		)
		expect(`${first}`).toMatch(/statement timeout \(SQLSTATE 57014\)/)
	})

	test.skipIf(process.getuid?.() !== 0)(
		'a server whose disk is full refuses events, loses none, and takes them again when there is room',
		async ({ skip }) => {
			const ends: (() => unknown)[] = []
			// One of its own: it could not start again without its disk.
			const own = await startPostgres({ after: (end) => void ends.push(end) })
			const small = join(own.folder, 'small')
			onTestFinished(async () => {
				await own.stop('fast')
				spawnSync('umount', ['-l', small])
				for (const end of ends) await end()
			})
			mkdirSync(small)
			const { uid, gid } = statSync(own.folder)
			const options = `size=4m,mode=700,uid=${uid},gid=${gid}`
			if (spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', small]).status !== 0)
				skip('nothing can be mounted')
			const settings = await freshSettings(own)
			await own.query(`CREATE TABLESPACE small LOCATION '${small}'`)
			await own.query('ALTER TABLE dragoman.events SET TABLESPACE small', settings.postgres.url)
			const store = await opened(settings)
			const stored: string[] = []
			let refusal: unknown
			for (let n = 0; refusal === undefined && n < 100; n++) {
				const one = entry(`e${n}`, undefined, 'x'.repeat(200_000))
				await store.commit(batchOf({ now: later(), entries: [one] })).then(
					() => stored.push(`e${n}`),
					(thrown: unknown) => {
						refusal = thrown
					},
				)
			}
			expect(`${refusal}`).toMatch(/No space left on device \(SQLSTATE 53100\)/)
			expect(stored.length).toBeGreaterThan(5)
			expect(spawnSync('mount', ['-o', 'remount,size=64m', small]).status).toBe(0)
			await store.commit(batchOf({ now: later(), entries: [entry('last')] }))
			const found: string[] = []
			for (let some = ['']; some.length > 0; found.push(...some)) some = idsOf((await claim(store)).claimed)
			expect(found.toSorted()).toEqual([...stored, 'last'].toSorted())
			await store.commit(batchOf({ now: later(), outcomes: found.map(delivered) }))
		},
	)

	test('the outbox delivers through a restart of the server, each event at least once and in order', async () => {
		const settings = await freshSettings(server())
		const backend = await upstream()
		const { runtime, routes, close } = await gatewayTo(backend.url)
		onTestFinished(close)
		const lines: string[] = []
		const outbox = await openOutbox(settings, () => routes, {
			...runtime,
			log: (line) => void lines.push(JSON.stringify(line)),
		})
		onTestFinished(() => outbox.close(1000))
		const accepted: string[] = []
		async function send(id: string): Promise<void> {
			const body = JSON.stringify({ version: 1, event: { id, conversation: 'c', text: '1' } })
			const one = { ...delivery(id, 'c'), request: { ...delivery(id).request, body } }
			await outbox.accept([one]).then(
				() => accepted.push(id),
				() => {},
			)
		}
		for (let n = 0; n < 20; n++) await send(`e${String(n).padStart(2, '0')}`)
		await server().stop('kill')
		await send('e20')
		await server().start()
		await expect
			.poll(() => send('e21').then(() => accepted.includes('e21')), { timeout: 20_000, interval: 200 })
			.toBe(true)
		const came = () => [...new Set(backend.calls.map(({ body }) => String(JSON.parse(body).event.id)))]
		await expect.poll(() => accepted.filter((id) => !came().includes(id)), { timeout: 20_000 }).toEqual([])
		expect(came()).toEqual(came().toSorted())
		expect(lines.join()).not.toContain(postgresPassword)
	})

	test('an operator lists, puts back, deletes and erases beside the processes', async () => {
		const settings = await freshSettings(server(), { key: { env: 'ONE' } })
		const store = await opened(settings)
		const entries = [entry('a1', 'in c'), entry('a2', 'in c'), entry('b1', 'in d'), entry('x')]
		await store.commit(batchOf({ entries, room: all }))
		const dead = (id: string) => ({ id, result: 'dead', error: 'upstream-status', reason: 'no \0 here' }) as const
		await store.commit(batchOf({ outcomes: [dead('a1'), dead('b1')], room: all }))
		const records = await openRecords(settings)
		onTestFinished(() => records.close())
		const silent = () => {}
		expect(await records.counts()).toEqual([
			['dead', 2],
			['waiting', 2],
		])
		expect(await records.list({ state: 'dead' }, 9)).toMatchObject([
			{ id: 'a1', attempts: 1, underWay: false, error: 'upstream-status (no \ufffd here)' },
			{ id: 'b1', route: 'in' },
		])
		expect(await records.list({ id: 'x' }, 9)).toMatchObject([{ state: 'waiting', underWay: true }])
		expect(await records.payload('a1')).toBe('"a1"')
		expect(await records.redrive({ state: 'dead' }, silent)).toBe(2)
		// At the end of its conversation, behind what is under way.
		expect(idsOf((await claim(store)).claimed)).toEqual(['b1'])
		expect(idsOf((await claim(store, [delivered('a2')])).claimed)).toEqual(['a1'])
		expect(await records.drop({ id: 'x' }, silent)).toBe(1)
		await store.commit(batchOf({ now: later(), entries: [entry('a3', 'in c')] }))
		expect(await records.erase('c', silent)).toMatchObject({ erased: 2, left: expect.stringContaining('backups') })
		expect((await records.list({}, 9)).map(({ id }) => id)).toEqual(['b1'])
		// The bytes of all events are what is left of them.
		await store.commit(batchOf({ now: later(), outcomes: [delivered('b1')] }))
		expect(await query(settings, 'SELECT sum(bytes) AS bytes, sum(ended_bytes) AS ended FROM dragoman.nodes')).toEqual([
			{ bytes: '0', ended: '0' },
		])
	})
})
