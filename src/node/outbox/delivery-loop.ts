/**
 * The outbox of this process. Everything that arrives during one commit goes into the next, and events are delivered when
 * they are due.
 */
import type { OutboxSettings } from '../../config/index.ts'
import type { Clock } from '../../delivery/index.ts'
import { GatewayError } from '../../errors.ts'
import type { Route } from '../../route.ts'
import type { Outbox, Runtime } from '../../runtime.ts'
import { createTroubleLog } from '../trouble-log.ts'
import { createDeliveries } from './deliveries-in-progress.ts'
import { createIntake, mostBytes } from './intake.ts'
import { createPace } from './pace.ts'
import type { Committed } from './store.ts'
import type { RemoteStore } from './store-client.ts'
import type { StoredOutcome } from './stored-outcomes.ts'

export interface OutboxParts {
	readonly store: RemoteStore
	readonly settings: OutboxSettings
	/** The routes as they are now. Events of a route that is not configured wait until it is. */
	routes(): readonly Route[]
	readonly runtime: Runtime
	/** Never jumps. */
	readonly clock: Clock
}

/** An outbox, and what ends it. */
export interface RunningOutbox extends Outbox {
	/** Whether events can be stored, as far as is known: the last commit is at most five seconds ago. One that fails is tried again each second. */
	canStore(): boolean
	/** Starts no more deliveries; still accepts events. */
	drain(): void
	/** Waits for deliveries in progress, for this many milliseconds at most. The next process delivers the rest. */
	close(milliseconds: number): Promise<void>
}

/** Milliseconds between two looks for events that another process has put back. */
const lookEvery = 1000
/** Milliseconds before a store that failed is opened again. */
const reopenAfter = 1000
/** Milliseconds without a commit that a process is given before it counts as one that cannot store: a restart of a server takes less. */
const patience = 5000

