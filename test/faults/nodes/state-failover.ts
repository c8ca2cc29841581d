/** A replica takes the place of the server of a shared state, while calls come to both Nodes. */
import { setTimeout as wait } from 'node:timers/promises'
import { own } from '../../harness/platforms.ts'
import type { StateKind, StateReplica, StateServer } from '../../harness/state-servers.ts'
import { until } from '../../until.ts'
import { keptBy, socketsTo, tellsKept } from '../health.ts'
import { none, type Outcome, over, type Row, type Trial, together, unless } from '../row.ts'
import {
	judged,
	type Pair,
	type SentTwice,
	sendPair,
	sendPairs,
	startPair,
	stateTimeout,
	withEach,
} from '../shared-state.ts'
import { each, nth, slowest, type Turn, turnsWith, unexpected } from '../turns.ts'

/** How a server ends to be the primary. */
interface End {
	/** In words, for the figures. */
	readonly name: string
	begin(primary: StateServer): unknown
	/** What becomes of it when the other one has taken over. */
	afterwards(primary: StateServer): unknown
}

const hung: End = {
	name: 'hung',
	begin: (primary) => primary.hang(),
	// It now does what it was told while it hung, which no longer matters to anyone.
	afterwards: (primary) => primary.resume(),
}
const killed: End = { name: 'killed', begin: (primary) => primary.kill(), afterwards() {} }
const demoted: End = { name: 'read-only', begin: (primary) => primary.setReadOnly(true), afterwards() {} }

/** Milliseconds that the upstream takes: many calls wait for the one at the other Node when the server fails. */
const pause = 50
/** Callers of one Node each, and callers of both at once. */
const [single, double] = [6, 6]
/** Milliseconds after which the Nodes use the new server at the latest, and those in which they should. */
const [latest, soon] = [10_000, 3000]
/** Milliseconds that a call may wait for the same one at the other Node, whose answer is in a server that hangs. */
const mostWaiting = 5000
/** Megabytes of a Node that failovers may leave behind, with what it compiled meanwhile. */
const mostKept = 10
/** How often it is tried when the machine is so busy that the state is not asked in time: then a turn goes on alone. */
const tries = 3

/** What was taken from the calls that came all the while. */
interface Load {
	/** Of calls that came to one Node. */
	readonly alone: Turn[]
	/** Of calls that came to both at once. */
	readonly waiting: Turn[]
	stop(): Promise<void>
}

function load(trial: Trial, pair: Pair): Load {
	const [alone, waiting]: [Turn[], Turn[]] = [[], []]
	let going = true
	const calling = each(single + double, single + double, async (caller) => {
		while (going) {
			const text = trial.nonce()
			if (caller < single) {
				const about = { text, id: text, conversation: text }
				alone.push(await turnsWith(trial, nth(pair.nodes, caller))(own, undefined, about))
			} else waiting.push(...(await sendPair(trial, pair, text)).turns)
			await wait(20 * trial.random())
		}
	})
	return {
		...{ alone, waiting },
		async stop() {
			going = false
			await calling
		},
	}
}

/** Sends pairs, again where a turn may have gone on without the state because the machine is busy. */
async function sendPairsInTime(trial: Trial, pair: Pair) {
	for (let n = 1; ; n++) {
		const sent = await sendPairs(trial, pair, trial.at(30, 300, 1000))
		if (n === tries || sent.turns.every(({ ms }) => ms < stateTimeout)) return sent
	}
}

/** Whether both Nodes use the same server again: of a call that comes to both, one waits for the other, and is told. */
async function isShared(trial: Trial, pair: Pair): Promise<boolean> {
	const sent = await sendPair(trial, pair, trial.nonce())
	const { notOnce, differing } = judged(pair, [sent])
	return notOnce + differing === 0 && sent.turns.every(({ ms }) => ms < 1000)
}

/** Sends events again: neither their answers nor the calls of the upstream change. */
async function repeat(trial: Trial, pair: Pair, events: readonly SentTwice[]) {
	const again = await each(events.length, 8, async (n): Promise<SentTwice> => {
		const { text, turns } = nth(events, n)
		return { text, turns: [...turns, ...(await sendPair(trial, pair, text)).turns] }
	})
	const { notOnce, differing } = judged(pair, again)
	return again.length - (notOnce === 0 && differing === 0 ? 0 : Math.max(notOnce, differing))
}

