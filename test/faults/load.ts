/**
 * Callers by the thousand. `open` is an open loop: it sends at a fixed rate whatever comes back, and measures each call
 * from the moment it was meant to be sent, so that a queue anywhere shows. `capacity` is a closed loop: as many calls
 * as come back, on so many connections.
 */
import { Pool } from 'undici'

/** A call as it is sent. */
export interface Outgoing {
	/** Absent: POST. */
	readonly method?: string
	readonly path: string
	/** Names and values by turns. Absent: those of a JSON body. */
	readonly headers?: readonly string[]
	readonly body?: string
}

/** What came back for one call. */
export interface Answer {
	readonly status: number
	readonly body: string
	/** Names in lower case. */
	readonly headers: ReadonlyMap<string, string>
	/** Milliseconds since the call was meant to be sent, until the last byte. */
	readonly ms: number
}

interface Common {
	/** The gateway, without a path. */
	readonly url: string
	readonly seconds: number
	/** The n-th call, from 0. */
	call(n: number): Outgoing
	/** Looks at each answer; what it says is counted as `wrong`. */
	judge?(answer: Answer, n: number): string | undefined
	/** Connections at most; further calls wait, and their time runs. Absent: 256. */
	readonly connections?: number
	/** Milliseconds after which a call counts as hung. Absent: 30,000. */
	readonly patience?: number
}

/** An open loop. */
export interface OpenLoad extends Common {
	/** Calls a second. */
	readonly rate: number
}

/** What came of a load. */
export interface Loaded {
	readonly sent: number
	/** Answers by status. */
	readonly statuses: ReadonlyMap<number, number>
	/** Calls without an answer, by the error's code. */
	readonly failures: ReadonlyMap<string, number>
	/** Calls that had no answer within the patience. */
	readonly hung: number
	/** What `judge` found, and how often. */
	readonly wrong: ReadonlyMap<string, number>
	/** Answers of a status, all when absent, a second: until the last call was over, which is later than it was sent. */
	rate(status?: number): number
	/** Milliseconds that this part of the answers (0.99) took at most; of one status where one is named. NaN: there were none. */
	took(part: number, status?: number): number
}

/** Calls at a fixed rate. Resolves when every call has its answer, its failure, or has hung. */
export async function open({ rate, seconds, ...load }: OpenLoad): Promise<Loaded> {
	const count = Math.round(rate * seconds)
	const record = createRecord()
	const pool = poolOf(load)
	const from = performance.now()
	const calls: Promise<void>[] = []
	await new Promise<void>((all) => {
		const tick = (): void => {
			// Late ticks send what they owe at once: a client that falls behind must not slow the load down.
			const due = Math.min(count, Math.floor(((performance.now() - from) / 1000) * rate) + 1)
			while (calls.length < due) {
				const n = calls.length
				calls.push(callOnce(pool, load, n, from + (n / rate) * 1000, record))
			}
			if (calls.length < count) setTimeout(tick, 1)
			else all()
		}
		tick()
	})
	await Promise.all(calls)
	record.milliseconds = performance.now() - from
	await pool.destroy()
	return record
}

/** As many calls as come back for so many seconds: `rate()` of it is the capacity. */
export async function capacity({ seconds, ...load }: Common): Promise<Loaded> {
	const record = createRecord()
	const pool = poolOf(load)
	const from = performance.now()
	const until = from + seconds * 1000
	let n = 0
	const caller = async (): Promise<void> => {
		while (performance.now() < until) await callOnce(pool, load, n++, performance.now(), record)
	}
	await Promise.all(Array.from({ length: load.connections ?? 64 }, caller))
	record.milliseconds = performance.now() - from
	await pool.destroy()
	return record
}

interface Record extends Loaded {
	sent: number
	/** From the first call until the last was over. */
	milliseconds: number
	hung: number
	add(answer: Answer): void
	readonly failures: Map<string, number>
	readonly wrong: Map<string, number>
}

function createRecord(): Record {
	const times = new Map<number, number[]>()
	const of = (status?: number): number[] =>
		status === undefined ? [...times.values()].flat() : (times.get(status) ?? [])
	return {
		...{ sent: 0, milliseconds: 0, hung: 0, failures: new Map(), wrong: new Map() },
		get statuses() {
			return new Map(Array.from(times, ([status, { length }]) => [status, length]))
		},
		add({ status, ms }) {
			const own = times.get(status)
			if (own) own.push(ms)
			else times.set(status, [ms])
		},
		rate(status) {
			return (of(status).length * 1000) / this.milliseconds
		},
		took: (part, status) => percentile(of(status), part),
	}
}

/** The value that this part of the values (0.99) does not pass. NaN when there are none. */
export function percentile(values: readonly number[], part: number): number {
	const sorted = Float64Array.from(values).sort()
	return sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] ?? Number.NaN
}

function poolOf({ url, connections = 256 }: Omit<Common, 'seconds'>): Pool {
	return new Pool(url, { connections, pipelining: 1, headersTimeout: 0, bodyTimeout: 0, allowH2: false })
}

const json = ['content-type', 'application/json']

async function callOnce(
	pool: Pool,
	{ call, judge, patience = 30_000 }: Omit<Common, 'seconds'>,
	n: number,
	intended: number,
	record: Record,
): Promise<void> {
	record.sent++
	const { method = 'POST', path, headers = json, body } = call(n)
	const limit = new AbortController()
	const timer = setTimeout(() => limit.abort(), Math.max(0, intended + patience - performance.now()))
	try {
		const response = await pool.request({
			...{ method, path, headers: [...headers], signal: limit.signal },
			body: body ?? null,
		})
		const text = await response.body.text()
		const fields = Object.entries(response.headers).map(([name, value]) => [name, String(value)] as const)
		const ms = performance.now() - intended
		const answer: Answer = { status: response.statusCode, body: text, headers: new Map(fields), ms }
		record.add(answer)
		const fault = judge?.(answer, n)
		if (fault !== undefined) count(record.wrong, fault)
	} catch (thrown) {
		if (limit.signal.aborted) record.hung++
		else count(record.failures, codeOf(thrown))
	} finally {
		clearTimeout(timer)
	}
}

function codeOf(thrown: unknown): string {
	if (!(thrown instanceof Error)) return String(thrown)
	return 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : thrown.name
}

function count(counts: Map<string, number>, key: string): void {
	counts.set(key, (counts.get(key) ?? 0) + 1)
}
