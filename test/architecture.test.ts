/** Which rooms of src/ may import which, and that each platform stays in its folder. The linter finds circles between files. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { adapters } from '../adapters/index.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const src = join(root, 'src')

/** Downwards, types included: each room imports only those before it. The two runtimes stand side by side at the end. */
const rooms = [
	...['errors.ts', 'limits.ts', 'timeout.ts', 'rfc3339.ts', 'model', 'backend', 'schema', 'format', 'fit'],
	...['observer', 'compact-jwe.ts', 'runtime.ts', 'upstream', 'route.ts'],
	...['turn', 'delivery', 'http', 'simulator', 'config', 'index.ts', 'playground', 'node', 'worker'],
]

const roomOf = (file: string): string => file.split('/')[0] ?? ''

/** Every import of one file of src/ by another, as paths below src/. */
const imports = readdirSync(src, { recursive: true, encoding: 'utf8' })
	.filter((file) => /\.tsx?$/.test(file))
	.flatMap((file) =>
		[...readFileSync(join(src, file), 'utf8').matchAll(/\bfrom '(\.[^']*)'/g)].map(([, specifier = '']) => ({
			file,
			imported: relative(src, join(src, dirname(file), specifier)),
		})),
	)
	.filter(({ imported }) => !imported.startsWith('..'))

test('every file of src/ belongs to a room', () => {
	expect([...new Set(readdirSync(src))].sort()).toEqual([...rooms].sort())
})

test('imports go downwards only', () => {
	const upwards = imports.filter(({ file, imported }) => rooms.indexOf(roomOf(imported)) > rooms.indexOf(roomOf(file)))
	expect(upwards).toEqual([])
})

test('a room is only imported through its index.ts', () => {
	const pastTheDoor = imports.filter(({ file, imported }) => {
		const room = roomOf(imported)
		return room !== roomOf(file) && imported !== room && imported !== `${room}/index.ts`
	})
	expect(pastTheDoor).toEqual([])
	expect(imports.length).toBeGreaterThan(300)
})

test('the kit for backends is no part of the gateway: it imports the model and nothing else, and nothing imports it', () => {
	const across = imports.filter(({ file, imported }) => roomOf(file) !== roomOf(imported))
	const ofKit = across.filter(({ file }) => roomOf(file) === 'backend').map(({ imported }) => imported)
	expect([...new Set(ofKit)]).toEqual(['model/index.ts'])
	expect(across.filter(({ imported }) => roomOf(imported) === 'backend')).toEqual([])
})

test('every folder of adapters/ is in the list, except the one that a family shares', () => {
	const folders = readdirSync(join(root, 'adapters'), { withFileTypes: true })
		.filter((entry) => entry.isDirectory() && entry.name !== 'chatbot')
		.map(({ name }) => name)
	expect(adapters.map(({ name }) => name).sort()).toEqual(folders.sort())
})

test('a new platform is a folder and one line: no other source names a platform', () => {
	// Our own JSON is no platform: it is the default format of an upstream.
	const platforms = adapters.map(({ name }) => name).filter((name) => name !== 'canonical')
	const named = new RegExp(`(?<![\\w-])(?:${platforms.join('|')})(?![\\w-])`)
	const files = ['src', 'scripts'].flatMap((folder) =>
		readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file)),
	)
	const sources = [...files.filter((file) => file.endsWith('.ts')), '.ci/run', 'test/adapter.ts', 'test/matrix.test.ts']
	expect(sources.filter((file) => named.test(readFileSync(join(root, file), 'utf8')))).toEqual([])
})

test('clients and simulations of platforms’ own APIs are in no gateway', () => {
	const allowed = (file: string) =>
		file === 'adapters/simulated-apis.ts' ||
		/^(?:adapters\/[\w-]+\/(?:management|simulated-api)|src\/node\/connections)\//.test(file)
	const files = ['src', 'adapters'].flatMap((folder) =>
		readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file)),
	)
	const importing = files.filter(
		(file) =>
			/(?<!\.test)\.ts$/.test(file) &&
			/ from '[^']*\/(?:management|simulated-api)\/[\w-]+\.ts'/.test(readFileSync(join(root, file), 'utf8')),
	)
	expect(importing).toContain('adapters/simulated-apis.ts')
	// The contract of a simulated API has types only.
	expect(importing.filter((file) => !allowed(file) && file !== 'src/format/index.ts')).toEqual([])
})

test('only the command for development loads the playground', () => {
	const importing = (door: string) => imports.filter(({ imported }) => imported === door).map(({ file }) => file)
	const outside = (files: string[]) => files.filter((file) => roomOf(file) !== 'playground')
	expect(outside(importing('playground/index.ts')).sort()).toEqual([
		'node/commands/dev.ts',
		'node/playground-server.ts',
	])
	expect(importing('node/playground-server.ts')).toEqual(['node/commands/dev.ts'])
})
