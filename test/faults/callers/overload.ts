/** More calls than can be answered: by the upstream, by the core, with a small heap, and of events that are stored. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { json, message, says } from '../../harness/http.ts'
import { capacity, open, wrongs } from '../../harness/load.ts'
import { notifying, own, ownTo } from '../../harness/platforms.ts'
import { delivered, startAccepting, startTaking } from '../accepting.ts'
import { answeredOrRefused, faultsOf, watchMemory } from '../health.ts'
import { none, type Outcome, over, type Row, type Trial, together, unless } from '../row.ts'

/** Calls that the upstream takes at once, and milliseconds of each: 400 a second. */
const upstream = { atOnce: 40, each: 100 }
/** Milliseconds after which a platform no longer reads an answer. */
const deadline = 10_000
/** Connections of the callers: fewer than the gateway takes. */
const connections = 1000
/** The load, as a multiple of what can be answered. */
const times = 3

export const overload: Row = {
	id: 'D5',
	fault: 'Three times as many calls as the upstream, or the gateway’s core, can handle',
	demand:
		'goodput ≥ 80 % of the peak; the rest rejected with 503 and Retry-After within 50 ms; normal again ≤ 5 s later',
	run: async (trial) => together([await moreThanTheUpstreamTakes(trial), await moreThanTheCoreCan(trial)]),
}

const call = (n: number) => ({ path: '/own', body: message(`hello ${n}`) })
const judge = answeredOrRefused

/** Calls, some of which are refused because those before them are still with the upstream. */
async function moreThanTheUpstreamTakes(trial: Trial): Promise<Outcome> {
	const { url: to } = await trial.upstream(async (_, connection) => {
		await connection.pause(upstream.each)
		return json(says('Hello'))
	})
	const gateway = await trial.start(ownTo({ url: to, concurrency: upstream.atOnce }))
	const { url } = gateway
	await capacity(url, { seconds: 0.5, call, callers: upstream.atOnce })
	const peak = (await capacity(url, { seconds: 2, call, callers: upstream.atOnce })).rate(200)
	const load = await open(url, { rate: peak * times, seconds: trial.at(2, 5, 60), call, judge, connections })
	const after = await open(url, { rate: peak / 4, seconds: 1, call, judge, connections })
	const [goodput, slowest] = [load.rate(200) / peak, load.took(0.99, 503)]
	return {
		reached: `the upstream: goodput ${percent(goodput)} of ${peak.toFixed(0)}/s; of ${load.sent} calls ${load.count(503)} rejected, p99 ${slowest.toFixed(0)} ms, ${load.unanswered()} without an answer; afterwards ${after.count(503)} of ${after.sent} rejected`,
		broken: [
			...faultsOf(gateway),
			...wrongs(load),
			...wrongs(after),
			...unless(load.count(503) > 0, 'nothing was refused'),
			...none(load.unanswered(), `of ${load.sent} calls had no answer`),
		],
		missed: [
			...unless(
				goodput >= 0.8,
				`goodput ${percent(goodput)} of the peak, on cores shared with the clients and the upstream`,
			),
			...over(slowest, 50, (it) => `p99 of a rejection ${it} ms, on cores shared with the clients and the upstream`),
			...none(after.count(503), `of ${after.sent} calls were rejected afterwards`),
		],
	}
}

