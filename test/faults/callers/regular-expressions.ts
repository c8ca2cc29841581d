/** No text makes a regular expression slow: a checker proves each of them, and hostile texts are timed. */

import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { check } from 'recheck'
import { parseAst } from 'vite'
import { adapters } from '../../../adapters/index.ts'
import type { Limit } from '../../../src/format/index.ts'
import { emptyReply, type Feature } from '../../../src/model/index.ts'
import { fillMergeTags } from '../../../src/turn/index.ts'
import { createSecretFinder } from '../../../src/turn/secret-finder.ts'
import { fixturesOf } from '../../harness/platforms.ts'
import { oneOf } from '../../harness/random.ts'
import { type Row, unless } from '../row.ts'
import { each, nth, slowest } from '../turns.ts'

/** Files that may make regular expressions of strings, for theirs are checked: those of limits, tags and secrets. */
const knownMakers = [
	'src/fit/strings.ts',
	'adapters/pingstreams/options.ts',
	'src/turn/merge-tags.ts',
	'src/turn/secret-finder.ts',
]

/** Secrets of all that has another spelling: short, long, with signs of URLs, JSON and base64, and backslashes. */
const secrets = ['dev', '\\dev', 'SECRET1234567890'.repeat(4), 'a+b/c-d_e==', '\\\\ab\\c"d\n', 'Schlüssel 😀']

/** UTF-16 units of a hostile text: as much as the strictest known platform takes in a body. */
const length = 100_000

/** Milliseconds: what a text may take, and what no machine is too busy for unless the time grows with the text's square. */
const most = 10
const farTooMuch = 500

/** Milliseconds for the checker to make up its mind about one of them, on a machine that does other things as well. */
const patience = 120_000

export const redos: Row = {
	id: 'D24',
	fault: 'Texts designed to be slow to match (ReDoS)',
	demand: 'a checker finds every regular expression safe, in linear time; 0 texts of 100,000 characters take > 10 ms',
	async run(trial) {
		const { literals, makers } = regularExpressions()
		const limits = patternsOfLimits()
		const tags = patternsOfTags()
		const ofSecrets = secrets.flatMap((secret) =>
			patternsMadeBy('src/turn/secret-finder.ts', () => createSecretFinder([secret])),
		)
		const patterns = [
			...new Map(
				[...literals, ...limits, ...tags, ...ofSecrets].map((each) => [`${each.flags}/${each.source}`, each]),
			).values(),
		]
		// One after the other: what the checker tries by chance depends on what else it checks.
		const checked = await each(patterns.length, 1, async (n) => {
			const { source, flags } = nth(patterns, n)
			return check(source, flags, { randomSeed: trial.seed, timeout: patience })
		})
		const faults = checked.flatMap((found, n) => {
			const { place } = nth(patterns, n)
			if (found.status === 'unknown') return [`${place}: could not be checked (${found.error.kind})`]
			return found.status === 'safe' ? [] : [`${place}: ${found.complexity.summary}, by ${found.attack.pattern}`]
		})
		const safe = patterns.filter((_, n) => checked[n]?.status === 'safe')
		const proven = checked.filter((found) => found.status === 'safe' && found.checker === 'automaton').length
		const timed = safe.flatMap((pattern) =>
			hostile(pattern, trial.at(20, 50, 600), trial.random).map((text) => {
				const ms = milliseconds(pattern, text)
				const start = JSON.stringify(text.slice(0, 20))
				return { ms, told: `${pattern.place}: ${ms.toFixed(0)} ms for a text that begins with ${start}` }
			}),
		)
		const tooSlow = (limit: number) => timed.filter(({ ms }) => ms > limit).map(({ told }) => told)
		const unknown = makers.filter((file) => !knownMakers.includes(file))
		return {
			reached: `${safe.length} of ${patterns.length} regular expressions safe (${proven} proved with automata, the others by a search for attacks); ${timed.length} hostile texts, the slowest took ${slowest(timed).toFixed(1)} ms`,
			broken: [
				...faults,
				...tooSlow(farTooMuch),
				...unknown.map((file) => `${file} makes regular expressions of strings that are not known here`),
				...unless(
					tags.length >= 3 && ofSecrets.length === 2 * secrets.length,
					'those of tags or secrets were not found',
				),
				...unless(literals.length >= 40 && limits.length >= 10, 'most regular expressions were not found'),
			],
			missed: tooSlow(most),
		}
	},
}

