/** Writes docs/reliability.md: the table of faults with the results. */
import { readFile, writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { plantsIn } from './plants/report.ts'
import type { Outcome, Row, Scale } from './row.ts'

/** A row and its outcome. */
export interface Ran {
	readonly row: Row
	readonly outcome: Outcome
}

const file = new URL('../../docs/reliability.md', import.meta.url)

const parts = [
	['A', 'The upstream misbehaves'],
	['B', 'The process and its host'],
	['C', 'Delivery'],
	['D', 'Hostile callers'],
	['E', 'Several Nodes'],
] as const

/** Replaces the page with the results of this run. */
export async function writeReport(ran: readonly Ran[], scale: Scale, seed: number): Promise<void> {
	const command = scale === 'full' ? 'npm run test:faults -- --full' : 'npm run test:faults'
	const lines = [
		'# Reliability',
		'',
		'What the gateway does when things go wrong: each injected fault, the requirement and the result.',
		`Written by \`${command}\` with seed ${seed}, on Node ${process.versions.node} and ${availableParallelism()} cores, shared by the gateway, its upstream and its callers; every figure was measured in that run.`,
		'',
		'A requirement **holds** if nothing was lost, duplicated, hung or wrong, and every failure was *typed*: answered with one of the [error codes](errors.md). Times, rates and amounts of memory that missed their figure are listed with the reason.',
		'',
		'Out of scope: a disk or a database that confirms what it has not stored. The gateway refuses a PostgreSQL server with `fsync = off`, but it cannot notice a disk that lies, nor an asynchronous standby that takes over without the last commits.',
	]
	for (const [letter, title] of parts) {
		const own = ran.filter(({ row }) => row.id.startsWith(letter))
		if (own.length === 0) continue
		lines.push('', `## ${title}`, '', '| | Fault | Requirement | Result | Holds |', '|---|---|---|---|---|')
		for (const { row, outcome } of own) lines.push(`| ${cells(row, outcome).map(oneCell).join(' | ')} |`)
	}
	const plants = plantsIn(await readFile(file, 'utf8'))
	await writeFile(file, `${[...lines, ...(plants === '' ? [] : ['', plants.trimEnd()])].join('\n')}\n`)
}

function cells({ id, fault, demand, except }: Row, { reached, broken, missed = [], untried }: Outcome): string[] {
	const notes = [...broken.map((each) => `broken: ${each}`), ...missed.map((each) => `missed: ${each}`)]
	if (except) notes.push(except)
	const good = missed.length > 0 ? 'yes, figure missed' : except ? 'in part' : 'yes'
	const holds = broken.length > 0 ? 'no' : untried ? 'not tried' : good
	return [id, fault, demand, [reached, ...notes].filter((each) => each !== '').join('; '), holds]
}

function oneCell(text: string): string {
	return text.replaceAll('|', '\\|').replaceAll('\n', ' ')
}
