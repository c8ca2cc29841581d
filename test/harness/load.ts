/**
 * Callers by the thousand. An open load sends at a fixed rate whatever comes back, and measures each call from the moment
 * at which it was due, so that a queue anywhere shows. A closed load has a number of callers, each of which calls when it
 * has its last answer.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { type Answer, type Call, type ClientOptions, createClient, NoAnswer } from './http.ts'

interface Load extends ClientOptions {
	/** Looks at each answer; what it finds is counted as `wrong`. */
	judge?(answer: Answer, n: number): string | undefined
}

export interface OpenLoad extends Load {
	/** Calls a second. */
	readonly rate: number
	readonly seconds: number
	/** Calls that may wait for an answer. More fail with `not sent`. Absent: any number. */
	readonly backlog?: number
	/** The n-th call, from 0. */
	call(n: number): Call
}

export interface ClosedLoad extends Load {
	readonly callers: number
	/** The n-th call, from 0, made by this caller. Undefined: it has no more. */
	call(n: number, caller: number): Call | undefined
	/** Milliseconds between two calls of one caller, asked for each time. None by default. */
	pause?(): number
}

/** What came of a load. */
export interface Loaded {
	readonly sent: number
	/** Answers by status. */
	readonly statuses: ReadonlyMap<number, number>
	/** Calls without an answer, by the code of the failure. */
	readonly failures: ReadonlyMap<string, number>
	/** What `judge` found, and how often. */
	readonly wrong: ReadonlyMap<string, number>
	/** How many answers had this status. */
	count(status: number): number
	/** How many calls had no answer. */
	unanswered(): number
	/** Answers a second, all or those of one status, until the last call was over. */
	rate(status?: number): number
	/** Milliseconds that this part of the answers (0.99) took at most, of all or of one status. NaN: there were none. */
	took(part: number, status?: number): number
}

/** Calls at a fixed rate, on 256 connections by default. Resolves when every call has its answer or has failed. */
export async function open(url: string, load: OpenLoad): Promise<Loaded> {
	const { rate, seconds, backlog = Number.POSITIVE_INFINITY, call, judge, ...options } = load
	const client = createClient(url, { connections: 256, patience: 30_000, ...options })
	const { loaded, run } = createRecord(judge)
	const count = Math.round(rate * seconds)
	const from = performance.now()
	const calls: Promise<unknown>[] = []
	let waiting = 0
	const send = async (n: number): Promise<Answer> => {
		if (waiting >= backlog) throw new NoAnswer('not sent', undefined)
		waiting++
		try {
			return await client.send(call(n))
		} finally {
			waiting--
		}
	}
	while (calls.length < count) {
		// A late tick sends all that is due: a client that falls behind must not slow the load down.
		const due = Math.min(count, Math.floor(((performance.now() - from) / 1000) * rate) + 1)
		for (let n = calls.length; n < due; n++) calls.push(run(n, from + (n / rate) * 1000, send(n)))
		await wait(1)
	}
	await Promise.all(calls)
	await client.close()
	return loaded
}

/** A closed load that runs. */
export interface Going {
	/** Calls that have no answer yet. */
	underWay(): number
	/** Resolves when no caller has a call left. */
	readonly over: Promise<Loaded>
	/** Lets each caller end its last call. */
	stop(): Promise<Loaded>
}

/** Starts as many callers, each on a connection of its own. */
export function callers(url: string, { callers, call, judge, pause, ...options }: ClosedLoad): Going {
	const client = createClient(url, { connections: callers, patience: 30_000, ...options })
	const { loaded, run } = createRecord(judge)
	let going = true
	let underWay = 0
	let calls = 0
	const caller = async (number: number): Promise<void> => {
		for (;;) {
			const next = going ? call(calls, number) : undefined
			if (!next) return
			underWay++
			await run(calls++, performance.now(), client.send(next))
			underWay--
			if (pause) await wait(pause())
		}
	}
	const over = Promise.all(Array.from({ length: callers }, (_, number) => caller(number))).then(async () => {
		await client.close()
		return loaded
	})
	return {
		...{ underWay: () => underWay, over },
		stop() {
			going = false
			return over
		},
	}
}

/** As many calls as these callers, 64 by default, get answered within these seconds. */
export async function capacity(
	url: string,
	{ seconds, callers: count = 64, call }: { seconds: number; callers?: number; call(n: number): Call },
): Promise<Loaded> {
	const going = callers(url, { callers: count, call })
	await wait(seconds * 1000)
	return going.stop()
}

function createRecord(judge: Load['judge']) {
	const from = performance.now()
	let [sent, until] = [0, from]
	const times = new Map<number, number[]>()
	const failures = new Map<string, number>()
	const wrong = new Map<string, number>()
	const of = (status?: number): number[] =>
		status === undefined ? [...times.values()].flat() : (times.get(status) ?? [])
	const loaded: Loaded = {
		get sent() {
			return sent
		},
		get statuses() {
			return new Map(Array.from(times, ([status, { length }]) => [status, length]))
		},
		...{ failures, wrong },
		count: (status) => of(status).length,
		unanswered: () => [...failures.values()].reduce((sum, count) => sum + count, 0),
		rate: (status) => (of(status).length * 1000) / (until - from),
		took: (part, status) => percentile(of(status), part),
	}
	/** Waits for an answer, and counts it; its time is that since it was due. */
	const run = async (n: number, due: number, answering: Promise<Answer>): Promise<void> => {
		sent++
		try {
			const answer = await answering
			const ms = performance.now() - due
			times.set(answer.status, times.get(answer.status) ?? [])
			times.get(answer.status)?.push(ms)
			const fault = judge?.({ ...answer, ms }, n)
			if (fault !== undefined) wrong.set(fault, (wrong.get(fault) ?? 0) + 1)
		} catch (thrown) {
			if (!(thrown instanceof NoAnswer)) throw thrown
			failures.set(thrown.code, (failures.get(thrown.code) ?? 0) + 1)
		}
		until = performance.now()
	}
	return { loaded, run }
}

/** What `judge` found, a sentence each. */
export function wrongs({ wrong }: Loaded): string[] {
	return Array.from(wrong, ([what, count]) => `${count} × ${what}`)
}

/** The value that this part of the values (0.99) does not pass. NaN when there are none. */
export function percentile(values: readonly number[], part: number): number {
	const sorted = Float64Array.from(values).sort()
	return sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] ?? Number.NaN
}