/** An outbox on a store. It delivers whatever is due from now on. */
export function createOutbox({ store, settings, routes, runtime, clock }: OutboxParts): RunningOutbox {
	const intake = createIntake(settings.maxBytes)
	const pace = createPace(clock)
	const trouble = createTroubleLog(
		{ log: runtime.log, elapsed: clock.now },
		{
			failing: { level: 'error', msg: 'outbox', error: 'outbox-failed' },
			recovered: { level: 'info', msg: 'outbox', did: 'recovered' },
		},
	)
	let outcomes: StoredOutcome[] = []
	/** Outcomes for which the disk had no room. */
	let unstored: readonly StoredOutcome[] = []
	let state: 'open' | 'draining' | 'closed' = 'open'
	let committing: Promise<void> | undefined
	let failing = false
	let cancelTimer = () => {}
	let wakesAt = Number.POSITIVE_INFINITY
	let committedAt = clock.now()
	/** Those who waited at the end of the last commit, and those whom it answered: they may be back soon. */
	let callers = 0
	let onAllCallers = () => {}
	const deliveries = createDeliveries({
		...{ routes, schedule: settings, runtime, clock, random: Math.random, concurrency: settings.concurrency },
		maxBytes: mostBytes(settings.maxBytes),
		onEnd(outcome) {
			if (outcome) outcomes.push(outcome)
			if (isPausing()) sleepUntil(pace.pausesUntil)
			else wake()
		},
	})
	const isPausing = () => state === 'open' && !failing && clock.now() < pace.pausesUntil
	const hasWork = () => intake.count > 0 || (outcomes.length > 0 && !isPausing())

	/** Wakes then, unless something wakes it before. */
	function sleepUntil(moment: number): void {
		if (moment >= wakesAt) return
		stayAwake()
		wakesAt = moment
		cancelTimer = clock.after(Math.max(0, moment - clock.now()), () => {
			failing = false
			wake()
		})
	}

	function stayAwake(): void {
		cancelTimer()
		wakesAt = Number.POSITIVE_INFINITY
	}

	function wake(): void {
		if (failing || state === 'closed') return
		stayAwake()
		committing ??= commitAll().finally(() => {
			committing = undefined
			// For what arrived after its last look.
			if (hasWork()) wake()
		})
	}

	async function commitAll(): Promise<void> {
		let nextAt: number | undefined
		do nextAt = await commitNext()
		while (!failing && hasWork())
		if (state === 'closed') return
		stayAwake()
		sleepUntil(clock.now() + (failing ? reopenAfter : lookEvery))
		if (failing) return
		if (nextAt !== undefined) sleepUntil(nextAt)
		if (outcomes.length > 0) sleepUntil(pace.pausesUntil)
	}

	/** Waits until all callers are back or the time for it is over. Turns that came side by side are all here when it returns. */
	async function gather(): Promise<void> {
		const left = pace.gathersUntil - clock.now()
		if (intake.count >= callers || left <= 0) return
		const all = Promise.withResolvers<void>()
		onAllCallers = all.resolve
		const cancel = clock.after(left, all.resolve)
		await all.promise
		cancel()
	}

	/** Commits what has arrived, and starts the deliveries that are due. Returns when the next one is. */
	async function commitNext(): Promise<number | undefined> {
		if (intake.count > 0) await gather()
		const accepted = intake.next()
		const ended = [...unstored, ...outcomes]
		outcomes = []
		unstored = []
		let committed: Committed
		try {
			const entries = accepted.map(({ entry }) => entry)
			const room = state === 'open' ? deliveries.room() : {}
			committed = await pace.measure(() => store.commit({ now: clock.now(), entries, outcomes: ended, room }))
		} catch (thrown) {
			failing = true
			// Committed again: an outcome that was stored after all changes nothing the second time.
			outcomes = [...ended, ...outcomes]
			for (const { settle } of accepted) settle('outbox-failed')
			intake.refuseAll('outbox-failed')
			const cause = thrown instanceof Error ? thrown.message : String(thrown)
			// A connection that has ended says nothing of why there is no other, such as that the server is read-only now.
			trouble.failed({ cause }, cause)
			return undefined
		}
		committedAt = clock.now()
		callers = intake.count + accepted.length
		trouble.works()
		const { entries, claimed, nextAt, crowdedOut } = committed
		unstored = committed.unstored ?? []
		accepted.forEach(({ settle }, i) => {
			settle(entries[i])
		})
		if (crowdedOut > 0) runtime.log({ level: 'warn', msg: 'outbox', crowdedOut })
		for (const event of claimed) deliveries.start(event)
		return nextAt
	}

	const names = routes().map(({ name }) => name)
	for (const route of store.routes.filter((each) => !names.includes(each))) {
		runtime.log({ level: 'warn', msg: 'outbox', warning: 'events wait for a route that is not configured', route })
	}
	store.onNews?.(wake)
	wake()
	return {
		canStore: () => clock.now() - committedAt <= patience,
		async accept(accepted, underWay) {
			const [delivery] = accepted
			const entry = intake.entryOf(accepted, underWay !== undefined)
			if (failing || state === 'closed') throw new GatewayError('outbox-failed')
			const stored = intake.add(entry)
			if (intake.count >= callers) onAllCallers()
			wake()
			try {
				await stored
			} catch (thrown) {
				// It may have been stored, and nobody else takes it while this process lives.
				if (underWay) outcomes.push({ id: delivery.id, result: 'delivered' })
				throw thrown
			}
			const acceptedAt = clock.now()
			if (underWay) deliveries.takeOver({ delivery, failed: 0, acceptedAt, interrupted: false }, underWay)
		},
		drain() {
			if (state === 'open') state = 'draining'
		},
		async close(milliseconds) {
			if (state === 'closed') return
			state = 'draining'
			await deliveries.idle(milliseconds)
			// Commits the outcomes of the deliveries that have ended.
			wake()
			await committing
			state = 'closed'
			stayAwake()
			await store.close()
		},
	}
}
