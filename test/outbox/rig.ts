/** An outbox in this thread, on files that go with whatever uses them, in time that is told to pass. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { canonical } from '../../adapters/canonical/index.ts'
import { type FileOutboxSettings, type OutboxSettings, readOutbox } from '../../src/config/index.ts'
import type { Clock } from '../../src/delivery/index.ts'
import type { Fields } from '../../src/format/index.ts'
import { createRuntime } from '../../src/node/node-runtime.ts'
import { createOutbox } from '../../src/node/outbox/delivery-loop.ts'
import { type Batch, type Entry, openStore, type Store } from '../../src/node/outbox/store.ts'
import type { RemoteStore } from '../../src/node/outbox/store-client.ts'
import type { Route } from '../../src/route.ts'
import type { EventDelivery, LogLine, Runtime } from '../../src/runtime.ts'
import { createConcurrencyLimit, createEndpoint, type Upstream } from '../../src/upstream/index.ts'

export const keyOne = Buffer.alloc(32, 1).toString('base64')
export const keyTwo = Buffer.alloc(32, 2).toString('base64')

/** A batch that is empty but for this. */
export function batchOf(differs: Partial<Batch>): Batch {
	return { now: 0, entries: [], outcomes: [], room: {}, ...differs }
}

export function entry(id: string, conversation?: string, payload = `"${id}"`): Entry {
	return { route: 'in', rows: [{ id, payload }], ...(conversation !== undefined && { conversation }) }
}

export function delivery(id: string, conversation?: string, text = id): EventDelivery {
	const request = { method: 'POST', query: [], headers: [], body: JSON.stringify({ text }) }
	const alone = { id, route: 'in', platform: 'one-way', receivedAt: '2026-01-01T00:00:00.000Z', request }
	return { ...alone, ...(conversation !== undefined && { conversation }) }
}

/** Time that passes when it is told to. */
export interface TestClock extends Clock {
	/** Lets time pass, and everything happen that is due in it, in order. */
	pass(milliseconds: number): Promise<void>
}

/** `settled`: waits for what else is under way. */
export function testClock(from = 1_700_000_000_000, settled = async () => {}): TestClock {
	let now = from
	let timers: { at: number; run: () => void }[] = []
	/** What runs in this thread has come to rest then. */
	async function rest(): Promise<void> {
		await new Promise(setImmediate)
		await settled()
	}
	return {
		now: () => now,
		after(milliseconds, run) {
			const timer = { at: now + milliseconds, run }
			timers.push(timer)
			return () => {
				timers = timers.filter((each) => each !== timer)
			}
		},
		async pass(milliseconds) {
			const until = now + milliseconds
			for (;;) {
				await rest()
				const [next] = timers.filter(({ at }) => at <= until).toSorted((a, b) => a.at - b.at)
				if (!next) break
				timers = timers.filter((each) => each !== next)
				now = Math.max(now, next.at)
				next.run()
			}
			now = until
			await rest()
		},
	}
}

/** An attempt as the upstream saw it. */
interface Attempt {
	readonly at: number
	readonly text: string
	readonly body: string
}

/** A store that is somewhere else, and is here. */
export function near(store: Store): RemoteStore {
	return { routes: store.routes, commit: async (batch) => store.commit(batch), close: async () => store.close() }
}

let owners = 0

/** Makes outboxes and their parts. `after` registers what is to be ended when they are used no more. */
export function outboxRig(after: (end: () => void | Promise<void>) => void) {
	/** A folder that is gone in the end. */
	function folder(): string {
		const path = mkdtempSync(join(tmpdir(), 'dragoman-outbox-'))
		after(() => rmSync(path, { recursive: true, force: true }))
		return path
	}

	/** The settings that a configuration makes, with a file that is gone in the end. */
	function settingsOf(given: object, file = join(folder(), 'outbox.db')): FileOutboxSettings {
		const settings = readOutbox({ outbox: { file, ...given } }, { ONE: keyOne, TWO: keyTwo })
		if (!settings || !('file' in settings)) throw new Error('there is an outbox')
		return settings
	}

	/** A store in this thread, as a process opens it that was never there before. */
	function storeOf(settings: FileOutboxSettings, now = 0): Store {
		const store = openStore({ ...settings, owner: `owner ${++owners}`, now })
		let open = true
		const close = () => {
			if (open) store.close()
			open = false
		}
		after(close)
		return { ...store, close }
	}

	/** An outbox whose upstream answers a text with a status, and all that was tried. */
	function outboxOn(
		store: RemoteStore,
		settings: OutboxSettings,
		status: (text: string) => number | Promise<number>,
		clock: TestClock = testClock(),
		headers: Fields = [],
	) {
		const attempts: Attempt[] = []
		const lines: LogLine[] = []
		const base = createRuntime((line) => lines.push(line))
		after(() => base.close())
		const runtime: Runtime = {
			...base,
			now: clock.now,
			async send({ body }) {
				const { text } = JSON.parse(body)
				attempts.push({ at: clock.now(), text, body })
				return { status: await status(text), headers, body: '' }
			},
		}
		const adapter = canonical.create()
		const upstream: Upstream = {
			...{ name: 'canonical', adapter, secrets: [], headers: [], onlyPublic: false, signingKeys: [], timeout: 9000 },
			// The schedule is looked at here, not the breaker: each attempt is of a target that has never failed.
			get endpoints(): Upstream['endpoints'] {
				return [createEndpoint('http://127.0.0.1:9/')]
			},
			concurrencyLimit: createConcurrencyLimit(1000),
		}
		const route: Route = {
			name: 'in',
			path: '/in',
			platforms: [{ name: 'one-way', adapter }],
			secrets: [],
			upstream,
			idempotent: false,
			policy: 'degrade',
			failure: [],
			debug: false,
			raw: false,
		}
		const outbox = createOutbox({ store, settings, routes: () => [route], runtime, clock })
		return { outbox, attempts, lines, clock }
	}

	return { folder, settingsOf, storeOf, outboxOn }
}