/** Calls that nothing holds up but the gateway itself. It takes what its connections bring, one at a time each. */
async function moreThanTheCoreCan(trial: Trial): Promise<Outcome> {
	const gateway = await trial.start(ownTo('builtin:demo'))
	const { url } = gateway
	// A process gets faster for some seconds: the best of several, or the peak would be none.
	const tries: number[] = []
	for (let i = 0; i < trial.at(3, 6, 20); i++) tries.push((await capacity(url, { seconds: 0.5, call })).rate(200))
	const peak = Math.max(...tries)
	const before = await open(url, { rate: peak / 4, seconds: 1, call })
	const seconds = trial.at(1, 2, 60)
	const loading = open(url, { rate: peak * times, seconds, call, judge, connections, patience: deadline })
	// Callers of whom none waits behind calls of its own.
	const others = await open(url, { rate: 20, seconds, call, judge, patience: deadline })
	const load = await loading
	const after = await open(url, { rate: peak / 4, seconds: 1, call, judge })
	const goodput = load.rate(200) / peak
	const [usual, later] = [before.took(0.5, 200), after.took(0.5, 200)]
	return {
		reached: `the core: goodput ${percent(goodput)} of ${peak.toFixed(0)}/s on ${connections} connections, for which the excess calls wait; others: p99 ${others.took(0.99).toFixed(0)} ms, ${others.unanswered()} of ${others.sent} without an answer; p50 ${usual.toFixed(1)} ms before, ${later.toFixed(1)} ms afterwards`,
		broken: [
			...faultsOf(gateway),
			...[load, others, after].flatMap(wrongs),
			...none(others.unanswered(), `of ${others.sent} others had no answer`),
			...none(after.unanswered(), `of ${after.sent} calls afterwards had no answer`),
		],
		missed: [
			...unless(goodput >= 0.8, `goodput ${percent(goodput)} of the peak, on cores shared with the clients`),
			...over(later, 3 * usual + 10, (it) => `p50 ${it} ms afterwards, ${usual.toFixed(1)} ms before`),
		],
	}
}

function percent(part: number): string {
	return `${Math.round(part * 100)} %`
}

/** The small heap. */
const smallHeap = '--max-old-space-size=128'

export const heap: Row = {
	id: 'B9',
	fault:
		'A heap of 128 MiB, a new conversation with ten choices in each call, late answers, and twice as many calls as can be answered',
	demand:
		'10 minutes: 0 exits for lack of memory; excess calls are rejected with 503 and Retry-After; 1,000,000 conversations in the state do not end the process',
	except: 'a minute instead of ten, with bodies of 10 kB',
	run: async (trial) => together([await manyConversations(trial), await moreThanTheHeapHolds(trial)]),
}

const choices = Array.from({ length: 10 }, (_, i) => ({ title: `Choice ${i}`, value: `value-of-choice-${i}` }))
const question = json({ messages: [{ type: 'choices', text: 'Which one do you like best?', choices }] })

/** Calls in new conversations, as many as can be answered twice over. */
async function moreThanTheHeapHolds(trial: Trial): Promise<Outcome> {
	const backend = await trial.upstream(async ({ body }, connection) => {
		backend.calls.length = 0
		if (body.includes('slow')) await connection.pause(late.after * 1.5)
		return question
	})
	const late = { after: 1000, reply: says('One moment') }
	const route = own.route({ late }, 'own')
	const gateway = await trial.start(
		{ upstream: { url: backend.url, timeout: 5000, concurrency: 500 }, routes: [route] },
		{ node: [smallHeap] },
	)
	let conversations = 0
	const inNew = (word: string) => {
		const n = ++conversations
		const words = `${word} ${'x'.repeat(10_000)}`
		return { path: '/own', body: message(words, { id: `m${n}`, conversation: `conversation ${n}` }) }
	}
	const quick = () => inNew('quick')
	await capacity(gateway.url, { seconds: 0.5, call: quick })
	const peak = (await capacity(gateway.url, { seconds: 1, call: quick })).rate(200)
	const call = (n: number) => inNew(n % 50 === 0 ? 'slow' : 'quick')
	const [time, enough] = [trial.at(5, 60, 600), trial.at(10_000, 100_000, 100_000)]
	// A busy machine needs longer for as many, but not any time.
	const seconds = Math.min(4 * time, Math.max(time, enough / (peak * 2)))
	const grown = watchMemory(gateway)
	const load = await open(gateway.url, {
		...{ rate: peak * 2, seconds, call, connections: 1000 },
		// Calls that this process cannot send in time would fill its own heap.
		backlog: 20_000,
		judge: answeredOrRefused,
	})
	const kept = gateway.lines.filter(({ msg, did }) => msg === 'late' && did === 'kept').length
	const notSent = load.failures.get('not sent') ?? 0
	return {
		reached: `${load.sent - notSent} calls of ${(peak * 2).toFixed(0)}/s that were due: ${load.count(200)} conversations, ${kept} late answers, ${load.count(503)} rejected, ${load.unanswered() - notSent} without an answer; ${grown().toFixed(0)} MB more memory; still running`,
		broken: [...faultsOf(gateway), ...wrongs(load), ...unless(kept > 0, 'no late answer was kept')],
	}
}

