/** Who may import what, and what a pure file may touch: each rule is broken on purpose, so that none can rot. */
import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))

type Plant = readonly [file: string, source: string]

const imports = (file: string, ...specifiers: string[]): Plant[] =>
	specifiers.map((specifier) => [file, `export * from '${specifier}'\n`])
const uses = (file: string, ...expressions: string[]): Plant[] =>
	expressions.map((expression) => [file, `export const used = (_given: object) => ${expression}\n`])

/** What each rule refuses, and what it must let through. `%` becomes a name that is used once. */
const rules: { readonly [category: string]: { readonly refused: Plant[]; readonly allowed: Plant[] } } = {
	'lint/style/noRestrictedImports': {
		refused: [
			...imports('src/%.ts', '../adapters/index.ts', '../adapters/canonical/index.ts', './node/main.ts'),
			...imports('src/%.ts', './worker/index.ts', '../test/adapter.ts', 'cloudflare:workers'),
			...imports('src/%.ts', 'hono', 'hono/body-limit', '@hono/node-server', 'undici', 'pino', 'lru-cache', 'node:fs'),
			...imports('src/fit/%.ts', '../../adapters/index.ts', '../node/main.ts', '../worker/index.ts', 'hono', 'undici'),
			...imports('src/config/%.ts', '../../adapters/index.ts', '../node/main.ts', '../worker/index.ts', 'node:fs'),
			...imports('src/new-folder/%.ts', '../../adapters/index.ts', '../node/main.ts', 'hono', 'lru-cache'),
			...imports('src/app.ts', '../adapters/index.ts', './node/main.ts', './worker/index.ts', '@hono/node-server'),
			...imports('src/app.ts', 'undici', 'pino', 'lru-cache', 'node:http'),
			...imports('src/node/%.ts', '../worker/index.ts', '../../test/adapter.ts', '../../adapters/canonical/index.ts'),
			...imports('src/worker/%.ts', '../node/main.ts', 'node:crypto', 'undici', 'pino', '@hono/node-server'),
			...imports('adapters/one/%.ts', '../two/index.ts', './../two/event.ts', '../index.ts', '../../test/adapter.ts'),
			...imports('adapters/one/%.ts', '../../src/gateway.ts', '../../src/app.ts', '../../src/runtime.ts'),
			...imports('adapters/one/%.ts', '../../src/fit/index.ts', '../../src/node/main.ts', '../../src/config/index.ts'),
			...imports('adapters/one/%.ts', 'hono', 'undici', 'pino', 'lru-cache', 'node:crypto', 'fs', 'fast-check'),
			...imports('adapters/index.ts', '../src/gateway.ts', './one/event.ts', 'valibot', 'node:fs'),
			['adapters/one/%.ts', `export const late = () => import('undici')\n`],
			['adapters/one/%.ts', `import type { Runtime } from '../../src/runtime.ts'\nexport type Lent = Runtime\n`],
		],
		allowed: [
			...imports('src/%.ts', './codec.ts', './fit/index.ts', './config/index.ts', 'valibot'),
			...imports('src/fit/%.ts', '../codec.ts', './text.ts'),
			...imports('src/app.ts', 'hono', 'hono/body-limit', 'valibot', './gateway.ts'),
			...imports(
				'src/node/%.ts',
				'../app.ts',
				'../../adapters/index.ts',
				'hono',
				'@hono/node-server',
				'undici',
				'pino',
			),
			...imports('src/node/%.ts', 'node:http', './serve.ts'),
			...imports('src/worker/%.ts', '../app.ts', '../../adapters/index.ts', 'hono'),
			...imports('adapters/one/%.ts', '../../src/adapter.ts', '../../src/canonical.ts', '../../src/codec.ts'),
			...imports('adapters/one/%.ts', '../../src/auth.ts', '../../src/errors.ts', '../../src/features.ts'),
			...imports('adapters/one/%.ts', '../../src/form.ts'),
			...imports('adapters/one/%.ts', './event.ts', 'valibot'),
			...imports('adapters/one/%.test.ts', '../../test/adapter.ts', '../../src/app.ts', 'vitest', 'node:fs'),
			...imports('adapters/index.ts', './one/index.ts', '../src/adapter.ts'),
		],
	},
	'lint/correctness/noNodejsModules': {
		refused: [
			...imports('src/%.ts', 'node:fs', 'crypto'),
			...imports('src/app.ts', 'node:http'),
			...imports('src/config/%.ts', 'node:fs'),
			...imports('src/worker/%.ts', 'node:async_hooks'),
			...imports('adapters/one/%.ts', 'node:crypto', 'util'),
			...imports('adapters/index.ts', 'node:fs'),
		],
		allowed: [
			...imports('src/node/%.ts', 'node:fs'),
			...imports('adapters/one/%.test.ts', 'node:fs'),
			...imports('test/%.ts', 'node:fs'),
		],
	},
	'lint/style/noRestrictedGlobals': {
		refused: [
			...uses(
				'src/%.ts',
				`fetch('')`,
				'crypto.randomUUID()',
				'performance.now()',
				'globalThis.fetch',
				'console.log(1)',
			),
			...uses('src/app.ts', `fetch('')`, 'setTimeout(() => {}, 1)'),
			...uses('adapters/one/%.ts', `fetch('')`, 'crypto.subtle', 'performance.now()', 'setTimeout(() => {}, 1)'),
			...uses('adapters/one/%.ts', 'globalThis.fetch', 'console.log(1)', 'setInterval(() => {}, 1)'),
		],
		allowed: [
			...uses('src/node/%.ts', `fetch('')`, 'performance.now()'),
			...uses('src/worker/%.ts', `fetch('')`, 'crypto.randomUUID()'),
			['adapters/one/%.ts', 'export const own = (crypto: { equal(): void }) => crypto.equal()\n'],
		],
	},
	plugin: {
		refused: [
			...uses('src/%.ts', 'Date.now()', 'new Date()', 'Math.random()'),
			...uses('src/app.ts', 'Date.now()'),
			...uses('adapters/one/%.ts', 'Date.now()', 'new Date()', 'Date()', 'Math.random()', '[1].map(Math.random)'),
		],
		allowed: [
			...uses('adapters/one/%.ts', `Date.parse('2020-01-01')`, 'new Date(0).toISOString()', 'Math.max(1, 2)'),
			...uses('src/node/%.ts', 'Date.now()'),
			...uses('test/%.ts', 'Date.now()', 'Math.random()'),
		],
	},
	'lint/suspicious/noImportCycles': {
		refused: [
			['src/cycle-one.ts', `import { two } from './cycle-two.ts'\nexport const one = () => two\n`],
			['src/cycle-two.ts', `import { one } from './cycle-one.ts'\nexport const two = () => one\n`],
		],
		allowed: [
			['src/no-cycle.ts', `import type { three } from './no-cycle-three.ts'\nexport type One = typeof three\n`],
			['src/no-cycle-three.ts', `import type { One } from './no-cycle.ts'\nexport const three = (one: One) => one\n`],
		],
	},
	'lint/correctness/noUndeclaredDependencies': {
		refused: [
			...imports('src/node/%.ts', 'not-in-package-json', 'vitest', 'standardwebhooks'),
			...imports('test/%.ts', 'not-in-package-json'),
		],
		allowed: [...imports('src/node/%.ts', 'undici'), ...imports('test/%.ts', 'vitest', 'fast-check')],
	},
}

