/** The file: what it promises, what it refuses, and what it keeps. */
import { copyFileSync, existsSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { OutboxError } from '../../src/node/index.ts'
import { batchOf, entry, folder, settingsOf, storeOf } from './parts.ts'

const dead = (id: string) => ({ id, result: 'dead', error: 'upstream-status' }) as const
const all = { in: 1000 }

/** All bytes of all files of the outbox. */
function bytesOf(file: string): Buffer {
	const names = readdirSync(dirname(file)).filter((name) => join(dirname(file), name).startsWith(file))
	return Buffer.concat(names.map((name) => readFileSync(join(dirname(file), name))))
}

test('the files can be read by their owner only', () => {
	const settings = settingsOf({})
	storeOf(settings).commit(batchOf({ entries: [entry('e1', 'c')] }))
	const modes = readdirSync(dirname(settings.file)).map(
		(name) => statSync(join(dirname(settings.file), name)).mode & 0o777,
	)
	expect(new Set(modes)).toEqual(new Set([0o600]))
})

test('no other process can open it meanwhile, by any path, but a later one can', () => {
	const settings = settingsOf({})
	const store = storeOf(settings)
	const link = join(folder(), 'link.db')
	symlinkSync(settings.file, link)
	for (const file of [settings.file, link]) {
		expect(() => storeOf({ ...settings, file })).toThrow(/^Another gateway is using the outbox .+ Stop it, or give/)
	}
	store.commit(batchOf({ entries: [entry('e1')] }))
	store.close()
	expect(storeOf(settings).commit(batchOf({ room: all })).claimed).toHaveLength(1)
})

test.each([
	['no database', (bytes: Buffer) => bytes.fill('x')],
	['cut', (bytes: Buffer) => bytes.subarray(0, bytes.length - 5000)],
	['overwritten', (bytes: Buffer) => bytes.fill(0xff, 4096, 4096 * 3)],
	['another database', undefined],
])('a file that is %s is refused and left as it is', (_, spoil) => {
	const settings = settingsOf({})
	const store = storeOf(settings)
	store.commit(batchOf({ entries: Array.from({ length: 100 }, (_, i) => entry(`e${i}`, `c${i}`, 'x'.repeat(500))) }))
	store.close()
	if (spoil) writeFileSync(settings.file, spoil(readFileSync(settings.file)))
	else {
		const other = join(folder(), 'other.db')
		const db = new DatabaseSync(other)
		db.exec('CREATE TABLE own (a)')
		db.close()
		copyFileSync(other, settings.file)
	}
	const before = readFileSync(settings.file)
	for (let tries = 0; tries < 2; tries++) {
		expect(() => storeOf(settings)).toThrow(OutboxError)
		expect(() => storeOf(settings)).toThrow(
			spoil ? /is corrupt. It was not changed/ : /is a database, but not an outbox/,
		)
		expect(readFileSync(settings.file)).toEqual(before)
	}
})

test('a log whose file is missing is an error', () => {
	const settings = settingsOf({})
	writeFileSync(`${settings.file}-wal`, 'x')
	expect(() => storeOf(settings)).toThrow(/is missing, but its log/)
	expect(existsSync(settings.file)).toBe(false)
	expect(() => storeOf(settingsOf({}, '/nothing/here/outbox.db'))).toThrow(/folder of the outbox .+ does not exist/)
})

test('with a key nothing of an event can be read in the files', () => {
	const canary = 'canary-of-an-event'
	for (const [given, found] of [
		[{ key: { env: 'ONE' } }, false],
		[{}, true],
	] as const) {
		const settings = settingsOf(given)
		const store = storeOf(settings)
		store.commit(batchOf({ entries: [entry('e1', `conversation-${canary}`, `{"text":"${canary}"}`)] }))
		expect(bytesOf(settings.file).includes(canary)).toBe(found)
		expect(bytesOf(settings.file).includes(`conversation-${canary}`)).toBe(false)
		store.commit(batchOf({ outcomes: [], room: all }))
		store.commit(batchOf({ outcomes: [dead('e1')] }))
		store.close()
		expect(bytesOf(settings.file).includes(canary)).toBe(found)
		// Told by its text, for a store that was seen to hold it.
		expect(bytesOf(settings.file).includes('e1')).toBe(true)
	}
})

test('a full file is no larger than its limit, and what is claimed fits into the log', () => {
	const settings = settingsOf({ maxBytes: 1024 * 1024 })
	const store = storeOf(settings)
	const payload = 'x'.repeat(3000)
	const stored: string[] = []
	let refused = 0
	for (let i = 0; refused === 0; i++) {
		const { entries } = store.commit(
			batchOf({ entries: [entry(`e${i}`, undefined, payload), entry(`f${i}`, undefined, payload)] }),
		)
		entries.forEach((code, j) => {
			if (code === undefined) stored.push(`${'ef'[j]}${i}`)
			else refused++
		})
		expect(i).toBeLessThan(1000)
	}
	expect(stored.length).toBeGreaterThan(150)
	expect(statSync(settings.file).size).toBeLessThanOrEqual(1024 * 1024)
	const claimed: string[] = []
	// What is claimed is written anew, and no transaction is to write more than the log has room for.
	for (let ids = ['']; ids.length > 0; claimed.push(...ids)) {
		ids = store.commit(batchOf({ room: all })).claimed.map(({ id }) => id)
		expect(ids.length).toBeLessThan(64)
	}
	expect(claimed.toSorted()).toEqual(stored.toSorted())
})

test('old events are deleted in portions, whose size depends on theirs, and soon all of them', () => {
	const settings = settingsOf({ retention: { dead: '1d' }, maxBytes: 32 * 1024 * 1024 })
	const store = storeOf(settings)
	const ids = Array.from({ length: 60 }, (_, i) => `e${i}`)
	for (const id of ids) {
		store.commit(batchOf({ entries: [entry(id, undefined, 'x'.repeat(200_000))], room: all }))
		store.commit(batchOf({ outcomes: [dead(id)] }))
	}
	const counts: number[] = []
	for (let now = 3 * 86_400_000; counts.at(-1) !== 0 && counts.length < 100; now += 500) {
		store.commit(batchOf({ now }))
		const db = new DatabaseSync(settings.file, { readOnly: true })
		counts.push(Number(db.prepare('SELECT count(*) AS count FROM events').get()?.count))
		db.close()
		expect(statSync(`${settings.file}-wal`).size).toBeLessThan(12 * 1024 * 1024)
	}
	expect(counts.at(-1)).toBe(0)
	expect(counts.length).toBeGreaterThan(3)
})

test('after a wrong clock no event waits for longer than the schedule', () => {
	const settings = settingsOf({ schedule: ['10s'] })
	const year = 365 * 86_400_000
	const first = storeOf(settings, year)
	first.commit(batchOf({ now: year, entries: [entry('e1')] }))
	first.close()
	const { nextAt } = storeOf(settings, 1000).commit(batchOf({ now: 1000, room: all }))
	expect(nextAt).toBeLessThanOrEqual(1000 + 12_000)
})
