/** Every regular expression of the program: the literals of its source, and those that limits of formats are made into. */

import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseAst } from 'vite'
import { adapters } from '../../../adapters/index.ts'
import type { Limit } from '../../../src/format/index.ts'
import type { Feature } from '../../../src/model/index.ts'
import { fixturesOf } from '../../harness/platforms.ts'

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