interface Planted {
	readonly category: string
	readonly refused: boolean
	readonly tree: string
	readonly file: string
	readonly source: string
}

let base: string
const planted: Planted[] = []
/** Categories of the errors that the linter has, by tree and file. */
const found = new Map<string, Set<string>>()

beforeAll(async () => {
	base = await mkdtemp(join(tmpdir(), 'dragoman-boundaries-'))
	for (const [category, { refused, allowed }] of Object.entries(rules)) {
		for (const plant of [...refused, ...allowed]) {
			const file = plant[0].replace('%', `planted-${planted.length}`)
			// What is planted into the same file goes into a tree of its own.
			const tree = `tree-${planted.filter((other) => other.file === file).length}`
			planted.push({ category, refused: refused.includes(plant), tree, file, source: plant[1] })
		}
	}
	for (const { tree, file, source } of planted) {
		await mkdir(dirname(join(base, tree, file)), { recursive: true })
		await writeFile(join(base, tree, file), source)
	}
	const trees = [...new Set(planted.map(({ tree }) => tree))]
	for (const tree of trees) {
		for (const file of ['biome.json', 'package.json', 'scripts/pure.grit']) {
			await cp(join(root, file), join(base, tree, file))
		}
	}
	await Promise.all(trees.map(lint))
}, 120_000)

afterAll(() => rm(base, { recursive: true, force: true }))

async function lint(tree: string): Promise<void> {
	const biome = join(root, 'node_modules/.bin/biome')
	const args = ['lint', '--reporter=json', '--max-diagnostics=none', '.']
	const output = await new Promise<string>((done) => {
		execFile(biome, args, { cwd: join(base, tree), maxBuffer: 1 << 26 }, (_error, stdout) => done(stdout))
	})
	const { diagnostics }: { diagnostics: { category: string; severity: string; location: { path: string } }[] } =
		JSON.parse(output)
	for (const { category, severity, location } of diagnostics) {
		if (severity !== 'error') continue
		const place = `${tree}/${location.path}`
		found.set(place, (found.get(place) ?? new Set()).add(category))
	}
}

test.each(Object.keys(rules))('%s refuses each breach and nothing else', (category) => {
	const wrong = planted
		.filter((plant) => plant.category === category)
		.filter(({ tree, file, refused }) => (found.get(`${tree}/${file}`)?.has(category) ?? false) !== refused)
		.map(({ file, refused, source }) => `${refused ? 'let through' : 'refused'}: ${file}: ${source.trim()}`)
	expect(wrong).toEqual([])
})
