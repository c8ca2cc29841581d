/** Writes the planted faults into docs/reliability.md, behind the table of faults. */
import { readFile, writeFile } from 'node:fs/promises'
import type { Catcher, Plant } from './plant.ts'

/** A plant, and `caught`, or in words why not. */
export interface Planted {
	readonly plant: Plant
	readonly verdict: string
}

/** What catches a plant, in words. */
export function nameOf(catcher: Catcher): string {
	return 'row' in catcher ? `row ${catcher.row}` : catcher.file
}

const file = new URL('../../../docs/reliability.md', import.meta.url)
const heading = '## Planted faults'

/** The section of the page that `writePlants` wrote; empty if there is none. */
export function plantsIn(page: string): string {
	const at = page.indexOf(heading)
	return at === -1 ? '' : page.slice(at)
}

/** Replaces the section with the results of this run. */
export async function writePlants(results: readonly Planted[]): Promise<void> {
	const page = await readFile(file, 'utf8')
	const caught = results.filter(({ verdict }) => verdict === 'caught').length
	const lines = [
		heading,
		'',
		'Tests prove little until they have been seen to fail. `npm run test:plants` breaks the gateway in one way at a time, in a copy, and runs the test or the row that must notice.',
		`**${results.length} planted, ${caught} caught.**`,
		'',
		'| Planted | Caught by |',
		'|---|---|',
		...results.map(
			({ plant, verdict }) =>
				`| ${plant.fault} | ${verdict === 'caught' ? nameOf(plant.caughtBy) : `**not caught** by ${nameOf(plant.caughtBy)}`} |`,
		),
	]
	const before = page.slice(0, page.length - plantsIn(page).length).trimEnd()
	await writeFile(file, `${before}\n\n${lines.join('\n')}\n`)
}
