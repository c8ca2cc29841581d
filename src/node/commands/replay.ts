/** `dragoman replay`: recorded turns as a regression test. */
import { readFile } from 'node:fs/promises'
import { styleText } from 'node:util'
import * as v from 'valibot'
import { adapters } from '../../../adapters/index.ts'
import { describeExpected, isUnknown, pathOf } from '../../schema/index.ts'
import { type Difference, RecordedTurn } from '../../simulator/index.ts'
import { loadConfiguration } from '../configuration.ts'
import { exitCode } from '../exit-code.ts'
import { withProgress } from '../progress.ts'
import { type ReplayOptions, replayTurns } from '../replay-turns.ts'
import type { Surroundings } from './command.ts'
import { defineCommand } from './define-command.ts'
import { UsageError } from './usage-error.ts'

export const command = defineCommand({
	name: 'replay',
	usage: ['FILE... [--backend] [--json]'],
	about: [
		'Replays recorded turns, and compares: the platform’s call goes in, the backend answers what was recorded, and the platform must get the recorded answer. With "upstream.request", what the backend is asked is compared, too; with "pushes", the calls to the API of the platform that push the reply. Nothing goes over a network.',
		'With --backend, the backend of each route is called in place of the recorded one: with its secrets, its headers and its signature. A difference is then a change of the backend, too. The calls are real ones: whatever the backend does for a user, such as to take an order, it does. The API of the platform is never called.',
		'Each file is one turn; "dragoman schema recorded-turn" prints its schema. A turn that names a route takes platform, options and formats from the configuration; secrets of routes are not needed. Files are replayed in the order in which they are given; those of one conversation share its open choices.',
	],
	options: {
		backend: { type: 'boolean', default: false, about: 'call the backend of each route' },
		json: { type: 'boolean', default: false, about: 'print JSON' },
	},
	examples: [
		['dragoman replay turns/*.json', 'in CI'],
		['dragoman replay turns/*.json --backend', 'against the backend that runs'],
		['dragoman replay turns/order.json --config other.json', 'with the routes of another configuration'],
	],
	exitCodes: '0 nothing differs, 1 something does, 2 wrong usage, 78 a route cannot be read',
	async run({ values: { backend, json }, positionals: files }, surroundings) {
		if (files.length === 0) throw new UsageError('Give the files of recorded turns.')
		const turns = await Promise.all(files.map(readTurn))
		const replaying = replayTurns(turns, await optionsFor(turns, backend, surroundings))
		const differences = await withProgress(`Replaying ${turns.length} turns`, replaying)
		const results = turns.map(({ note }, i) => ({ file: files[i] ?? '', note, differences: differences[i] ?? [] }))
		if (json) console.log(JSON.stringify(results, null, 2))
		else for (const result of results) print(result)
		return results.some(({ differences }) => differences.length > 0) ? exitCode.failed : exitCode.ok
	},
})

async function optionsFor(
	turns: readonly RecordedTurn[],
	backend: boolean,
	{ configFile, env: own }: Surroundings,
): Promise<ReplayOptions> {
	if (turns.every(({ route }) => route === undefined) && !backend) return { adapters }
	const { json, adapters: all, env } = await loadConfiguration(configFile, own)
	return { adapters: all, config: json, ...(backend && { backend: { env } }) }
}

interface Result {
	readonly file: string
	readonly note: string
	readonly differences: readonly Difference[]
}

async function readTurn(file: string): Promise<RecordedTurn> {
	const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
		throw new UsageError(`${file} cannot be read (${cause.code}).`, { cause })
	})
	const { success, output, issues } = v.safeParse(RecordedTurn, parsed(text, file))
	if (success) return output
	const mistakes = issues.map((issue) => {
		const expected = describeExpected(RecordedTurn, parsed(text, file), issue)
		const words = expected === undefined ? 'is invalid' : isUnknown(issue) ? expected : `must be ${expected}`
		return `  ${pathOf(issue).join('.') || '(the whole)'}: ${words}`
	})
	throw new UsageError(`${file} is no recorded turn:\n${mistakes.join('\n')}`)
}

function parsed(text: string, file: string): unknown {
	try {
		return JSON.parse(text)
	} catch (cause) {
		throw new UsageError(`${file} is not JSON.`, { cause })
	}
}

function print({ file, note, differences }: Result): void {
	if (differences.length === 0) {
		console.log(`${styleText('green', 'same')}       ${file}: ${note}`)
		return
	}
	console.log(`${styleText('red', 'different')}  ${file}: ${note}`)
	for (const { path, recorded, now } of differences) {
		console.log(`  ${path}`)
		console.log(styleText('red', `    - ${shown(recorded)}`))
		console.log(styleText('green', `    + ${shown(now)}`))
	}
}

function shown(value: unknown): string {
	return value === undefined ? '(nothing)' : JSON.stringify(value)
}