/** Conversations in a state alone: far more than its heap holds. */
async function manyConversations(trial: Trial): Promise<Outcome> {
	const count = trial.at(100_000, 1_000_000, 1_000_000)
	const script = fileURLToPath(new URL('../../harness/many-conversations.ts', import.meta.url))
	const { promise: ended, resolve } = Promise.withResolvers<{ readonly error: Error | null; readonly lines: string }>()
	execFile(process.execPath, [smallHeap, '--expose-gc', script, String(count)], (error, lines) =>
		resolve({ error, lines }),
	)
	const { error, lines } = await ended
	const megabytes = lines
		.trim()
		.split('\n')
		.map((bytes) => Number(bytes) / 1_000_000)
	// The first tenth fills the memory; later ones replace what is in it.
	const growth = (megabytes.at(-1) ?? 0) - (megabytes[0] ?? 0)
	return {
		reached: `${count} conversations in a state: ${megabytes[0]?.toFixed(0)} MB of heap after the first tenth, ${megabytes.at(-1)?.toFixed(0)} MB after the last`,
		broken: [
			...unless(!error, `the process with ${count} conversations ended: ${error?.message.slice(0, 200)}`),
			...over(growth, 8, (it) => `the heap grew by ${it} MB after the first tenth`),
		],
	}
}

/** Events a second, and milliseconds for 99 of 100 of them. */
const steps = [
	{ rate: 1000, most: 50 },
	{ rate: 2000, most: 100 },
] as const

export const acceptLatency: Row = {
	id: 'D6',
	fault: '1,000 and 2,000 events per second that are acknowledged once they are on disk',
	demand: 'p99 of the acknowledgement ≤ 50 ms and ≤ 100 ms; every event acknowledged and delivered',
	async run(trial) {
		const seconds = trial.at(1, 5, 30)
		const upstream = await startTaking(trial)
		const gateway = await startAccepting(trial, upstream.url, { outbox: { concurrency: 64 } })
		const sent: string[] = []
		const loadAt = (rate: number, seconds: number) => {
			const first = sent.length
			return open(gateway.url, {
				...{ rate, seconds },
				call(n) {
					sent[first + n] = trial.nonce()
					return notifying.call(notifying.event(`${sent[first + n]}`))
				},
			})
		}
		// What a process does first, it does slowly.
		await loadAt(200, 0.5)
		const broken: string[] = []
		const missed: string[] = []
		const reached: string[] = []
		for (const { rate, most } of steps) {
			const load = await loadAt(rate, seconds)
			const p99 = load.took(0.99, 200)
			reached.push(`${rate}/s: p99 ${p99.toFixed(1)} ms`)
			const others = [...load.statuses, ...load.failures].map(([what, times]) => `${times} × ${what}`)
			broken.push(...none(load.sent - load.count(200), `of ${load.sent} events at ${rate}/s: ${others}`))
			missed.push(
				...over(p99, most, (it) => `p99 ${it} ms at ${rate}/s, on cores shared with the clients and the upstream`),
			)
		}
		const events = await delivered(sent, (without) => upstream.taken.slice(without))
		reached.push(`${sent.length} acknowledged, ${upstream.taken.length} delivered`)
		return { reached: reached.join('; '), broken: [...broken, ...events.broken], missed }
	},
}
