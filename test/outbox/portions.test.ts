/** Commands that change many events work beside a gateway, in portions. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as wait } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import type { FileOutboxSettings } from '../../src/config/index.ts'
import { runOutbox } from '../../src/node/outbox/outbox-command.ts'
import { environment, program } from '../harness/gateway.ts'
import { start } from '../servers.ts'
import { batchOf, delivery, entry, folder, settingsOf, storeOf } from './parts.ts'

const mebibyte = 1024 * 1024
/** Milliseconds: tens of thousands of events are written, on machines that do other things as well. */
const slow = 180_000
const canary = 'canary-of-an-event'

interface Filled {
	readonly settings: FileOutboxSettings
	/** The configuration of a gateway that has these events. */
	readonly config: object
}

/** An outbox with so many events in this state, of these conversations in turn, `e000001` first. */
function filled(count: number, state: 'dead' | 'waiting', maxBytes: number, conversations = 20): Filled {
	const outbox = { file: join(folder(), 'outbox.db'), maxBytes, schedule: ['1h', '1h', '1h'] }
	const settings = settingsOf(outbox, outbox.file)
	const now = Date.now()
	const store = storeOf(settings, now)
	for (let n = 0; n < count; ) {
		const entries = Array.from({ length: Math.min(500, count - n) }, () => {
			const id = `e${String(++n).padStart(6, '0')}`
			const conversation = `c${n % conversations}`
			return entry(id, `in ${conversation}`, JSON.stringify(delivery(id, conversation, canary.padEnd(1000, 'x'))))
		})
		expect(store.commit(batchOf({ now, entries })).entries).not.toContain('outbox-full')
	}
	store.close()
	if (state === 'dead') {
		const db = new DatabaseSync(settings.file)
		db.exec(`UPDATE events SET state = 'dead', head = 0, ended_at = ${now}`)
		db.close()
	}
	// Nothing listens there.
	const upstream = { url: 'http://127.0.0.1:9/' }
	return {
		settings,
		config: { upstream, outbox, routes: [{ name: 'in', path: '/in', platform: 'snatchbot-webhook' }] },
	}
}

interface Command {
	readonly process: ChildProcess
	readonly ended: Promise<unknown>
	said(): string
}

/** Starts a command of the operator. */
function command(config: object, ...args: string[]): Command {
	const file = join(folder(), 'gateway.json')
	writeFileSync(file, JSON.stringify(config))
	const child = spawn(process.execPath, [program, 'outbox', ...args], {
		env: { ...environment, DRAGOMAN_CONFIG: file },
		stdio: ['ignore', 'pipe', 'pipe'],
	})
	onTestFinished(() => void child.kill('SIGKILL'))
	let said = ''
	for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += chunk))
	return { process: child, ended: once(child, 'close'), said: () => said }
}

/** Reads from the file as it is now. */
function query(settings: FileOutboxSettings, sql: string): readonly unknown[] {
	const db = new DatabaseSync(settings.file, { readOnly: true, timeout: 5000 })
	try {
		return db
			.prepare(sql)
			.all()
			.map((row) => Object.values(row)[0])
	} finally {
		db.close()
	}
}

const count = (settings: FileOutboxSettings, where: string) =>
	Number(query(settings, `SELECT count(*) FROM events WHERE ${where}`)[0])

const logBytes = ({ file }: FileOutboxSettings) => statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0

/** Looks again and again until the command has ended. */
async function watch(running: Command, look: () => void): Promise<void> {
	let over = false
	running.ended.then(() => {
		over = true
	})
	while (!over) {
		look()
		await wait(20)
	}
	await running.ended
}

/** Sends events to a gateway until stopped. */
function load(send: (n: number) => Promise<{ readonly status: number }>) {
	let going = true
	const statuses: number[] = []
	const over = (async () => {
		for (let n = 0; going; n++) {
			statuses.push((await send(n)).status)
			await wait(5)
		}
	})()
	return async () => {
		going = false
		await over
		return statuses
	}
}

test(
	'20,000 dead letters are put back beside a gateway that refuses nothing, in portions, in order',
	async () => {
		const maxBytes = 96 * mebibyte
		const { settings, config } = filled(20_000, 'dead', maxBytes)
		const gateway = await start(config)
		const stop = load((n) => gateway.send({ path: '/in', body: JSON.stringify({ data: `"${n}"` }) }))
		const running = command(config, 'redrive', '--all')
		const left = new Set<number>()
		let log = 0
		await watch(running, () => {
			log = Math.max(log, logBytes(settings))
			left.add(count(settings, `state = 'dead'`))
		})
		const statuses = await stop()
		expect(running.said()).toMatch(/^20000 events put back\.$/m)
		expect(running.said()).toMatch(/^\d+ of 20000 events$/m)
		expect(new Set(statuses)).toEqual(new Set([200]))
		// Many states between all and none were seen.
		expect(left.size).toBeGreaterThan(10)
		expect(log).toBeLessThan(maxBytes / 4)
		for (const conversation of ['0', '7']) {
			const ids = query(
				settings,
				`SELECT id FROM events WHERE id GLOB 'e*' AND CAST(substr(id, 2) AS INTEGER) % 20 = ${conversation} ORDER BY seq`,
			)
			expect(ids).toHaveLength(1000)
			expect(ids).toEqual(ids.toSorted())
		}
		const heads = count(settings, `head = 1 AND lane IS NOT NULL AND id GLOB 'e*'`)
		expect(heads).toBe(20)
	},
	slow,
)

