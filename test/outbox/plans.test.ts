/** How much of the tables a batch reads. The server keeps the plans of a connection, whatever the tables hold later. */
import { setTimeout as wait } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { has } from '../tools.ts'
import { freshSettings, opened, serverOfFile } from './postgres-rig.ts'
import { batchOf, entry } from './rig.ts'

describe.skipIf(!has('postgres'))('on a server', () => {
	const server = serverOfFile()

	test('with plans made while little waited, a batch does not read all that waits', async () => {
		const settings = await freshSettings(server(), { schedule: ['0s'] })
		const store = await opened(settings)
		const waiting = (count: number, name: string) =>
			Array.from({ length: count }, (_, i) => entry(`${name}-${i}`, `${name}-${i % Math.ceil(count / 2)}`))
		/** Delivers so many, five at once. */
		async function deliver(count: number): Promise<void> {
			let ended: string[] = []
			for (let left = count; left >= 0; left -= 5) {
				const outcomes = ended.map((id) => ({ id, result: 'delivered' }) as const)
				const { claimed } = await store.commit(batchOf({ outcomes, room: { in: Math.min(left, 5) } }))
				ended = claimed.map(({ id }) => id)
			}
		}
		/** Entries of indexes and rows that were read. */
		async function readSoFar(): Promise<number> {
			// A connection tells its figures when it is used, once a second.
			await wait(1100)
			await store.commit(batchOf({}))
			const [row] = await server().query(
				`SELECT (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE relname = 'events')::int
				+ (SELECT seq_tup_read FROM pg_stat_user_tables WHERE relname = 'events')::int AS read`,
				settings.postgres.url,
			)
			return Number(row?.read)
		}
		await store.commit(batchOf({ entries: waiting(20, 'few') }))
		await deliver(20)
		await store.commit(batchOf({ entries: waiting(4000, 'many') }))
		const before = await readSoFar()
		await deliver(200)
		const each = ((await readSoFar()) - before) / 200
		expect(each).toBeGreaterThan(1)
		expect(each).toBeLessThan(60)
	}, 60_000)
})