async function failOver(
	trial: Trial,
	kind: StateKind,
	pair: Pair,
	{ name, begin, afterwards }: End,
	[primary, replica]: readonly [StateServer, StateReplica],
): Promise<Outcome> {
	const address = `http://127.0.0.1:${pair.network.port}`
	const isSharedBefore = await until(() => isShared(trial, pair), latest)
	const before = await sendPairsInTime(trial, pair)
	const calls = load(trial, pair)
	await wait(300)
	await replica.catchUp()
	await begin(primary)
	await wait(trial.at(800, 3000, 10_000))
	pair.network.leadTo(replica.port)
	// It is there, and not the primary yet.
	await wait(300)
	await replica.promote()
	const from = performance.now()
	const isSharedAfter = await until(() => isShared(trial, pair), latest)
	const back = performance.now() - from
	await afterwards(primary)
	await calls.stop()
	const known = kind.isCopied ? await repeat(trial, pair, before.events) : undefined
	const after = await sendPairsInTime(trial, pair)
	const mayHold = kind.connections * pair.nodes.length
	const isTidy = await until(() => socketsTo(address) <= mayHold, 5000)
	const [aloneFor, waitedFor] = [slowest(calls.alone), slowest(calls.waiting)]
	const what = `${kind.name} ${name}`
	const ofKnown = known === undefined ? '' : `, ${known} of ${before.events.length} earlier answers known`
	return {
		reached: `${what}: ${calls.alone.length + calls.waiting.length} turns, slowest ${aloneFor.toFixed(0)} ms, of calls at both Nodes ${waitedFor.toFixed(0)} ms; shared again after ${(back / 1000).toFixed(1)} s${ofKnown}; ${socketsTo(address)} connections`,
		broken: [
			...unless(isSharedBefore, 'the Nodes did not share the state before'),
			...unless(isSharedAfter, `the Nodes did not share the new state within ${latest / 1000} s`),
			...unexpected([...before.turns, ...calls.alone, ...calls.waiting, ...after.turns], ['reply']),
			...none(before.notOnce + after.notOnce, 'events did not come to the upstream once, while the state was there'),
			...none(before.differing + after.differing, 'events had answers that differ, while the state was there'),
			...none(
				before.events.length - (known ?? before.events.length),
				'answers from before were not known to the replica',
			),
			...unless(isTidy, `${socketsTo(address)} connections were held, and ${mayHold} may be`),
		].map((sentence) => `${what}: ${sentence}`),
		missed: [
			...over(aloneFor, 2 * stateTimeout + pause + 150, (figure) => `${what}: a turn took ${figure} ms`),
			...over(waitedFor, mostWaiting, (figure) => `${what}: a call that came to both Nodes took ${figure} ms`),
			...over(back, soon, (figure) => `${what}: shared again after ${figure} ms`),
		],
	}
}

async function failOverEach(trial: Trial, kind: StateKind, ends: readonly End[]): Promise<Outcome> {
	let primary = await kind.start(trial)
	// Without load a copy is made faster.
	const first = await primary.startReplica()
	const pair = await startPair(trial, kind, primary, { pause, process: tellsKept })
	const outcomes: Outcome[] = []
	await sendPairs(trial, pair, trial.at(30, 300, 1000))
	const kept = await Promise.all(pair.nodes.map(keptBy))
	for (const [n, end] of ends.entries()) {
		const replica = n === 0 ? first : await primary.startReplica()
		outcomes.push(await failOver(trial, kind, pair, end, [primary, replica]))
		primary = replica
	}
	const growth = (await Promise.all(pair.nodes.map(keptBy))).map((now, i) => now - (kept[i] ?? 0))
	const most = Math.max(...growth)
	return together([
		...outcomes,
		{
			reached: `${kind.name}: ${most.toFixed(1)} MB more kept`,
			broken: pair.faults().map((sentence) => `${kind.name}: ${sentence}`),
			missed: over(most, mostKept, (figure) => `${kind.name}: ${figure} MB more were kept`),
		},
	])
}

export const stateFailsOver: Row = {
	...{ id: 'E16', waits: 'busily' },
	fault:
		'A replica takes the place of the server of the shared state, which is killed, hangs, or is read-only and keeps its connections, while events come to both Nodes at once',
	demand: `every call gets its own valid answer; a turn waits at most twice for the time limit (${stateTimeout} ms); both Nodes use the new server by themselves within 3 s of its promotion; before and afterwards each event comes to the upstream once, and all callers get the same bytes; a replica of Valkey has the answers from before; no connection and no memory is left behind`,
	run: (trial) =>
		withEach(trial, (kind) => {
			return failOverEach(trial, kind, trial.at([hung], [killed, hung, demoted], [killed, hung, demoted]))
		}),
}