test(
	'a command that is killed has done whole portions, and running it again does the rest',
	async () => {
		const { settings, config } = filled(6000, 'dead', 64 * mebibyte)
		await start(config)
		for (const kills of [1, 2]) {
			const before = count(settings, `state = 'dead'`)
			const running = command(config, 'redrive', '--all')
			await watch(running, () => {
				if (count(settings, `state = 'dead'`) < before) running.process.kill('SIGKILL')
			})
			expect(count(settings, 'TRUE'), `${kills} kills`).toBe(6000)
			expect(count(settings, `state = 'dead'`)).toBeGreaterThan(0)
		}
		const rest = count(settings, `state = 'dead'`)
		const last = command(config, 'redrive', '--all')
		await last.ended
		expect(last.said()).toMatch(new RegExp(`^${rest} events put back\\.$`, 'm'))
		const ids = query(settings, 'SELECT id FROM events ORDER BY seq')
		expect(ids).toHaveLength(6000)
		expect(ids).toEqual(ids.toSorted())
		expect(query(settings, 'PRAGMA integrity_check')).toEqual(['ok'])
	},
	slow,
)

test(
	'waiting and dead events are deleted in portions, from the end of their conversations',
	async () => {
		for (const state of ['waiting', 'dead'] as const) {
			const { settings, config } = filled(3000, state, 64 * mebibyte)
			const gateway = await start(config)
			const stop = load((n) => gateway.send({ path: '/in', body: JSON.stringify({ data: `"${n}"` }) }))
			const running = command(config, 'drop', '--all', '--state', state, '--route', 'in')
			const left = new Set<number>()
			let log = 0
			await watch(running, () => {
				log = Math.max(log, logBytes(settings))
				const ids = query(settings, `SELECT id FROM events WHERE id GLOB 'e*' ORDER BY seq`)
				left.add(ids.length)
				// What is left is the beginning.
				expect(ids.at(-1) ?? 'e000000').toBe(`e${String(ids.length).padStart(6, '0')}`)
			})
			expect(new Set(await stop())).toEqual(new Set([200]))
			expect(running.said()).toMatch(/^\d+ events deleted\.$/m)
			expect(count(settings, `id GLOB 'e*'`)).toBe(0)
			expect(left.size).toBeGreaterThan(3)
			expect(log).toBeLessThan(16 * mebibyte)
		}
	},
	slow,
)

test(
	'a large conversation is erased in portions, and no trace of it is left',
	async () => {
		const { settings, config } = filled(4000, 'dead', 64 * mebibyte, 5)
		const gateway = await start(config)
		const stop = load((n) => gateway.send({ path: '/in', body: JSON.stringify({ data: `"${n}"` }) }))
		const left: number[] = []
		for (const conversation of ['c1', 'c2']) {
			const running = command(config, 'erase', '--conversation', conversation)
			await watch(running, () => left.push(count(settings, `id GLOB 'e*'`)))
			expect(running.said()).toMatch(/^800 events erased\.$/m)
		}
		expect(new Set(await stop())).toEqual(new Set([200]))
		// Some states between were seen.
		expect(new Set(left).size).toBeGreaterThan(4)
		expect(left.at(-1)).toBe(2400)
		for (const conversation of ['c3', 'c4', 'c0']) {
			expect(await runOutbox(['erase', '--conversation', conversation], settings, () => {})).toBe(0)
		}
		for (const file of [settings.file, `${settings.file}-wal`])
			expect(readFileSync(file, 'latin1')).not.toContain(canary)
	},
	slow,
)

test(
	'while another program reads the file, the log stops growing, and the command goes on afterwards',
	async () => {
		const maxBytes = 16 * mebibyte
		const { settings, config } = filled(6000, 'dead', maxBytes)
		await start(config)
		const reader = new DatabaseSync(settings.file, { readOnly: true })
		reader.exec('BEGIN; SELECT count(*) FROM events')
		const running = command(config, 'redrive', '--all')
		await expect.poll(() => running.said()).toContain('waiting for a program that is reading the outbox')
		const stopped = logBytes(settings)
		await wait(1000)
		expect(logBytes(settings)).toBeLessThan(stopped + mebibyte)
		expect(stopped).toBeLessThan(maxBytes)
		reader.close()
		await running.ended
		expect(running.said()).toMatch(/^6000 events put back\.$/m)
		expect(logBytes(settings)).toBeLessThan(maxBytes / 2)
	},
	slow,
)
