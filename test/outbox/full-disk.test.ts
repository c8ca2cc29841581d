/** A disk that is full: room is taken before it is needed, and what does not fit is not lost. */
import { copyFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import type { Batch, Committed } from '../../src/node/outbox/store.ts'
import { batchOf, delivery, entry, folder, outboxOn, settingsOf, storeOf } from './parts.ts'

const mebibyte = 1024 * 1024

test.each([
	['small events', 1, 300],
	['large events', 1, 90_000],
	['many at once', 40, 2000],
])('whenever it is killed, what is in the log fits into the file as it is: %s', (_, atOnce, bytes) => {
	const settings = settingsOf({ maxBytes: 4 * mebibyte })
	const store = storeOf(settings)
	const log = () => statSync(`${settings.file}-wal`).size
	let most = 0
	for (let n = 0, full = false; !full && n < 300; n++) {
		const entries = Array.from({ length: atOnce }, (_, i) => entry(`e${n}-${i}`, `c${i}`, 'x'.repeat(bytes)))
		full = store.commit(batchOf({ entries, now: n })).entries.includes('outbox-full')
		if (n % 10 !== 0 && bytes < 1000) continue
		const copy = join(folder(), 'outbox.db')
		copyFileSync(settings.file, copy)
		copyFileSync(`${settings.file}-wal`, `${copy}-wal`)
		const db = new DatabaseSync(copy)
		const pages = Number(db.prepare('PRAGMA page_count').get()?.page_count)
		expect(statSync(copy).size).toBeGreaterThanOrEqual(pages * 4096)
		db.close()
		// What ends events is written into a log that is on the disk already.
		expect(log()).toBeGreaterThanOrEqual(64 * 1024)
		most = Math.max(most, log())
	}
	expect(statSync(settings.file).size).toBeLessThanOrEqual(4 * mebibyte)
	expect(most).toBeLessThan(2 * mebibyte)
})

test('while another program reads the file for long, events are rejected before the log is as large as the file', async () => {
	const settings = settingsOf({ maxBytes: 4 * mebibyte })
	const store = storeOf(settings)
	store.commit(batchOf({ entries: [entry('first')] }))
	const reader = new DatabaseSync(settings.file, { readOnly: true })
	reader.exec('BEGIN; SELECT count(*) FROM events')
	let now = 0
	const take = () => {
		now += 2000
		const entries = [entry(`e${now}`, undefined, 'x'.repeat(2000))]
		const outcomes = [{ id: `e${now - 2000}`, result: 'delivered' } as const]
		return store.commit(batchOf({ now, entries, outcomes, room: { in: 1 } })).entries[0]
	}
	let accepted = 0
	while (take() !== 'outbox-full' && accepted < 5000) accepted++
	expect(accepted).toBeGreaterThan(50)
	expect(accepted).toBeLessThan(5000)
	expect(statSync(`${settings.file}-wal`).size).toBeLessThan(4 * mebibyte)
	expect(take()).toBe('outbox-full')
	reader.close()
	expect(take()).toBeUndefined()
	expect(take()).toBeUndefined()
	expect(statSync(`${settings.file}-wal`).size).toBeLessThan(2 * mebibyte)
})

test('an outcome for which the disk has no room is part of the next batch', async () => {
	const batches: Batch[] = []
	let room = false
	const store = {
		routes: [],
		async commit(batch: Batch): Promise<Committed> {
			batches.push(batch)
			const claimed =
				batches.length === 1
					? [
							{
								id: 'e1',
								route: 'in',
								payload: JSON.stringify(delivery('e1')),
								failed: 0,
								acceptedAt: 0,
								interrupted: false,
							},
						]
					: []
			const unstored = room ? [] : batch.outcomes
			return { entries: [], claimed, nextAt: undefined, crowdedOut: 0, unstored }
		},
		async close() {},
	}
	const { clock, attempts } = outboxOn(store, settingsOf({}), () => 200)
	await clock.pass(3500)
	const ended = { id: 'e1', result: 'delivered' }
	// Once a second, not again and again at once.
	expect(batches.length).toBeLessThan(8)
	expect(batches.slice(1).map(({ outcomes }) => outcomes)).toEqual(batches.slice(1).map(() => [ended]))
	room = true
	await clock.pass(3000)
	expect(batches.at(-1)?.outcomes).toEqual([])
	expect(attempts).toHaveLength(1)
})
