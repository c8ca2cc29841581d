/** A log that is lost is noticed; whatever else may become of the files is not taken for it. */
import { copyFileSync, existsSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { backup, DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import type { FileOutboxSettings } from '../../src/config/index.ts'
import { checkpoint } from '../../src/node/outbox/checkpoint.ts'
import { runOutbox } from '../../src/node/outbox/outbox-command.ts'
import { batchOf, delivery, entry, folder, settingsOf, storeOf } from './parts.ts'

const all = { in: 1000 }
const lost =
	/^The log \S+-wal is missing, .+ Restore both; or run "npm run -s dragoman -- outbox accept-lost-log" to go on without it\.$/

/** The files of an outbox as a kill leaves them at this moment. */
function killed(settings: FileOutboxSettings): FileOutboxSettings {
	const file = join(folder(), 'outbox.db')
	copyFileSync(settings.file, file)
	if (existsSync(`${settings.file}-wal`)) copyFileSync(`${settings.file}-wal`, `${file}-wal`)
	return { ...settings, file }
}

/** The same without their log. */
function withoutLog(settings: FileOutboxSettings): FileOutboxSettings {
	const left = killed(settings)
	rmSync(`${left.file}-wal`)
	return left
}

/** Ids of all events that a process finds that starts on these files. */
function found(settings: FileOutboxSettings): string[] {
	const store = storeOf(settings)
	const { claimed } = store.commit(batchOf({ room: all }))
	store.close()
	return claimed.map(({ id }) => id)
}

async function operator(settings: FileOutboxSettings, ...args: string[]): Promise<{ code: number; said: string }> {
	const lines: string[] = []
	const code = await runOutbox(args, settings, (line) => lines.push(line))
	return { code, said: lines.join('\n') }
}

/** Runs SQL as another program would, which is the last to close the file if no gateway runs. */
function foreign(settings: FileOutboxSettings, sql: string): void {
	const db = new DatabaseSync(settings.file)
	db.exec(sql)
	db.close()
}

describe.each([
	['without a key', {}],
	['with a key', { key: { env: 'ONE' } }],
])('%s', async (_, given) => {
	test('a file whose log is missing or empty is refused and left as it is, by the gateway and by commands', async () => {
		const settings = settingsOf(given)
		storeOf(settings).commit(batchOf({ entries: [entry('e1'), entry('e2', 'c')] }))
		const missing = withoutLog(settings)
		const empty = killed(settings)
		truncateSync(`${empty.file}-wal`)
		for (const left of [missing, empty]) {
			const before = readFileSync(left.file)
			for (let tries = 0; tries < 3; tries++) {
				expect(() => storeOf(left)).toThrow(lost)
				for (const command of ['list', 'redrive --all', 'erase --conversation c']) {
					await expect(operator(left, ...command.split(' '))).rejects.toThrow(lost)
				}
			}
			expect(readFileSync(left.file)).toEqual(before)
		}
	})

	test('when the log is put back, everything is there', () => {
		const settings = settingsOf(given)
		storeOf(settings).commit(batchOf({ entries: [entry('e1'), entry('e2')] }))
		const left = withoutLog(settings)
		expect(() => storeOf(left)).toThrow(lost)
		copyFileSync(`${settings.file}-wal`, `${left.file}-wal`)
		expect(found(left)).toEqual(['e1', 'e2'])
	})

	test('once the loss is accepted, the outbox goes on with what the file has, and notices the next loss', async () => {
		const settings = settingsOf(given)
		const first = storeOf(settings)
		first.commit(batchOf({ entries: [entry('e1')] }))
		first.close()
		const second = storeOf(settings)
		second.commit(batchOf({ entries: [entry('e2')] }))
		await expect(operator(settings, 'accept-lost-log')).rejects.toThrow('Another gateway is using the outbox')
		const left = withoutLog(settings)
		expect(await operator(left, 'accept-lost-log')).toMatchObject({ code: 0 })
		expect(await operator(left, 'accept-lost-log')).toEqual({ code: 1, said: 'The log is not missing.' })
		expect((await operator(left, 'list')).said).toMatch(/^1 waiting$/m)
		expect(found(left)).toEqual(['e1'])
		storeOf(left).commit(batchOf({ entries: [entry('e3')] }))
		expect(() => storeOf(withoutLog(left))).toThrow(lost)
		expect(found(killed(left)).toSorted()).toEqual(['e1', 'e3'])
	})
})

test('it is noticed at every moment, however often the log was moved into the file', async () => {
	const settings = settingsOf({ maxBytes: 2 * 1024 * 1024 })
	const store = storeOf(settings)
	expect(() => storeOf(withoutLog(settings))).toThrow(lost)
	let stored = 0
	for (let n = 0; n < 60; n++) {
		store.commit(batchOf({ entries: [entry(`e${n}`, `c${n % 7}`, 'x'.repeat(20_000))] }))
		stored++
		expect(() => storeOf(withoutLog(settings))).toThrow(lost)
		if (n % 10 === 0) expect(found(killed(settings)).length).toBeGreaterThan(0)
	}
	// Most of it is in the file: the log was moved many times.
	expect(statSync(settings.file).size).toBeGreaterThan(1024 * 1024)
	expect((await operator(killed(settings), 'list')).said).toContain(`${stored} waiting`)
})

test('it is noticed after every command beside the gateway', async () => {
	const settings = settingsOf({})
	const store = storeOf(settings)
	const names = ['e1', 'e2', 'e3', 'e4']
	const entries = names.map((name) => entry(name, undefined, JSON.stringify(delivery(name))))
	store.commit(batchOf({ entries, room: all }))
	store.commit(batchOf({ outcomes: names.map((id) => ({ id, result: 'dead', error: 'upstream-status' }) as const) }))
	for (const command of ['list', 'show e1', 'redrive e1', 'redrive --all', 'drop e1', 'erase --conversation c']) {
		await operator(settings, ...command.split(' '))
		expect(() => storeOf(withoutLog(settings)), command).toThrow(lost)
		expect(found(killed(settings))).toEqual(expect.any(Array))
	}
})

test('files of a process that was killed are opened, whenever it was killed and whoever closed them last', async () => {
	const settings = settingsOf({})
	const store = storeOf(settings)
	expect(found(killed(settings))).toEqual([])
	store.commit(batchOf({ entries: [entry('e1'), entry('e2', 'c')] }))
	const left = killed(settings)
	// Killed again and again, right after the start.
	let again = left
	for (let kills = 0; kills < 5; kills++) {
		storeOf(again)
		again = killed(again)
	}
	expect(found(again)).toEqual(['e1', 'e2'])
	// Another program closes the file last, and so deletes the log.
	const listed = killed(settings)
	expect((await operator(listed, 'list')).said).toContain('2 waiting')
	expect(found(listed)).toEqual(['e1', 'e2'])
	for (const sql of ['SELECT count(*) FROM events', 'PRAGMA wal_checkpoint(TRUNCATE)', 'VACUUM']) {
		const looked = killed(settings)
		foreign(looked, sql)
		expect(found(looked), sql).toEqual(['e1', 'e2'])
	}
	store.close()
	expect(existsSync(`${settings.file}-wal`)).toBe(false)
	expect(found(settings)).toEqual(['e1', 'e2'])
})

test('a process that is killed while it moves the log leaves files that are opened', async () => {
	for (const moved of [false, true]) {
		const settings = settingsOf({})
		storeOf(settings).commit(batchOf({ entries: [entry('e1')] }))
		const db = new DatabaseSync(settings.file)
		db.exec(`PRAGMA wal_autocheckpoint = 0; INSERT INTO meta (name, value) VALUES ('open by another', x'')`)
		if (moved) checkpoint(db, 'PASSIVE')
		for (const last of ['start', 'list'] as const) {
			const left = killed(settings)
			if (last === 'list') await operator(left, 'list')
			storeOf(left)
			// Killed once more, before anything else happened.
			expect(found(killed(left)), `${moved} ${last}`).toEqual(['e1'])
		}
		db.close()
	}
})

test('a copy that SQLite made while the gateway ran is opened', async () => {
	const settings = settingsOf({})
	const store = storeOf(settings)
	store.commit(batchOf({ entries: [entry('e1')] }))
	const copies = ['vacuum', 'backup'].map((name) => ({ ...settings, file: join(folder(), `${name}.db`) }))
	const [vacuumed, copied] = copies
	if (!vacuumed || !copied) throw new Error('there are two')
	const db = new DatabaseSync(settings.file, { readOnly: true })
	db.exec(`VACUUM INTO '${vacuumed.file}'`)
	await backup(db, copied.file)
	db.close()
	for (const copy of copies) expect(found(copy)).toEqual(['e1'])
	expect(() => storeOf(withoutLog(settings))).toThrow(lost)
})

test('it is noticed again soon after a long look at the file has ended', async () => {
	const settings = settingsOf({ maxBytes: 16 * 1024 * 1024 })
	const store = storeOf(settings)
	const reader = new DatabaseSync(settings.file, { readOnly: true })
	reader.exec('BEGIN; SELECT count(*) FROM events')
	for (let n = 0; n < 60; n++) store.commit(batchOf({ entries: [entry(`e${n}`, 'c', 'x'.repeat(10_000))] }))
	reader.close()
	store.commit(batchOf({ now: 20_000, entries: [entry('last')] }))
	expect(() => storeOf(withoutLog(settings))).toThrow(lost)
	expect((await operator(killed(settings), 'list')).said).toContain('61 waiting')
})

test('a file of an earlier version, which has no mark, is opened', () => {
	const settings = settingsOf({})
	const store = storeOf(settings)
	store.commit(batchOf({ entries: [entry('e1')] }))
	store.close()
	foreign(settings, `DELETE FROM meta WHERE name NOT IN ('salt', 'order')`)
	expect(existsSync(`${settings.file}-wal`)).toBe(false)
	expect(found(settings)).toEqual(['e1'])
})
