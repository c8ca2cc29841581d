/** `npm start` in a checkout that is not ready says what is missing, in one sentence. */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { folder } from '../outbox/parts.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** What a checkout with these packages prints before it starts. */
function prestart(packages: readonly string[], version = process.versions.node) {
	const at = folder()
	for (const file of ['package.json', 'scripts/prestart.cjs', 'src/node/require-node.cjs']) {
		mkdirSync(dirname(join(at, file)), { recursive: true })
		cpSync(join(root, file), join(at, file))
	}
	for (const name of packages) {
		mkdirSync(join(at, 'node_modules', name), { recursive: true })
		writeFileSync(join(at, 'node_modules', name, 'index.js'), '')
	}
	const preload = join(at, 'version.cjs')
	const versions = `{ ...process.versions, node: '${version}' }`
	writeFileSync(preload, `Object.defineProperty(process, 'versions', { value: ${versions} })`)
	const { status, stdout, stderr } = spawnSync(process.execPath, ['--require', preload, 'scripts/prestart.cjs'], {
		cwd: at,
		encoding: 'utf8',
	})
	return { status, stdout, stderr }
}

const all = Object.keys(manifest.dependencies)

test('without its dependencies, or one of them, it says to run npm ci', () => {
	const missing = { status: 1, stdout: '', stderr: 'Run npm ci first.\n' }
	expect(prestart([])).toEqual(missing)
	expect(prestart([], '20.20.2')).toEqual(missing)
	expect(prestart(all.slice(1))).toEqual(missing)
})

test('on an old Node it says which it needs', () => {
	expect(prestart(all, '20.20.2')).toEqual({
		status: 1,
		stdout: '',
		stderr: 'Dragoman needs Node 24.15 or newer; this is 20.20.2.\n',
	})
})

test('in a checkout that is ready it says nothing, before each command that runs the sources', () => {
	expect(prestart(all)).toEqual({ status: 0, stdout: '', stderr: '' })
	const { prestart: before, presimulate, preoutbox } = manifest.scripts
	expect([before, presimulate, preoutbox]).toEqual(Array(3).fill('node scripts/prestart.cjs'))
})