/** Texts of one short piece again and again, made of the characters that the pattern itself has, with another end. */
function hostile({ source }: Pattern, count: number, random: () => number): string[] {
	const characters = [...new Set([...source, ' ', '\n', 'a', '0'])]
	return Array.from({ length: count }, (_, i) => {
		const piece = characters[i] ?? oneOf(characters, random) + oneOf(characters, random)
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

/** A regular expression, and where it stands. */
export interface Pattern {
	readonly place: string
	readonly source: string
	readonly flags: string
}

/** What the source has. */
export interface Source {
	readonly literals: readonly Pattern[]
	/** Files that make regular expressions of strings. */
	readonly makers: readonly string[]
}

const root = fileURLToPath(new URL('../../../', import.meta.url))

/** Reads `src` and `adapters`, without their tests and the limits that tests hold formats against. */
export function regularExpressions(): Source {
	const literals: Pattern[] = []
	const makers = new Set<string>()
	for (const file of globSync(['src/**/*.ts', 'adapters/**/*.ts'], { cwd: root })) {
		if (/(?:\.test|\/limits)\.ts$/.test(file)) continue
		const code = readFileSync(`${root}${file}`, 'utf8')
		for (const node of nodesOf(parseAst(code, { lang: 'ts' }))) {
			if ('regex' in node && isRegex(node.regex)) {
				const line = 'start' in node ? code.slice(0, Number(node.start)).split('\n').length : 0
				literals.push({ place: `${file}:${line}`, source: node.regex.pattern, flags: node.regex.flags })
			}
			if ('callee' in node && namesRegExp(node.callee)) makers.add(file)
		}
	}
	return { literals, makers: [...makers] }
}

/** What src/fit makes of the limits of every format, with all options and events that are pinned. */
export function patternsOfLimits(): Pattern[] {
	return adapters.flatMap((factory) => {
		const { name, create } = factory
		const { event, reply } = fixturesOf(factory)
		const answered = [
			...event.map(({ options, canonical }) => ({ options, event: canonical })),
			...reply.map(({ options, event }) => ({ options, event })),
		]
		return answered.flatMap(({ options, event }) => {
			const adapter = create(options)
			const legs = [adapter.event, adapter.reply(event)]
			return legs.flatMap((leg) => (leg ? patternsOf(name, leg.carries) : []))
		})
	})
}

/** What src/turn makes of the merge tags of every format, with all options and events that are pinned. */
export function patternsOfTags(): Pattern[] {
	return adapters.flatMap((factory) =>
		fixturesOf(factory).reply.flatMap(({ options, event }) => {
			const tags = factory.create(options).reply(event)?.mergeTags
			if (!tags) return []
			const text = tags.spellings.map(({ open }) => open).join(' ')
			const reply = { ...emptyReply, messages: [{ type: 'text' as const, text }] }
			return patternsMadeBy('src/turn/merge-tags.ts', () => fillMergeTags(reply, tags, event))
		}),
	)
}

/** The regular expressions that a function makes of strings before it returns. */
function patternsMadeBy(place: string, run: () => unknown): Pattern[] {
	const made: Pattern[] = []
	const original = globalThis.RegExp
	globalThis.RegExp = new Proxy(original, {
		construct(target, [source, flags]) {
			const regex = new target(source, flags)
			made.push({ place, source: regex.source, flags: regex.flags })
			return regex
		},
	})
	try {
		run()
	} finally {
		globalThis.RegExp = original
	}
	return made
}

function patternsOf(name: string, carries: { readonly [F in Feature]?: Limit }): Pattern[] {
	return Object.entries(carries).flatMap(([feature, { pattern, escape: markup }]) => [
		...(pattern === undefined ? [] : [{ place: `${name} ${feature}`, source: pattern, flags: 'u' }]),
		...(markup === undefined ? [] : [{ place: `${name} ${feature}`, source: markup, flags: 'gmu' }]),
	])
}

function* nodesOf(value: unknown): Generator<object> {
	if (typeof value !== 'object' || value === null) return
	yield value
	for (const each of Object.values(value)) yield* nodesOf(each)
}

function isRegex(value: unknown): value is { readonly pattern: string; readonly flags: string } {
	return typeof value === 'object' && value !== null && 'pattern' in value && 'flags' in value
}

function namesRegExp(callee: unknown): boolean {
	return typeof callee === 'object' && callee !== null && 'name' in callee && callee.name === 'RegExp'
}
