/** What a process does with its events in PostgreSQL when the answer to a batch was lost, or its connection. */
import { describe, expect, onTestFinished, test } from 'vitest'
import { openPostgresStore } from '../../src/node/outbox/postgres/store.ts'
import type { Batch } from '../../src/node/outbox/store.ts'
import { lineTo } from '../harness/network-line.ts'
import { testScope } from '../servers.ts'
import { has } from '../tools.ts'
import { freshSettings, serverOfFile, settingsIn } from './postgres-rig.ts'
import { batchOf, entry } from './rig.ts'

const all = { in: 1000 }
const delivered = (id: string) => ({ id, result: 'delivered' }) as const

describe.skipIf(!has('postgres'))('on a server', () => {
	const server = serverOfFile()

	/** A store whose connection runs over a line, and what the database holds. */
	async function storeOnLine() {
		const direct = await freshSettings(server())
		const line = await lineTo(testScope, server().port)
		const settings = settingsIn(direct.postgres.url.replace(`:${server().port}/`, `:${line.port}/`), {})
		const store = await openPostgresStore(settings)
		let isOpen = true
		const close = async () => {
			if (isOpen) await store.close()
			isOpen = false
		}
		onTestFinished(close)
		let now = 0
		/** `now` goes on, so that what happens once a second happens. */
		const commit = (given: Partial<Batch> = {}, passed = 1000) => {
			now += passed
			return store.commit(batchOf({ now, room: all, ...given }))
		}
		const rows = (sql: string) => server().query(sql, direct.postgres.url)
		/** Tries until the connection is there again. */
		const commitAgain = (given: Partial<Batch> = {}) =>
			expect.poll(
				() =>
					commit(given).then(
						({ claimed }) => claimed.map(({ id }) => id),
						() => 'failed',
					),
				{ timeout: 20_000 },
			)
		return { line, store, commit, commitAgain, close, rows }
	}

	/** Commits a batch, of which the answer is lost after the server has stored it. */
	async function loseAnswer({ line, commit, rows }: Awaited<ReturnType<typeof storeOnLine>>, batch: Partial<Batch>) {
		await commit({ room: {} })
		line.loseAnswers()
		// No time has passed: the batch is all that the server is told.
		const lost = commit(batch, 0).then(
			() => 'answered',
			() => 'lost',
		)
		const owned = 'SELECT id FROM dragoman.events WHERE owner IS NOT NULL'
		await expect.poll(async () => (await rows(owned)).length).toBeGreaterThan(0)
		line.cut()
		expect(await lost).toBe('lost')
	}

	test('what a batch claimed of which the answer was lost is claimed again, and not as interrupted', async () => {
		const opened = await storeOnLine()
		await opened.commit({ entries: [entry('a1', 'a'), entry('a2', 'a')], room: {} })
		await loseAnswer(opened, { entries: [entry('b1', 'b')] })
		const found: unknown[] = []
		await expect
			.poll(
				() =>
					opened.commit().then(
						({ claimed }) => found.push(...claimed.map(({ id, interrupted }) => `${id} ${interrupted}`)),
						() => 0,
					),
				{ timeout: 20_000 },
			)
			.toBe(2)
		expect(found.toSorted()).toEqual(['a1 false', 'b1 false'])
		const { claimed } = await opened.commit({ outcomes: [delivered('a1')] })
		expect(claimed).toMatchObject([{ id: 'a2' }])
	})

	test('an event under way whose answer was lost is ended by its outcome, and those behind it follow', async () => {
		const opened = await storeOnLine()
		await loseAnswer(opened, { entries: [{ ...entry('held', 'c'), underWay: true }, entry('behind', 'c')] })
		await opened.commitAgain({ outcomes: [delivered('held')] }).toEqual(['behind'])
		expect(await opened.rows('SELECT id FROM dragoman.events')).toEqual([{ id: 'behind' }])
	})

	test('what a process is delivering it does not begin a second time when it takes over from its own lost connection', async () => {
		const { line, commit, commitAgain, rows } = await storeOnLine()
		expect((await commit({ entries: [entry('a1', 'a'), entry('a2', 'a')] })).claimed).toMatchObject([{ id: 'a1' }])
		line.cut({ isKept: true })
		// The server still holds the lock of the connection, so the process gets another id.
		await commitAgain().toEqual([])
		line.heal()
		const owner = `SELECT owner, lapses FROM dragoman.events WHERE id = 'a1'`
		const took: unknown[] = []
		await expect
			.poll(
				async () => {
					took.push(
						...(await commit().then(
							({ claimed }) => claimed,
							() => [],
						)),
					)
					return rows(owner)
				},
				{ timeout: 20_000 },
			)
			.toMatchObject([{ owner: expect.any(Number), lapses: 1 }])
		expect(took).toEqual([])
		expect((await commit({ outcomes: [delivered('a1')] })).claimed).toMatchObject([{ id: 'a2' }])
	})

	test('a store closes although its network has gone silent', async () => {
		const { line, close } = await storeOnLine()
		line.silence()
		await close()
	})
})
