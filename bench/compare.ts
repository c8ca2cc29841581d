/** Compares those who do the same work: all are alive, one is under load at a time, in turn, forwards and backwards. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { folder, type Scope } from '../test/harness/scope.ts'
import { load } from './load.ts'
import { cpuSeconds, type Running } from './processes.ts'

/** One that is compared. */
export interface Subject {
	readonly id: string
	readonly running: Pick<Running, 'pid' | 'url'>
	/** The path and query of its calls. */
	readonly target: string
	/** The body of its calls; see load.lua. */
	readonly call: string
}

/** How long, in seconds, and how often. */
export interface Pace {
	/** To warm up; three times as long where that is not enough for `warmTurns`. */
	readonly warmUp: number
	/** Turns after which a program is as fast as it becomes. */
	readonly warmTurns: number
	readonly round: number
	readonly rounds: number
}

/** One round of one subject. Times are in milliseconds, CPU time in microseconds. */
export interface Sample {
	readonly cpu: number
	readonly rate: number
	readonly p50: number
	readonly p99: number
}

/** What was measured. */
export interface Samples {
	/** Of each subject, by id, in the order of the rounds. */
	readonly of: ReadonlyMap<string, readonly Sample[]>
	/** False: the machine was too busy to warm up every subject, so that they were measured before they were compiled. */
	readonly isWarm: boolean
}

/** Measures the subjects on this many connections. */
export async function compare(
	scope: Scope,
	subjects: readonly Subject[],
	connections: number,
	{ warmUp, warmTurns, round, rounds }: Pace,
): Promise<Samples> {
	const home = folder(scope)
	const samples = new Map<string, Sample[]>(subjects.map(({ id }) => [id, []]))
	const loadOn = async ({ id, running, target, call }: Subject, seconds: number): Promise<Sample> => {
		const file = join(home, id)
		writeFileSync(file, call)
		const before = cpuSeconds(running.pid)
		const { turns, seconds: took, p50, p99 } = await load(`${running.url}${target}`, file, connections, seconds)
		return { cpu: ((cpuSeconds(running.pid) - before) / turns) * 1e6, rate: turns / took, p50, p99 }
	}
	let isWarm = true
	for (const subject of subjects) {
		let turns = 0
		// On a busy machine seconds alone warm nothing up.
		for (let spent = 0; spent < warmUp || (turns < warmTurns && spent < 3 * warmUp); spent += warmUp) {
			turns += (await loadOn(subject, warmUp)).rate * warmUp
		}
		isWarm &&= turns >= warmTurns
	}
	if (!isWarm) console.log('The machine is too busy: not everything is compiled, and the figures are too high.')
	for (let n = 0; n < rounds; n++) {
		for (const subject of n % 2 === 0 ? subjects : subjects.toReversed()) {
			samples.get(subject.id)?.push(await loadOn(subject, round))
		}
	}
	return { of: samples, isWarm }
}

/** A median, with the least and the most of what it is the median of. */
export interface Spread {
	readonly median: number
	readonly least: number
	readonly most: number
}

/** NaN when there are no values. */
export function spreadOf(values: readonly number[]): Spread {
	const sorted = values.toSorted((a, b) => a - b)
	const at = (i: number): number => sorted[i] ?? Number.NaN
	const middle = (sorted.length - 1) / 2
	return {
		median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2,
		least: at(0),
		most: at(sorted.length - 1),
	}
}

/** One figure of a subject. */
export function figure(samples: Samples, id: string, of: keyof Sample): Spread {
	return spreadOf((samples.of.get(id) ?? []).map((sample) => sample[of]))
}

/** How many times the figure of one subject is that of another, round by round. */
export function ratio(samples: Samples, id: string, to: string, of: keyof Sample): Spread {
	const others = samples.of.get(to) ?? []
	return spreadOf((samples.of.get(id) ?? []).map((sample, n) => sample[of] / (others[n]?.[of] ?? Number.NaN)))
}
