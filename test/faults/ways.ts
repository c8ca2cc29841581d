/** Turns on one upstream that does well and badly, by chance, so that no pause for an upstream that is down is in the way. */
import { setTimeout as pause } from 'node:timers/promises'
import { type Behaviour, type Heard, repliesAfter } from './behaviours.ts'
import { type Started, startGateway } from './gateway.ts'
import { faultsOf } from './health.ts'
import { oneOf, randomFrom } from './random.ts'
import type { Trial } from './row.ts'
import { answered, callerOf, each, nonces, type Speaker, type Took, tally } from './turns.ts'
import { faultUpstream } from './upstream.ts'

/** The part of the turns that go badly. */
const badly = 0.75

export interface Ways {
	readonly ways: { readonly [name: string]: Behaviour }
	/** How many turns are to go badly. */
	readonly turns: number
	/** Absent: 50. */
	readonly atOnce?: number
	/** Absent: every platform that reads answers. */
	readonly speakers?: readonly Speaker[]
	/** Runs when the gateway has warmed up, before the turns. */
	ready?(gateway: Started): void
}

/** A turn, and what the upstream did. */
export interface Tried extends Took {
	readonly way: string
	readonly speaker: Speaker
}

/** Takes the turns; what came of those that went badly, and what broke. */
export async function tryWays(
	trial: Trial,
	{ ways, turns, atOnce = 50, speakers = answered, ready }: Ways,
): Promise<{ tried: readonly Tried[]; broken: string[]; gateway: Started }> {
	const random = randomFrom(trial.seed)
	const names = Object.keys(ways)
	const well = repliesAfter(0)
	const did = new Map<string, string>()
	let warm = false
	const upstream = await faultUpstream(trial, {
		mixed: {
			act(line, call) {
				const way = warm && random() < badly ? oneOf(names, random) : ''
				did.set(call.nonce, way)
				return ways[way] ? ways[way].act(line, call) : well(line, call)
			},
		},
	})
	const gateway = await startGateway(trial, {
		upstream: { url: upstream.at('mixed') },
		routes: speakers.map((speaker) => speaker.route(speaker.name)),
	})
	const caller = callerOf(trial, gateway.url)
	const nonce = nonces(trial.seed)
	const take = async (): Promise<Tried> => {
		const speaker = oneOf(speakers, random)
		for (;;) {
			const text = nonce()
			const took = await caller.take(speaker, speaker.name, speaker.event(text))
			if (took.heard !== 'upstream-circuit-open') return { ...took, speaker, way: did.get(text) ?? '[nothing]' }
			await pause(100)
		}
	}
	const warming = await each(200, atOnce, take)
	ready?.(gateway)
	warm = true
	const all = await each(Math.ceil(turns / badly), atOnce, take)

	const expected = ({ way }: Tried): readonly Heard[] => ways[way]?.hears ?? (way === '' ? ['reply'] : [])
	const wrong = [...warming, ...all].filter((turn) => !expected(turn).includes(turn.heard))
	const again = [...upstream.seen.values()].filter((count) => count > 1).length
	const broken = faultsOf(gateway)
	if (wrong.length > 0) {
		const what = tally(wrong.map(({ speaker, way, heard }) => `${heard} on ${speaker.name} for ${way || 'a reply'}`))
		broken.push(`${wrong.length} of ${all.length} answers were not the right one: ${what.slice(0, 500)}`)
	}
	if (again > 0) broken.push(`${again} turns reached the upstream more than once`)
	const tried = all.filter(({ way }) => way !== '')
	for (const name of names.filter((name) => !tried.some(({ way }) => way === name))) {
		if (turns >= 10 * names.length) broken.push(`${name} was never tried`)
	}
	return { tried, broken, gateway }
}
