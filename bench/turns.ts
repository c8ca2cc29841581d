/** P1, P2 and P3: what one turn costs, side by side with the peers that do the same work. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual } from 'node:util'
import { send } from '../test/harness/http.ts'
import { folder, type Scope } from '../test/harness/scope.ts'
import { compare, figure, ratio, type Samples, type Spread, type Subject } from './compare.ts'
import { type Experiment, type Finding, round, type Target, type Trial } from './experiment.ts'
import { available, type Peer, peers } from './peers.ts'
import { type Running, run } from './processes.ts'
import { answer, call, reply, target } from './work.ts'

/** Starts the upstream that everybody calls, at `/hook`, which answers with this reply; see upstream.ts. */
export async function startUpstream(
	scope: Scope,
	mode: 'answer' | 'hold' = 'answer',
	answer: string = reply,
): Promise<Running> {
	const home = folder(scope)
	const file = join(home, 'reply')
	writeFileSync(file, answer)
	const program = fileURLToPath(new URL('upstream.ts', import.meta.url))
	return run(scope, { command: process.execPath, args: [program, file, mode], folder: home })
}

/** Compares the peers on this many connections. */
function turns(
	id: string,
	title: string,
	connections: number,
	targetsOf: (samples: Samples) => Target[],
	of: readonly string[] = peers.map(({ id }) => id),
): Experiment {
	return {
		...{ id, title },
		async run(trial) {
			const chosen = available(peers.filter(({ id }) => (trial.only ?? of).includes(id)))
			const upstream = await startUpstream(trial)
			const subjects: Subject[] = []
			for (const peer of chosen) subjects.push(await subjectOf(trial, peer, upstream))
			const samples = await compare(trial, subjects, connections, trial.pace)
			return {
				...tableOf(chosen, samples),
				targets: targetsOf(samples).filter(({ reached }) => !Number.isNaN(reached)),
			}
		},
	}
}

/** Starts a peer, and makes sure that it does the work. */
async function subjectOf(trial: Trial, { id, title, start }: Peer, upstream: Running): Promise<Subject> {
	const running = await start(trial, `${upstream.url}/hook`)
	const { status, body } = await send(running.url, { path: target, body: call })
	if (status !== 200 || !isDeepStrictEqual(JSON.parse(body), answer)) {
		throw new Error(`"${title}" does not do the work: it answers ${status}, ${body}`)
	}
	return { id, running, target, call }
}

function tableOf(chosen: readonly Peer[], samples: Samples): Pick<Finding, 'head' | 'rows' | 'figures'> {
	const figures = chosen.flatMap(({ id }) => [
		[`${id} cpu`, figure(samples, id, 'cpu').median] as const,
		[`${id} rate`, figure(samples, id, 'rate').median] as const,
	])
	return {
		head: ['', 'CPU a turn, µs', 'against bare Node', 'turns/s', 'p50, ms', 'p99, ms'],
		rows: chosen.map(({ id, title }) => [
			title,
			spread(figure(samples, id, 'cpu')),
			spread(ratio(samples, id, 'bare', 'cpu'), ' ×'),
			Math.round(figure(samples, id, 'rate').median).toLocaleString('en'),
			round(figure(samples, id, 'p50').median),
			round(figure(samples, id, 'p99').median),
		]),
		figures: Object.fromEntries(figures),
	}
}

/** A median, with what it lies between. */
export function spread({ median, least, most }: Spread, unit = ''): string {
	return Number.isNaN(median) ? '' : `${round(median)}${unit} (${round(least)} – ${round(most)})`
}

const against = (samples: Samples, id: string, to: string, of: 'cpu' | 'p99' = 'cpu') =>
	ratio(samples, id, to, of).median

export const atOnce: Experiment = turns('P1', 'A turn, on 32 connections', 32, (samples) => [
	{ what: 'CPU against bare Node', reached: against(samples, 'gateway', 'bare'), bound: 'most', limit: 1.7 },
	{ what: 'the same, with signed calls', reached: against(samples, 'signed', 'bare'), bound: 'most', limit: 1.7 },
	{
		what: 'CPU of Express and axios against ours',
		reached: against(samples, 'express', 'gateway'),
		bound: 'least',
		limit: 3,
	},
	{ what: 'CPU against nginx with Lua', reached: against(samples, 'gateway', 'nginx'), bound: 'most', limit: 2.7 },
])

export const crowded: Experiment = turns('P1b', 'A turn, on 256 connections', 256, (samples) => [
	{ what: 'CPU against bare Node', reached: against(samples, 'gateway', 'bare'), bound: 'most', limit: 2 },
	{ what: 'p99 against bare Node', reached: against(samples, 'gateway', 'bare', 'p99'), bound: 'most', limit: 3 },
])

/**
 * What CI checks: the gateway beside bare Node, which needs no package. Nothing is judged on a machine that is too busy
 * to compile both.
 */
export const forCi: Experiment = turns(
	'CI',
	'A turn, on 32 connections, in short',
	32,
	(samples) =>
		samples.isWarm
			? [{ what: 'CPU against bare Node', reached: against(samples, 'gateway', 'bare'), bound: 'most', limit: 5 }]
			: [],
	['gateway', 'bare'],
)
