/** Several Nodes with a shared state, in each store that there is, and calls that come to them. */
import { setTimeout as wait } from 'node:timers/promises'
import type { GatewayProcess } from '../harness/gateway.ts'
import { json } from '../harness/http.ts'
import { type Network, startNetwork } from '../harness/network.ts'
import { own } from '../harness/platforms.ts'
import { type StateKind, type StateServer, stateKinds } from '../harness/state-servers.ts'
import type { Upstream } from '../harness/upstream.ts'
import { replyTo } from './behaviours.ts'
import { faultsOf } from './health.ts'
import { none, type Outcome, type Trial, together, untried } from './row.ts'
import { nonceOf, turnsWith } from './turns.ts'

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

/** Starts two Nodes, and their upstream. `pause`: milliseconds that it takes; `timeout`: those of a round trip to the state. */
export async function startPair(
	trial: Trial,
	kind: StateKind,
	server: StateServer,
	{ pause = 0, timeout = stateTimeout }: { readonly pause?: number; readonly timeout?: number } = {},
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
	const start = () => trial.start(config, { env: { STATE_URL: url.href } })
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
