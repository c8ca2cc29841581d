/** The process is killed again and again while events come that are sent only once. */

import { hold } from '../../harness/held.ts'
import { header, json, says } from '../../harness/http.ts'
import { callers } from '../../harness/load.ts'
import { conversing, notifying } from '../../harness/platforms.ts'
import { randomFrom } from '../../harness/random.ts'
import type { Received } from '../../harness/upstream.ts'
import { until } from '../../until.ts'
import { delivered, outboxOf } from '../accepting.ts'
import { none, type Row, type Trial, unless } from '../row.ts'
import { nonceOf, nth } from '../turns.ts'

/** One that tells of no conversation, and one that does. */
const platforms = [notifying, conversing]
/** Deliveries under way at once, of each route. */
const concurrency = 16
/** Milliseconds that a delivery takes at most, so that some are under way at every kill. */
const longest = 20
/** Runs that are demanded. */
const seeds = 3

/** What came of the kills of one seed. */
async function survive(trial: Trial, seed: number, kills: number, offered: number) {
	const random = randomFrom(seed)
	const upstream = await trial.upstream(async (_, connection) => {
		await connection.pause(longest * random())
		return json(says(''))
	})
	const key = (byte: number) => Buffer.alloc(32, byte).toString('base64')
	const held = hold(
		trial,
		{
			outbox: outboxOf(trial, { key: { env: 'KEY' }, concurrency }),
			upstream: { url: upstream.url, sign: [{ env: 'SIGN' }], headers: { 'x-process': { env: 'PROCESS' } } },
			routes: platforms.map((platform) => platform.route()),
		},
		// Each delivery names its process, which tells what copies a kill explains.
		{ env: { KEY: key(1), SIGN: `whsec_${key(2)}` }, command: 'LISTEN_PID=$$ LISTEN_FDS=1 PROCESS=$$' },
	)
	const pids = [await held.gateway(1)]

	let sent = 0
	const text = (n: number) => `nonce-${seed}-${n}`
	const acknowledged = new Set<string>()
	const going = callers(held.url(), {
		...{ callers: 32, oneCallEach: true, pause: () => longest * random() },
		call(n, caller) {
			if (n >= offered) return undefined
			sent = n + 1
			const platform = nth(platforms, n)
			return platform.call(platform.event(text(n), { conversation: `caller-${caller}` }))
		},
		judge({ status }, n) {
			if (status === 200) acknowledged.add(text(n))
			return status === 200 ? undefined : `status ${status}`
		},
	})
	const moments = Array.from({ length: kills }, () => offered * (0.02 + 0.96 * random())).toSorted((a, b) => a - b)
	let inHand = 0
	for (const [i, moment] of moments.entries()) {
		if (!(await until(() => sent >= moment, 120_000))) throw new Error('the load has come to a standstill')
		inHand += going.underWay()
		process.kill(pids[i] ?? 0, 'SIGKILL')
		pids.push(await held.gateway(i + 2))
	}
	const { failures, unanswered, wrong } = await going.over
	const { lost } = await delivered([...acknowledged], (without) => upstream.calls.slice(without).map(nonceOf))

	const copies = [...Map.groupBy(upstream.calls, nonceOf).values()]
	const processOf = (call: Received) => pids.indexOf(Number(header(call, 'x-process')))
	const conversations = Map.groupBy(
		copies.flatMap(([first]) => first ?? []),
		({ body }) => JSON.parse(body).event.conversation,
	)
	conversations.delete(undefined)
	const numberOf = (call: Received | undefined) => Number(call && nonceOf(call).split('-').at(-1))
	const refused = failures.get('ECONNREFUSED') ?? 0
	return {
		...{ kills, offered, inHand, refused, lost },
		acknowledged: acknowledged.size,
		broken: unanswered() - refused + [...wrong.values()].reduce((sum, times) => sum + times, 0),
		/** Copies beyond the first of each event. */
		duplicates: upstream.calls.length - copies.length,
		mostCopies: Math.max(...copies.map(({ length }) => length)),
		/** Events of which one process sent more than one copy: no kill explains that. */
		tooMany: copies.filter((each) => new Set(each.map(processOf)).size < each.length).length,
		differing: copies.filter(
			(each) => new Set(each.map((call) => `${header(call, 'webhook-id')} ${call.body}`)).size > 1,
		).length,
		outOfOrder: [...conversations.values()].filter((each) =>
			each.some((call, i) => numberOf(call) < numberOf(each[i - 1])),
		).length,
		/** The gateway's own faults in its log. */
		faults: held.written().match(/"msg":"uncaught"|"error":"(internal|outbox-failed)"/g)?.length ?? 0,
	}
}

type Survived = Awaited<ReturnType<typeof survive>>

let all: Promise<readonly Survived[]> | undefined

/** All kills, once: both rows tell of the same ones. */
function survivals(trial: Trial): Promise<readonly Survived[]> {
	all ??= (async () => {
		const survived: Survived[] = []
		// One after the other: which copies a kill explains is told by when they are read.
		for (let n = 0; n < trial.at(1, 1, seeds); n++) {
			survived.push(await survive(trial, trial.seed + n, trial.at(5, 20, 20), trial.at(1500, 10_000, 10_000)))
		}
		return survived
	})()
	return all
}

function total(survived: readonly Survived[], what: keyof Survived): number {
	return survived.reduce((sum, each) => sum + each[what], 0)
}

export const kills: Row = {
	id: 'B1',
	fault: 'SIGKILL, repeatedly, while events arrive that are sent only once',
	demand:
		'20 kills during 10,000 events, 3 seeds: 0 acknowledged events lost; at most one more copy of an event per kill during its delivery, duplicates ≤ kills × concurrent deliveries (16 per route); copies have the same id and body; conversations keep their order',
	async run(trial) {
		const survived = await survivals(trial)
		const of = (what: keyof Survived) => total(survived, what)
		const bound = of('kills') * concurrency * platforms.length
		const most = Math.max(...survived.map(({ mostCopies }) => mostCopies))
		return {
			reached: `${of('kills')} kills, ${of('offered')} offered, ${of('acknowledged')} acknowledged, ${of('lost')} lost, ${of('duplicates')} duplicates (bound ${bound}), at most ${most} copies of one event`,
			broken: [
				...none(of('lost'), 'acknowledged events were lost'),
				...none(of('tooMany'), 'events had more copies than kills explain'),
				...none(of('differing'), 'events had copies of another id or body'),
				...none(of('outOfOrder'), 'conversations lost their order'),
				...none(of('faults'), 'faults of the gateway’s own in its log'),
				...unless(of('duplicates') <= bound, `${of('duplicates')} duplicates, and no more than ${bound} explain`),
				...unless(of('acknowledged') >= of('offered') / 2, 'most events were not acknowledged'),
			],
			missed: unless(
				survived.length >= seeds,
				`${survived.length} of ${seeds} seeds, for lack of time; --full runs all`,
			),
		}
	},
}

export const refusals: Row = {
	id: 'B2',
	fault: 'Calls during those kills and while the next process starts, on a held socket',
	demand: '0 refused; broken ≤ calls in progress at each kill',
	async run(trial) {
		const survived = await survivals(trial)
		const [refused = 0, broken = 0, inHand = 0, offered] = (['refused', 'broken', 'inHand', 'offered'] as const).map(
			(what) => total(survived, what),
		)
		return {
			reached: `${refused} refused, ${broken} broken of ${offered} (${inHand} in progress)`,
			broken: [
				...none(refused, 'calls were refused'),
				...unless(broken <= inHand, `${broken} calls broke, and only ${inHand} were in progress`),
			],
		}
	},
}
