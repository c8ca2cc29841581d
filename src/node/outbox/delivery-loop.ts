/**
 * The outbox of this process: what is accepted while one transaction is under way goes into the next one, and events
 * are delivered as they come due.
 */
import type { OutboxSettings } from '../../config/index.ts'
import { deliver } from '../../delivery/index.ts'
import { asGatewayError, type ErrorCode, type ErrorContext, GatewayError } from '../../errors.ts'
import type { Route } from '../../route.ts'
import type { Delivery, Outbox, Runtime } from '../../runtime.ts'
import { nextAttempt } from './schedule.ts'
import type { Claimed, Entry, Outcome, RoundResult } from './store.ts'
import type { RemoteStore } from './store-client.ts'

/** Time as the outbox sees it. */
export interface Clock {
	/** Milliseconds since 1970; never jumps. */
	now(): number
	/** Runs something later, and gives back what prevents it. */
	after(milliseconds: number, run: () => void): () => void
}

export interface OutboxParts {
	readonly store: RemoteStore
	readonly settings: OutboxSettings
	/** The routes as they are now: an event of a route that is not there waits until it is. */
	routes(): readonly Route[]
	readonly runtime: Runtime
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
/** Milliseconds that a delivery may take beyond the upstream's limit, until it counts as failed. */
const overtime = 5000

interface Waiting {
	readonly entry: Entry
	readonly bytes: number
	settle(refused: ErrorCode | undefined): void
}

/** An outbox upon a store. It delivers as soon as there is something due. */
export function createOutbox({ store, settings, routes, runtime, clock }: OutboxParts): RunningOutbox {
	let waiting: Waiting[] = []
	let waitingBytes = 0
	let outcomes: Outcome[] = []
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
		attempt(claimed).then((outcome) => {
			underWay.delete(claimed.id)
			if (outcome) outcomes.push(outcome)
			if (underWay.size === 0) onIdle()
			wake()
		})
	}

	/** One attempt, and its line in the log. Never rejects. */
	async function attempt({ id, route: name, payload, attempts, acceptedAt }: Claimed): Promise<Outcome | undefined> {
		const from = runtime.elapsed()
		const line = { msg: 'delivery', turn: id, route: name, attempt: attempts + 1 }
		const ms = () => Math.round(runtime.elapsed() - from)
		if (payload === undefined) {
			runtime.log({ ...line, level: 'error', error: 'outbox-failed', dead: true })
			return undefined
		}
		try {
			const route = routes().find((each) => each.name === name)
			if (!route) throw new GatewayError('not-found')
			const delivery: Delivery = JSON.parse(payload)
			await within(route.upstream.timeout + overtime, deliver(delivery, route, runtime))
			runtime.log({ ...line, level: 'info', ms: ms() })
			return { id, delivered: true }
		} catch (thrown) {
			const { code: error, context } = asGatewayError(thrown)
			const now = clock.now()
			const asked = now + (context.retryAfter ?? 0) * 1000
			if (error === 'upstream-circuit-open' || error === 'overloaded') {
				restingUntil.set(name, asked)
				return { id, error, postponedTo: asked }
			}
			const nextAt = nextAfter(context, { attempts: attempts + 1, acceptedAt }, now)
			const facts = { ...line, error, upstreamStatus: context.upstreamStatus, ms: ms() }
			if (nextAt === undefined) runtime.log({ ...facts, level: 'error', dead: true })
			else runtime.log({ ...facts, level: 'warn', nextIn: nextAt - now })
			return nextAt === undefined ? { id, error, dead: true } : { id, error, nextAt }
		}
	}

	/** Not before the upstream asks for it; never again, when it says that it is gone for good. */
	function nextAfter(
		{ upstreamStatus, retryAfter = 0 }: ErrorContext,
		history: { readonly attempts: number; readonly acceptedAt: number },
		now: number,
	): number | undefined {
		if (upstreamStatus === 410) return undefined
		const nextAt = nextAttempt(settings, history, now, Math.random())
		return nextAt === undefined ? undefined : Math.max(nextAt, now + retryAfter * 1000)
	}

	async function within(milliseconds: number, delivery: Promise<void>): Promise<void> {
		const late = Promise.withResolvers<never>()
		const stop = clock.after(milliseconds, () => late.reject(new GatewayError('upstream-timeout')))
		try {
			await Promise.race([delivery, late.promise])
		} finally {
			stop()
		}
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
