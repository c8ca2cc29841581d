/** `dragoman new-adapter`: a folder with an adapter that passes the laws, to be changed into one's own. */
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import * as v from 'valibot'
import { adapters } from '../../../adapters/index.ts'
import { adapterFiles, type Places } from '../adapter-template.ts'
import { exitCode } from '../exit-code.ts'
import { defineCommand } from './define-command.ts'
import { UsageError } from './usage-error.ts'

export const command = defineCommand({
	name: 'new-adapter',
	usage: ['NAME'],
	about: [
		'Writes a folder with an adapter for a platform of its own: both directions, limits, fixtures and a test of one call. It passes the laws at once, with a format of texts and attributes; change it into the format of your platform.',
		'In a clone of the repository the folder is adapters/NAME. Elsewhere it is NAME, and the configuration loads it: "adapters": ["../NAME/index.ts"].',
	],
	options: {},
	examples: [['dragoman new-adapter my-platform', 'writes the folder my-platform']],
	exitCodes: '0 success, 1 the folder exists already, 2 wrong usage',
	async run({ positionals: [name, ...others] }) {
		if (name === undefined || others.length > 0) throw new UsageError('Give the name of the adapter.')
		if (!/^[a-z][a-z\d]*(?:-[a-z\d]+)*$/.test(name)) {
			throw new UsageError('The name must be lower-case words with hyphens between them, such as "my-platform".')
		}
		if (adapters.some((each) => each.name === name)) throw new UsageError(`There is an adapter "${name}" already.`)
		const isClone = isOwnRepository()
		const folder = isClone ? join('adapters', name) : name
		if (existsSync(folder)) {
			console.error(`${folder} exists already. Give another name, or delete it first.`)
			return exitCode.failed
		}
		for (const [file, text] of Object.entries(adapterFiles(name, isClone ? inClone : asPackage))) {
			const path = join(folder, file)
			await mkdir(dirname(path), { recursive: true })
			await writeFile(path, text)
			console.log(`Wrote ${path}`)
		}
		console.log(
			`\nNext:\n${(isClone ? stepsInClone(name) : stepsElsewhere(name)).map((step) => `  ${step}`).join('\n')}`,
		)
		return exitCode.ok
	},
})

const inClone: Places = { format: '../../src/format/index.ts', testing: '../../test/adapter.ts' }
const asPackage: Places = { format: 'dragoman/format', testing: 'dragoman/testing' }

const Manifest = v.object({ name: v.string() })

/** Whether the command runs in the repository of the gateway itself. */
function isOwnRepository(): boolean {
	if (!existsSync('adapters/index.ts') || !existsSync('package.json')) return false
	return v.parse(Manifest, JSON.parse(readFileSync('package.json', 'utf8'))).name === 'dragoman'
}

function stepsInClone(name: string): string[] {
	return [
		`add it to adapters/index.ts: an import of ./${name}/index.ts, and its name in the list`,
		`npm test -- adapters/${name}`,
		'docs/contributing.md says what to change, and in which order',
	]
}

function stepsElsewhere(name: string): string[] {
	return [
		'npm install valibot',
		'npm install --save-dev vitest fast-check',
		`npx vitest run ${name}`,
		`add "adapters": ["../${name}/index.ts"] to config/gateway.json, and name "${name}" as the platform of a route`,
	]
}
