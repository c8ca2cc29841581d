/** Versions below which a known fault of a dependency would reach us, and the rules for the dependencies' versions. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const read = (path: string) => JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'))
const manifest: {
	engines: { node: string }
	dependencies: { [name: string]: string }
	devDependencies: { [name: string]: string }
} = read('../package.json')
const lock: { packages: { [path: string]: { version?: string } } } = read('../package-lock.json')

/** The lowest version of each that may be installed, in any depth, and the fault that the one before has. A line of its own: `name@MAJOR`. */
const floors: { readonly [name: string]: readonly [version: string, fault: string] } = {
	hono: ['4.13.5', 'CVE-2026-84364: parseBody and dots in names; before it, two ways past bodyLimit'],
	'@hono/node-server': ['2.1.0', 'CVE-2026-29087: encoded slashes in serveStatic (fixed in 1.19.10 of the older line)'],
	// Fixed in 7.29 and 8.9; miniflare, for tests only, brings one of the older line.
	undici: ['7.29.0', 'GHSA-8xcm-r25x-g524 and others: a resumed body keeps its old length'],
	'undici@8': ['8.9.0', 'the same'],
}

const atLeast = (version: string, floor: string) => version.localeCompare(floor, 'en', { numeric: true }) >= 0

test.each(Object.entries(floors))('%s is not below its floor', (line, [floor]) => {
	const [, name = '', major = ''] = /^(.+?)(?:@(\d+))?$/.exec(line) ?? []
	const versions = Object.entries(lock.packages)
		.flatMap(([path, { version = '0' }]) => (path.endsWith(`node_modules/${name}`) ? [version] : []))
		.filter((version) => major === '' || version.startsWith(`${major}.`))
	expect(versions).not.toEqual([])
	expect(versions.filter((version) => !atLeast(version, floor))).toEqual([])
})

test('the package requires a Node whose node:sqlite is a release candidate', () => {
	const [, floor = '0'] = /^>=(\d+\.\d+)$/.exec(manifest.engines.node) ?? []
	expect(atLeast(floor, '24.15')).toBe(true)
})

test('every dependency is pinned exactly', () => {
	const loose = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies }).filter(
		([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version),
	)
	expect(loose).toEqual([])
})
