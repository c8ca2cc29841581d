/**
 * The outbox of this process: what is accepted while one transaction is under way goes into the next one, and events
 * are delivered as they come due.
 */
import type { OutboxSettings } from '../../config/index.ts'
import { attempt, type Clock, type Outcome } from '../../delivery/index.ts'
import { type ErrorCode, GatewayError } from '../../errors.ts'
import type { Route } from '../../route.ts'
import type { Outbox, Runtime } from '../../runtime.ts'
import type { Claimed, Entry, RoundResult, StoredOutcome } from './store.ts'
import type { RemoteStore } from './store-client.ts'

export interface OutboxParts {
	readonly store: RemoteStore
	readonly settings: OutboxSettings
	/** The routes as they are now: an event of a route that is not there waits until it is. */
	routes(): readonly Route[]
	readonly runtime: Runtime
	/** Never jumps. */
	readonly clock: Clock
}

/** An outbox, and what ends it. */
export interface RunningOutbox extends Outbox {
	/** Begins no more deliveries; still accepts. */
	drain(): void
	/** Lets deliveries under way end, for this many milliseconds at most; the next process delivers the others. */
	close(milliseconds: number): Promise<void>
}

/** Of what waits for one transaction; beyond, events are refused. */
const maxWaiting = { events: 20_000, bytes: 64 * 1024 * 1024 }
/** Events of one transaction: those behind them wait for the fsync of those before them. Their bytes may be those of one event. */
const maxRound = 1000
/** Bytes of one event. */
const maxEventBytes = 4 * 1024 * 1024
/** Milliseconds after which somebody looks what another process has put back. */
const lookEvery = 1000
/** Milliseconds until a store that failed is opened again. */
const pause = 1000

interface Waiting {
	readonly entry: Entry
	readonly bytes: number
	settle(refused: ErrorCode | undefined): void
}

