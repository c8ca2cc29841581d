/** Several Nodes with a shared state, in each store that there is, and calls that come to them. */
import { setTimeout as wait } from 'node:timers/promises'
import type { GatewayProcess, ProcessOptions } from '../harness/gateway.ts'
import { json } from '../harness/http.ts'
import { type Network, startNetwork } from '../harness/network.ts'
import { own } from '../harness/platforms.ts'
import { type StateKind, type StateServer, stateKinds } from '../harness/state-servers.ts'
import type { Upstream } from '../harness/upstream.ts'
import { replyTo } from './behaviours.ts'
import { faultsOf } from './health.ts'
import { none, type Outcome, type Trial, together, untried } from './row.ts'
import { countEach, each, nonceOf, type Turn, turnsWith } from './turns.ts'

/** Two Nodes that share a state over a network. */
export interface Pair {
	readonly server: StateServer
	readonly network: Network
	readonly nodes: readonly [GatewayProcess, GatewayProcess]
	/** Its answers differ, so that the same bytes are the same answer. */
	readonly upstream: Upstream
	/** What was wrong with the Nodes. */
	faults(): string[]
}

/** Milliseconds that a turn waits for the state at most, each of two times. */
export const stateTimeout = 250

interface PairOptions {
	/** Milliseconds that the upstream takes. */
	readonly pause?: number
	/** Milliseconds of a round trip to the state. */
	readonly timeout?: number
	readonly process?: Pick<ProcessOptions, 'node' | 'preload'>
}

/** Starts two Nodes, and their upstream. */
export async function startPair(
	trial: Trial,
	kind: StateKind,
	server: StateServer,
	{ pause = 0, timeout = stateTimeout, process }: PairOptions = {},
): Promise<Pair> {
	const network = await startNetwork(trial, server.port)
	const url = new URL(server.url)
	url.port = String(network.port)
	let count = 0
	const upstream = await trial.upstream(async (call, connection) => {
		const answer = { ...JSON.parse(replyTo(call)), attributes: { session: { count: `${++count}` } } }
		await connection.pause(pause)
		return json(answer)
	})
	const config = {
		upstream: { url: upstream.url },
		routes: [own.route()],
		state: { [kind.name]: { env: 'STATE_URL' }, timeout: `${timeout}ms` },
	}
	const start = () => trial.start(config, { ...process, env: { STATE_URL: url.href } })
	const nodes = await Promise.all([start(), start()])
	return {
		...{ server, network, nodes, upstream },
		faults: () => [
			...nodes.flatMap(faultsOf),
			...none(nodes.filter((node) => node.written().includes(kind.password)).length, 'Nodes wrote the password'),
		],
	}
}

/** Waits until two Nodes remember together: of a call that comes to both, the upstream knows once. */
export async function rememberAgain(trial: Trial, { nodes, upstream }: Pair): Promise<boolean> {
	for (let tries = 0; tries < 150; tries++) {
		const text = trial.nonce()
		for (const node of nodes) await turnsWith(trial, node)(own, undefined, { text, id: text, conversation: text })
		if (upstream.calls.filter((call) => nonceOf(call) === text).length === 1) return true
		await wait(100)
	}
	return false
}

/** An event that came to both Nodes, and the turns that were taken. */
export interface SentTwice {
	readonly text: string
	readonly turns: readonly Turn[]
}

/** Sends an event with this text to both Nodes at once; the same text is the same event. */
export async function sendPair(trial: Trial, { nodes }: Pair, text: string): Promise<SentTwice> {
	const about = { text, id: text, conversation: text }
	return { text, turns: await Promise.all(nodes.map((node) => turnsWith(trial, node)(own, undefined, about))) }
}

/** Sends events to both Nodes at once, and then to both again. */
export async function sendPairs(trial: Trial, pair: Pair, count: number) {
	const before = pair.nodes.map(({ lines }) => lines.length)
	const events = await each(count, 16, async (): Promise<SentTwice> => {
		const first = await sendPair(trial, pair, trial.nonce())
		const again = await sendPair(trial, pair, first.text)
		return { text: first.text, turns: [...first.turns, ...again.turns] }
	})
	const away = pair.nodes.flatMap(({ lines }, i) => lines.slice(before[i]).filter(({ msg }) => msg === 'state'))
	return {
		...{ events, turns: events.flatMap((event) => event.turns), ...judged(pair, events) },
		/** Why the state was not asked. */
		away: away.map(({ cause, did }) => String(cause ?? did)),
	}
}

/** Of some events: how many did not come to the upstream once, and how many had answers that differ. */
export function judged({ upstream }: Pair, events: readonly SentTwice[]) {
	const calls = countEach(upstream.calls.map(nonceOf))
	return {
		notOnce: events.filter(({ text }) => calls.get(text) !== 1).length,
		differing: events.filter(({ turns }) => new Set(turns.map(({ answer }) => answer.body)).size !== 1).length,
	}
}

/** Runs something with each kind of store, one after the other; what is not installed is told. */
export async function withEach(
	trial: Trial,
	run: (kind: StateKind, trial: Trial) => Promise<Outcome>,
): Promise<Outcome> {
	const outcomes: Outcome[] = []
	for (const kind of stateKinds) {
		const outcome = kind.isInstalled ? await run(kind, trial) : untried(kind.tool, `${kind.tool} is not there`)
		outcomes.push(outcome)
	}
	const tried = outcomes.some((each) => !each.untried)
	return { ...together(outcomes), ...(!tried && { untried: true as const }) }
}
