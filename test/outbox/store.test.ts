/** The file: what it promises, what it refuses, and what it keeps. */
import { copyFileSync, existsSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { OutboxError } from '../../src/node/index.ts'
import { batchOf, entry, folder, settingsOf, storeOf } from './parts.ts'

const delivered = (id: string) => ({ id, result: 'delivered' }) as const
const dead = (id: string) => ({ id, result: 'dead', error: 'upstream-status' }) as const
const all = { in: 1000 }

/** All bytes of all files of the outbox. */
function bytesOf(file: string): Buffer {
	const names = readdirSync(dirname(file)).filter((name) => join(dirname(file), name).startsWith(file))
	return Buffer.concat(names.map((name) => readFileSync(join(dirname(file), name))))
}

test('stored events are there for the next process, byte for byte, in files that only their owner can read', () => {
	const settings = settingsOf({})
	const payload = JSON.stringify({ text: 'Grüße 👋\u0000\ud800' })
	const first = storeOf(settings)
	expect(first.commit(batchOf({ entries: [entry('e1', 'c', payload)] }))).toMatchObject({ entries: [undefined] })
	const modes = readdirSync(dirname(settings.file)).map(
		(name) => statSync(join(dirname(settings.file), name)).mode & 0o777,
	)
	expect(new Set(modes)).toEqual(new Set([0o600]))
	first.close()
	const { claimed } = storeOf(settings).commit(batchOf({ room: all }))
	// Half a pair of surrogates is no character, in no encoding.
	expect(claimed).toMatchObject([{ id: 'e1', payload: payload.toWellFormed(), failed: 0 }])
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

test('an event with a changed bit becomes a dead letter and is not delivered', () => {
	for (const given of [{}, { key: { env: 'ONE' } }]) {
		const settings = settingsOf(given)
		const store = storeOf(settings)
		store.commit(batchOf({ entries: [entry('e1', 'c'), entry('e2', 'c')] }))
		store.close()
		const db = new DatabaseSync(settings.file)
		const { payload } = db.prepare(`SELECT payload FROM events WHERE id = 'e1'`).get() ?? {}
		if (!(payload instanceof Uint8Array)) throw new Error('it is bytes')
		payload[6] = (payload[6] ?? 0) ^ 1
		db.prepare(`UPDATE events SET payload = ? WHERE id = 'e1'`).run(payload)
		db.close()
		const again = storeOf(settings)
		expect(again.commit(batchOf({ room: all })).claimed).toMatchObject([{ id: 'e1', payload: undefined }])
		expect(again.commit(batchOf({ room: all })).claimed).toMatchObject([{ id: 'e2', payload: '"e2"' }])
	}
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

test('a key can be rotated while events of the old one wait; without it the outbox does not open', () => {
	const settings = settingsOf({ key: { env: 'ONE' } })
	const first = storeOf(settings)
	first.commit(batchOf({ entries: [entry('e1', 'c')] }))
	first.close()
	const both = settingsOf({ key: [{ env: 'TWO' }, { env: 'ONE' }] }, settings.file)
	const second = storeOf(both)
	second.commit(batchOf({ entries: [entry('e2', 'c')] }))
	// The order of the conversation holds over the change.
	expect(second.commit(batchOf({ room: all })).claimed).toMatchObject([{ id: 'e1', payload: '"e1"' }])
	second.close()
	const two = settingsOf({ key: { env: 'TWO' } }, settings.file)
	expect(() => storeOf(two)).toThrow(/has 1 entries that are encrypted with the key [0-9a-f]{8}, which is not config/)
	const third = storeOf(both)
	third.commit(batchOf({ room: all }))
	expect(third.commit(batchOf({ outcomes: [delivered('e1')], room: all })).claimed).toMatchObject([{ id: 'e2' }])
	third.close()
	expect(storeOf(two).commit(batchOf({ room: all })).claimed).toMatchObject([{ id: 'e2', payload: '"e2"' }])
})

test('when the file is full, events are rejected, and accepted again once others are delivered', () => {
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
	store.commit(batchOf({ outcomes: claimed.map(delivered) }))
	expect(store.commit(batchOf({ entries: [entry('late', undefined, payload)] })).entries).toEqual([undefined])
})

test('old dead letters are deleted, and the oldest if there are too many; waiting events never are', () => {
	const settings = settingsOf({ retention: { dead: '1d', delivered: '1h', maxBytes: 1000 } })
	const store = storeOf(settings)
	const many = Array.from({ length: 10 }, (_, i) => entry(`e${i}`, undefined, 'x'.repeat(200)))
	store.commit(batchOf({ entries: many, room: all }))
	store.commit(batchOf({ now: 1000, outcomes: [dead('e0'), delivered('e1'), dead('e2')] }))
	store.commit(batchOf({ now: 2000, outcomes: [dead('e3'), dead('e4'), dead('e5'), delivered('e6')] }))
	const left = () => {
		const db = new DatabaseSync(settings.file, { readOnly: true })
		const rows = db.prepare('SELECT id FROM events ORDER BY id').all()
		db.close()
		return rows.map(({ id }) => String(id).slice(1)).join('')
	}
	expect(left()).toBe('0123456789')
	// 7 of 204 bytes are over 1000: the delivered ones, and the oldest dead one.
	expect(store.commit(batchOf({ now: 20_000 })).crowdedOut).toBe(3)
	expect(left()).toBe('2345789')
	store.commit(batchOf({ now: 86_400_000 + 1500 }))
	expect(left()).toBe('345789')
	store.commit(batchOf({ now: 10 * 86_400_000 }))
	expect(left()).toBe('789')
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

test('events in progress when a process ended are taken over by the next process only', () => {
	const settings = settingsOf({})
	const first = storeOf(settings)
	expect(first.commit(batchOf({ entries: [entry('e1')], room: all })).claimed).toHaveLength(1)
	expect(first.commit(batchOf({ room: all })).claimed).toEqual([])
	first.close()
	for (let ends = 1; ends < 100; ends++) {
		const store = storeOf(settings)
		expect(store.commit(batchOf({ room: all })).claimed).toMatchObject([{ id: 'e1', failed: 0 }])
		store.close()
	}
	// It may be what ends them.
	expect(storeOf(settings).commit(batchOf({ room: all })).claimed).toEqual([])
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

test('an outcome that is reported twice counts once', () => {
	const store = storeOf(settingsOf({}))
	store.commit(batchOf({ entries: [entry('e1')], room: all }))
	const failed = { id: 'e1', result: 'failed', error: 'upstream-status', nextAt: 0 } as const
	store.commit(batchOf({ outcomes: [failed, failed] }))
	expect(store.commit(batchOf({ room: all })).claimed).toMatchObject([{ failed: 1 }])
})

test('of ten thousand events, each one is stored and claimed once', () => {
	const store = storeOf(settingsOf({}))
	const ids = Array.from({ length: 10_000 }, (_, i) => `e${i}`)
	for (let i = 0; i < ids.length; i += 1000) {
		const { entries } = store.commit(batchOf({ entries: ids.slice(i, i + 1000).map((id) => entry(id)) }))
		expect(entries.filter((code) => code !== undefined)).toEqual([])
	}
	const claimed: string[] = []
	for (let some = ['']; some.length > 0; claimed.push(...some)) {
		some = store.commit(batchOf({ room: all })).claimed.map(({ id }) => id)
	}
	expect(claimed.toSorted()).toEqual(ids.toSorted())
})
