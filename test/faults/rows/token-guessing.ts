/** A secret can be found neither by trying nor by the time that a refusal takes. */
import { callOf, type Platform, platforms, routeOf } from '../calls.ts'
import { gatewayInside, type Inside } from '../inside.ts'
import { oneOf, randomFrom } from '../random.ts'
import type { Row, Trial } from '../row.ts'

const secret = 'Zr8k-3f0Qm2yW7tXa1Lc'
const rotated = secret + secret
/** Of the same length, and nobody's. */
const others = {
	'wrong at its start': `Y${secret.slice(1)}`,
	'wrong at its end': `${secret.slice(0, -1)}b`,
	'wrong all through': 'aB3dE6gH9jK1mN4pQ7sT',
}
/** Student's t beyond which two samples are taken to differ. */
const mostT = 4.5
const demanded = 1_000_000

export const tokenGuessing: Row = {
	id: 'D13',
	fault: 'Secrets are guessed, at random and near the right one, and refusals are timed',
	demand: '0 accepted of 1,000,000; Welch’s t < 4.5 between wrong at the start, at the end, and no such route',
	except:
		'no counters by source, nor lockout: bots of one platform share its addresses, and 1,000,000 guesses find nothing; a secret under 16 characters is warned of, not refused; a path is told from no path by its time where some routes are guarded by their path and others by a proof in the call',
	async run(trial) {
		const random = randomFrom(trial.seed)
		const gateway = guarded(trial, platforms)
		const broken: string[] = []

		for (const platform of platforms) {
			const { status } = await gateway.take(await callOf(platform, platform.wire, secret))
			if (status !== 200) broken.push(`${platform.name}: the right secret gets ${status}`)
		}
		const guesses = trial.at(4000, 20_000, demanded)
		let accepted = 0
		for (let i = 0; i < guesses; i++) {
			const guess = guessed(random)
			if (guess === secret || guess === rotated) continue
			const response = await gateway.take(await callOf(oneOf(platforms, random), undefined, guess))
			if (response.status !== 404) accepted++
			if (gateway.lines.length > 1000) gateway.lines.length = 0
		}
		if (accepted > 0) broken.push(`${accepted} guesses were not refused`)

		const samples = trial.at(2000, 5000, 20_000)
		const missed = guesses < demanded ? [`${guesses} guesses, for want of time; all of them with --full`] : []
		const reached: string[] = []
		for (const [how, some] of [
			['by their path', platforms.filter((each) => !authOf(each))],
			['by a proof in the call', platforms.filter(authOf)],
		] as const) {
			let worst = { what: '', t: Number.POSITIVE_INFINITY }
			// What is only noise is another noise the next time.
			for (let tries = 0; tries < 3 && worst.t >= mostT; tries++) {
				const found = await timeRefusals(guarded(trial, some), some, samples, random)
				if (found.t < worst.t) worst = found
			}
			reached.push(`t ≤ ${worst.t.toFixed(1)} where routes are guarded ${how}`)
			if (worst.t >= mostT) missed.push(`t = ${worst.t.toFixed(1)} between ${worst.what}, guarded ${how}, three times`)
		}
		return {
			reached: `${accepted} of ${guesses} guesses accepted; of ${samples} samples each ${reached.join(', ')}`,
			...{ broken, missed },
		}
	},
}

/** The secret with something about it changed, or something else of about its length. */
function guessed(random: () => number): string {
	const at = Math.floor(random() * (secret.length + 1))
	const letter = oneOf([...'abcXYZ019-_ %\0é/.'], random)
	return oneOf(
		[
			secret.slice(0, at),
			secret.slice(at),
			secret.slice(0, at) + letter + secret.slice(at),
			secret.slice(0, at) + letter + secret.slice(at + 1),
			secret.toLowerCase(),
			`${secret}${letter}`,
			`${letter}${secret}`,
			encodeURIComponent(encodeURIComponent(`${secret}%`)),
			Array.from({ length: secret.length }, () => oneOf([...'abcdefXYZ0123'], random)).join(''),
			letter,
		],
		random,
	)
}

/** A gateway whose routes have this secret, and another one that is to come. */
function guarded(trial: Trial, some: readonly Platform[]): Inside {
	const routes = some.map((each) => routeOf(each, { secrets: [{ env: 'SECRET' }, { env: 'ROTATED' }] }))
	const env = { SECRET: secret, ROTATED: rotated }
	return gatewayInside(trial, { upstream: { url: 'builtin:demo' }, routes }, env)
}

function authOf({ factory, options }: Platform): boolean {
	return factory.create(options).auth !== undefined
}

/** The largest t between any two kinds of refusal, each measured in turns. */
async function timeRefusals(
	gateway: Inside,
	[platform]: readonly Platform[],
	samples: number,
	random: () => number,
): Promise<{ what: string; t: number }> {
	if (!platform) throw new Error('no platform is guarded so')
	const calls = await Promise.all(
		Object.entries(others).map(async ([what, wrong]) => ({ what, sent: await callOf(platform, undefined, wrong) })),
	)
	const [like] = calls
	if (!like) throw new Error('there is nothing to compare')
	const path = like.sent.path.replace(platform.name, 'n'.repeat(platform.name.length))
	calls.push({ what: 'no such route', sent: { ...like.sent, path } })
	const times = new Map<string, number[]>(calls.map(({ what }) => [what, []]))
	for (let i = 0; i < samples * calls.length; i++) {
		const { what, sent } = oneOf(calls, random)
		const from = process.hrtime.bigint()
		await gateway.take(sent)
		times.get(what)?.push(Number(process.hrtime.bigint() - from))
	}
	let worst = { what: '', t: 0 }
	for (const [one, first] of times) {
		for (const [two, second] of times) {
			const t = one < two ? Math.abs(welch(usual(first), usual(second))) : 0
			if (t > worst.t) worst = { what: `${one} and ${two}`, t }
		}
	}
	return worst
}

/** The nine tenths that took least: the rest is the collector's, and the machine's. */
function usual(times: readonly number[]): number[] {
	return times.toSorted((a, b) => a - b).slice(0, Math.floor(times.length * 0.9))
}

/** Welch's t of two samples. */
function welch(a: readonly number[], b: readonly number[]): number {
	const [one, two] = [momentsOf(a), momentsOf(b)]
	return (one.mean - two.mean) / Math.sqrt(one.variance / a.length + two.variance / b.length)
}

function momentsOf(values: readonly number[]): { mean: number; variance: number } {
	const mean = values.reduce((sum, each) => sum + each, 0) / values.length
	const variance = values.reduce((sum, each) => sum + (each - mean) ** 2, 0) / (values.length - 1)
	return { mean, variance }
}