/** An outbox upon a store. It delivers as soon as there is something due. */
export function createOutbox({ store, settings, routes, runtime, clock }: OutboxParts): RunningOutbox {
	let waiting: Waiting[] = []
	let waitingBytes = 0
	let outcomes: StoredOutcome[] = []
	/** Routes of the deliveries under way, by id. */
	const underWay = new Map<string, string>()
	/** When routes may be tried again whose upstream is left alone for a moment. */
	const restingUntil = new Map<string, number>()
	let state: 'open' | 'draining' | 'closed' = 'open'
	let working: Promise<void> | undefined
	let failing = false
	let cancel = () => {}
	let onIdle = () => {}

	const maxBytes = Math.min(maxEventBytes, Math.floor(settings.maxBytes / 8))

	function wake(): void {
		if (failing || state === 'closed') return
		cancel()
		working ??= work().finally(() => {
			working = undefined
			// What came between its last look and its end.
			if (waiting.length > 0 || outcomes.length > 0) wake()
		})
	}

	async function work(): Promise<void> {
		let nextAt: number | undefined
		do nextAt = await round()
		while (!failing && (waiting.length > 0 || outcomes.length > 0))
		const soon = Math.max(0, (nextAt ?? Number.POSITIVE_INFINITY) - clock.now())
		if (state !== 'closed') cancel = clock.after(failing ? pause : Math.min(lookEvery, soon), lookAgain)
	}

	function lookAgain(): void {
		failing = false
		wake()
	}

	async function round(): Promise<number | undefined> {
		const accepting = waiting.slice(0, nextRound())
		const ending = outcomes
		waiting = waiting.slice(accepting.length)
		outcomes = []
		for (const { bytes } of accepting) waitingBytes -= bytes
		let result: RoundResult
		try {
			const entries = accepting.map(({ entry }) => entry)
			result = await store.round({ now: clock.now(), entries, outcomes: ending, room: roomOf() })
		} catch (thrown) {
			failing = true
			// Told once more: an outcome that was stored after all changes nothing the second time.
			outcomes = [...ending, ...outcomes]
			for (const each of accepting) each.settle('outbox-failed')
			for (const each of waiting.splice(0)) each.settle('outbox-failed')
			waitingBytes = 0
			runtime.log({ level: 'error', msg: 'outbox', error: 'outbox-failed', cause: messageOf(thrown) })
			return undefined
		}
		accepting.forEach(({ settle }, i) => {
			settle(result.entries[i])
		})
		if (result.crowdedOut > 0) runtime.log({ level: 'warn', msg: 'outbox', crowdedOut: result.crowdedOut })
		for (const claimed of result.claimed) begin(claimed)
		return result.nextAt
	}

	/** How many of those that wait go into one transaction. */
	function nextRound(): number {
		let bytes = 0
		let count = 0
		for (const each of waiting.slice(0, maxRound)) {
			bytes += each.bytes
			if (count > 0 && bytes > maxBytes) break
			count++
		}
		return count
	}

	function roomOf(): { readonly [route: string]: number } {
		if (state !== 'open') return {}
		const room: { [route: string]: number } = {}
		const now = clock.now()
		for (const { name } of routes()) {
			// Else every event that is due would be claimed only to be put back.
			if ((restingUntil.get(name) ?? 0) <= now) room[name] = settings.concurrency
		}
		for (const name of underWay.values()) if (room[name] !== undefined) room[name]--
		return room
	}

	function begin(claimed: Claimed): void {
		underWay.set(claimed.id, claimed.route)
		deliver(claimed).then((outcome) => {
			underWay.delete(claimed.id)
			if (outcome?.result === 'postponed') restingUntil.set(claimed.route, outcome.until)
			if (outcome) outcomes.push({ id: claimed.id, ...outcome })
			if (underWay.size === 0) onIdle()
			wake()
		})
	}

	async function deliver({ id, route, payload, failed, acceptedAt }: Claimed): Promise<Outcome | undefined> {
		if (payload === undefined) {
			const line = { msg: 'delivery', turn: id, route, attempt: failed + 1, error: 'outbox-failed' }
			runtime.log({ ...line, level: 'error', dead: true })
			return undefined
		}
		const context = { routes, schedule: settings, runtime, clock, random: Math.random }
		return attempt({ delivery: JSON.parse(payload), failed, acceptedAt }, context)
	}

	const names = routes().map(({ name }) => name)
	for (const route of store.routes.filter((each) => !names.includes(each))) {
		runtime.log({ level: 'warn', msg: 'outbox', warning: 'events wait for a route that is not configured', route })
	}
	wake()
	return {
		accept(delivery) {
			const payload = JSON.stringify(delivery)
			const bytes = Buffer.byteLength(payload)
			const { id, route, conversation } = delivery
			return new Promise((accepted, refused) => {
				const refuse = (code: ErrorCode, limit?: number) => refused(new GatewayError(code, limit ? { limit } : {}))
				if (bytes > maxBytes) return refuse('event-too-large', maxBytes)
				if (failing || state === 'closed') return refuse('outbox-failed')
				if (waiting.length >= maxWaiting.events || waitingBytes + bytes > maxWaiting.bytes) return refuse('outbox-full')
				waiting.push({
					entry: { id, route, payload, ...(conversation !== undefined && { conversation }) },
					bytes,
					settle: (code) => (code === undefined ? accepted() : refuse(code)),
				})
				waitingBytes += bytes
				wake()
			})
		},
		drain() {
			if (state === 'open') state = 'draining'
		},
		async close(milliseconds) {
			if (state === 'closed') return
			state = 'draining'
			if (underWay.size > 0) {
				const idle = Promise.withResolvers<void>()
				const stop = clock.after(milliseconds, idle.resolve)
				onIdle = idle.resolve
				await idle.promise
				stop()
			}
			// What has ended by now is written down.
			wake()
			await working
			state = 'closed'
			cancel()
			await store.close()
		},
	}
}

function messageOf(thrown: unknown): string {
	return thrown instanceof Error ? thrown.message : String(thrown)
}
