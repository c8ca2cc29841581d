/**
 * Plants one fault at a time into a copy of this tree, and runs what must catch it: `npm run test:plants`. `--only A,B`
 * plants some of them; then the results are not written to docs/reliability.md.
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { Misplanted, type Plant, plant } from './plant.ts'
import { plants } from './plants.ts'
import { nameOf, type Planted, writePlants } from './report.ts'

/** Milliseconds that one test or row may take. */
const limit = 300_000

/** Output of a run that says nothing about its tests. */
const unloadable =
	/took too long|No test ran|^\s*(?:SyntaxError|ReferenceError): |Transform failed|ERR_MODULE_NOT_FOUND|does not provide an export/m

const root = resolve(import.meta.dirname, '../../..')

const { values } = parseArgs({ options: { only: { type: 'string' } } })
const only = values.only?.split(',')
const chosen = plants.filter(({ id }) => !only || only.includes(id))
const lanes = await Promise.all([lane(chosen.filter(isForTests)), lane(chosen.filter((each) => !isForTests(each)))])
const results = lanes.flat().toSorted((one, other) => chosen.indexOf(one.plant) - chosen.indexOf(other.plant))
const caught = results.filter(({ verdict }) => verdict === 'caught').length
console.log(`${chosen.length} plants, ${caught} caught`)
if (!only) await writePlants(results)
process.exitCode = caught === chosen.length && caught > 0 ? 0 : 1

function isForTests({ caughtBy }: Plant): boolean {
	return 'file' in caughtBy
}

/**
 * Tries plants one after the other. There are two lanes, because tests and rows mostly wait: one for the tests and one for the
 * rows, each with a tree of its own. Rows never run beside rows, whose figures they would change.
 */
async function lane(some: readonly Plant[]): Promise<Planted[]> {
	const tree = copyOfTree()
	process.once('exit', () => rmSync(tree, { recursive: true, force: true }))
	const failures = await failuresWithoutPlants(some, tree)
	const results: Planted[] = []
	for (const each of some) results.push(await tried(each, failures, tree))
	return results
}

/** What git knows or would add, with the dependencies of this tree. */
function copyOfTree(): string {
	const folder = mkdtempSync(join(tmpdir(), 'dragoman-plants-'))
	const listed = spawnSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root })
	const files = new Set(String(listed.stdout).split('\0'))
	for (const file of files) {
		const path = join(root, file)
		// A file that was deleted may still be in the index.
		if (file !== '' && existsSync(path)) cpSync(path, join(folder, file))
	}
	symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
	return folder
}

/** The names of the files and rows that fail by themselves: they would seem to catch everything. */
async function failuresWithoutPlants(some: readonly Plant[], tree: string): Promise<ReadonlySet<string>> {
	const files = new Set(some.flatMap(({ caughtBy }) => ('file' in caughtBy ? [caughtBy.file] : [])))
	const rows = new Set(some.flatMap(({ caughtBy }) => ('row' in caughtBy ? [caughtBy.row] : [])))
	const tested = files.size > 0 ? (await vitest(tree, [...files])).output : ''
	const failures = new Set(Array.from(files).filter((file) => !tested.includes(`${file}: passed`)))
	for (const id of rows) {
		if ((await row(tree, id)).failed) failures.add(nameOf({ row: id }))
	}
	for (const name of failures) console.log(`${name} fails without a plant`)
	return failures
}

async function tried(each: Plant, failures: ReadonlySet<string>, tree: string): Promise<Planted> {
	const from = performance.now()
	const verdict = await verdictOn(each, failures, tree)
	const seconds = ((performance.now() - from) / 1000).toFixed(1)
	console.log(`${verdict === 'caught' ? 'caught  ' : 'SURVIVED'}  ${each.id} (${nameOf(each.caughtBy)}, ${seconds} s)`)
	if (verdict !== 'caught') console.log(`          ${verdict}`)
	return { plant: each, verdict }
}

async function verdictOn(each: Plant, failures: ReadonlySet<string>, tree: string): Promise<string> {
	if (failures.has(nameOf(each.caughtBy))) return 'it fails without the fault, too'
	try {
		const takeAway = plant(each, tree)
		const { caughtBy } = each
		const { failed, output } =
			'row' in caughtBy ? await row(tree, caughtBy.row) : await vitest(tree, [caughtBy.file], caughtBy.test)
		takeAway()
		if (!failed) return 'nothing failed'
		// Code that cannot be loaded proves nothing, and neither does a run that is cut off.
		return unloadable.test(output) ? `proves nothing: ${output.slice(-1000)}` : 'caught'
	} catch (thrown) {
		if (thrown instanceof Misplanted) return `cannot be planted: ${thrown.message}`
		throw thrown
	}
}

interface Ran {
	readonly failed: boolean
	readonly output: string
}

function vitest(tree: string, files: readonly string[], test?: string): Promise<Ran> {
	const options = ['--reporter', './scripts/ci-reporter.ts', ...(test === undefined ? [] : ['-t', test])]
	return run(tree, [join('node_modules', 'vitest', 'vitest.mjs'), 'run', ...options, ...files])
}

function row(tree: string, id: string): Promise<Ran> {
	return run(tree, [join('test', 'faults', 'run.ts'), '--short', '--only', id])
}

async function run(tree: string, args: readonly string[]): Promise<Ran> {
	const child = spawn(process.execPath, args, {
		cwd: tree,
		env: { ...process.env, NO_COLOR: '1' },
		timeout: limit,
		stdio: ['ignore', 'pipe', 'pipe'],
	})
	let output = ''
	for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
	const [status] = await once(child, 'close')
	return { failed: status !== 0, output: `${output}${status === null ? 'took too long' : ''}` }
}
