/** The rooms of src/: which may import which, and only through their doors. The linter finds circles between files. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const src = fileURLToPath(new URL('../src', import.meta.url))

/** Downwards, types included: each room imports only those before it. The two runtimes stand side by side at the end. */
const rooms = [
	...['errors.ts', 'timeout.ts', 'model', 'schema', 'format', 'fit', 'runtime.ts', 'upstream', 'route.ts'],
	...['turn', 'delivery', 'http', 'simulator', 'config', 'index.ts', 'node', 'worker'],
]

const roomOf = (file: string): string => file.split('/')[0] ?? ''

/** Every import of one file of src/ by another, as paths below src/. */
const imports = readdirSync(src, { recursive: true, encoding: 'utf8' })
	.filter((file) => file.endsWith('.ts'))
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

test('a room is entered through its door', () => {
	const pastTheDoor = imports.filter(({ file, imported }) => {
		const room = roomOf(imported)
		return room !== roomOf(file) && imported !== room && imported !== `${room}/index.ts`
	})
	expect(pastTheDoor).toEqual([])
	expect(imports.length).toBeGreaterThan(300)
})
