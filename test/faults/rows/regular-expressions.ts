/** No text makes a regular expression slow: a checker proves each of them, and hostile texts are timed. */
import { check } from 'recheck'
import { oneOf, randomFrom } from '../random.ts'
import { type Pattern, patternsOfLimits, regularExpressions } from '../regular-expressions.ts'
import type { Row } from '../row.ts'

/** Files that may make regular expressions of strings, for the strings are limits of formats, which are checked as such. */
const knownMakers = ['src/fit/strings.ts', 'adapters/pingstreams/options.ts']

/** UTF-16 units of a hostile text: as much as the strictest known platform takes in a body. */
const length = 100_000

/** Milliseconds: what a text may take, and what no machine is too busy for unless the time grows with the text's square. */
const most = 10
const farTooMuch = 500

/** Milliseconds for the checker to make up its mind about one of them, on a machine that does other things as well. */
const patience = 120_000

export const redos: Row = {
	id: 'D24',
	fault: 'A text is made to be slow to match',
	demand: 'every regular expression safe by a checker, its time linear; 0 texts of 100,000 characters > 10 ms',
	async run(trial) {
		const random = randomFrom(trial.seed)
		const { literals, makers } = regularExpressions()
		const limits = patternsOfLimits()
		const every = [...literals, ...limits]
		const patterns = [...new Map(every.map((each) => [`${each.flags}/${each.source}`, each])).values()]
		const broken = makers
			.filter((file) => !knownMakers.includes(file))
			.map((file) => `${file} makes regular expressions of strings that are not known here`)
		if (literals.length < 40 || limits.length < 10) broken.push('most regular expressions were not found')

		const missed: string[] = []
		let texts = 0
		let slowest = 0
		let safe = 0
		let proven = 0
		for (const pattern of patterns) {
			const { place, source, flags } = pattern
			const found = await check(source, flags, { randomSeed: trial.seed, timeout: patience })
			if (found.status === 'unknown') broken.push(`${place}: could not be checked (${found.error.kind})`)
			if (found.status === 'vulnerable') {
				broken.push(`${place}: ${found.complexity.summary}, by ${found.attack.pattern}`)
			}
			if (found.status !== 'safe') continue
			safe++
			if (found.checker === 'automaton') proven++
			for (const text of hostile(pattern, trial.at(20, 50, 600), random)) {
				texts++
				const ms = milliseconds(pattern, text)
				slowest = Math.max(slowest, ms)
				const told = `${place}: ${ms.toFixed(0)} ms for a text that begins with ${JSON.stringify(text.slice(0, 20))}`
				if (ms > farTooMuch) broken.push(told)
				else if (ms > most) missed.push(told)
			}
		}
		const reached = `${safe} of ${patterns.length} regular expressions safe (${proven} proved by automata, the others searched for attacks); ${texts} hostile texts, the slowest took ${slowest.toFixed(1)} ms`
		return { reached, broken, missed }
	},
}

/** Texts of one short piece again and again, made of the characters that the pattern itself has, with another end. */
function hostile({ source }: Pattern, count: number, random: () => number): string[] {
	const characters = [...new Set([...source, ' ', '\n', 'a', '0'])]
	return Array.from({ length: count }, (_, i) => {
		const piece = i < characters.length ? (characters[i] ?? '') : oneOf(characters, random) + oneOf(characters, random)
		const front = oneOf(characters, random)
		return `${front}${piece.repeat(length / piece.length)}${oneOf(['!', '\n', '\0', '='], random)}`
	})
}

/** Of the best of three: the other two may have met a busy machine. */
function milliseconds({ source, flags }: Pattern, text: string): number {
	let best = Number.POSITIVE_INFINITY
	for (let i = 0; i < 3 && best > most; i++) {
		const regex = new RegExp(source, flags)
		const from = performance.now()
		text.replace(regex, '')
		best = Math.min(best, performance.now() - from)
	}
	return best
}
