/** The state of conversations in a store that several Nodes share. */
import { randomInt } from 'node:crypto'
import { limits } from '../../limits.ts'
import type { State } from '../../runtime.ts'
import { timedOut, withTimeout } from '../../timeout.ts'
import { createBreaker } from '../../upstream/index.ts'
import { openIn, storedReply } from './open-choices.ts'
import { type BeginAsk, type Begun, claimName, type StateStore, type StoreEvents, storedName } from './state-store.ts'
import { answerIn, storedAnswer } from './stored-answer.ts'
import { createUntoldEnds, type UntoldEnd } from './untold-ends.ts'
import { createWaiting } from './waiting.ts'

export interface SharedStateOptions {
	/** Opens the store. */
	open(events: Pick<StoreEvents, 'wake'>): StateStore | Promise<StateStore>
	/** Milliseconds of a round trip, after which the turn goes on. */
	readonly timeout: number
	/** A turn went on without the store. */
	failed(did: keyof State, cause: string): void
	/** The store answers again. */
	recovered(): void
}

/** A State, and what ends it. */
export interface SharedState {
	readonly state: State
	/** As that of the store. */
	identify(): Promise<string>
	close(): Promise<void>
}

/** A claim that another call waits for. */
type Pending = Extract<Begun, { readonly pending: number }>

/** What a turn begins with where the store cannot be reached: no claim is held. */
const nothing: Begun = { replies: [] }

/** Fences are random: the store may forget what it counts, and a fence must not come twice. */
const fences = 2 ** 48 - 1

/**
 * Creates the state. Where the store does not answer in time, or refuses, the turn goes on as if the state were empty.
 * After some failures in a row the store is only tried now and then until it answers, so that its absence costs no time.
 */
export async function createSharedState({
	open,
	timeout,
	failed,
	recovered,
}: SharedStateOptions): Promise<SharedState> {
	const breaker = createBreaker()
	const waiting = createWaiting()
	const untold = createUntoldEnds()
	const store = await open({ wake: waiting.wake })
	let failing = false

	async function call<T>(did: keyof State, fallback: T, run: () => Promise<T>): Promise<T> {
		if (breaker.retryIn(performance.now()) > 0) {
			failed(did, 'no answer a moment ago')
			return fallback
		}
		breaker.onStart(performance.now())
		try {
			const result = await withTimeout(timeout, run())
			if (result !== timedOut) {
				breaker.onSuccess()
				if (failing) recovered()
				failing = false
				for (const end of untold.due(performance.now())) void tellAgain(end)
				return result
			}
			onFailure(did, `no answer within ${timeout} ms`)
		} catch (cause) {
			onFailure(did, cause instanceof Error ? cause.message : String(cause))
		}
		return fallback
	}

	function onFailure(did: keyof State, cause: string): void {
		failing = true
		breaker.onFailure(performance.now())
		failed(did, cause)
	}

	/** Ends a claim that would be held until it lapses, and keep the same call waiting, although it was answered. */
	async function tellAgain(end: UntoldEnd): Promise<void> {
		const { conversation, claim } = end
		const telling = store.settle(conversation, { claim })
		// An end that fails stays untold, and is tried again until it is too old to be of use.
		const result = await withTimeout(timeout, telling).catch(() => timedOut)
		if (result !== timedOut) untold.told(end)
	}

	/** Asks until no other call holds the claim. */
	async function beginNext(conversation: string, ask: BeginAsk): Promise<Exclude<Begun, Pending>> {
		for (;;) {
			const watch = ask.claim && waiting.watch(claimName(conversation, ask.claim.call))
			try {
				const begun = await call('begin', nothing, () => store.begin(conversation, ask))
				if (!('pending' in begun)) return begun
				await watch?.settled(begun.pending)
			} finally {
				watch?.end()
			}
		}
	}

	const state: State = {
		async begin(conversation, { claim, choices }) {
			const asked = claim && { call: storedName(claim.call), fence: randomInt(fences), lease: claim.lease }
			const begun = await beginNext(storedName(conversation), { claim: asked, choices })
			if ('answer' in begun) return { answer: answerIn(begun.answer) }
			const open = openIn(begun.replies)
			return !asked || begun === nothing ? { open } : { fence: asked.fence, open }
		},
		async settle(conversation, { claim, reply, picked }) {
			const stored = reply && storedReply(reply, picked)
			const answer = claim?.answer && storedAnswer(claim.answer)
			const ended = claim && { call: storedName(claim.call), fence: claim.fence, answer: fitting(answer) }
			const ask = { claim: ended, reply: stored?.text }
			const name = storedName(conversation)
			const whole = await call<boolean | undefined>('settle', undefined, () => store.settle(name, ask))
			if (whole === undefined && ended) untold.add({ conversation: name, claim: ended }, performance.now())
			return whole !== false && (stored?.whole ?? true)
		},
		async addLateReply(conversation, reply) {
			const text = JSON.stringify(reply)
			if (Buffer.byteLength(text) > limits.lateRepliesBytes.value) return false
			return await call('addLateReply', false, () => store.addLateReply(storedName(conversation), text))
		},
		async takeLateReplies(conversation) {
			const none: readonly string[] = []
			const replies = await call('takeLateReplies', none, () => store.takeLateReplies(storedName(conversation)))
			return replies.map((text) => JSON.parse(text))
		},
	}
	return {
		state,
		identify: store.identify,
		async close() {
			await store.close()
			waiting.wake(undefined)
		},
	}
}

/** The answer, unless it alone is larger than all of a conversation may be. */
function fitting(answer: string | undefined): string | undefined {
	const isLarge = answer !== undefined && Buffer.byteLength(answer) > limits.rememberedAnswersBytes.value
	return isLarge ? undefined : answer
}
