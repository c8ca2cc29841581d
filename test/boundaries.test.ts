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

/** What each rule refuses, and what it must let through: one plant a rule and direction. `%` becomes a name that is used once. */
const rules: { readonly [category: string]: { readonly refused: Plant[]; readonly allowed: Plant[] } } = {
	'lint/style/noRestrictedImports': {
		refused: [
			...imports('src/%.ts', '../adapters/index.ts', 'hono'),
			...imports('src/new-room/%.ts', '../../test/adapter.ts', 'undici'),
			...imports('src/http/%.ts', '../../adapters/index.ts', '@hono/node-server'),
			...imports('src/node/%.ts', '../worker/index.ts', '../../adapters/one/index.ts'),
			...imports('src/worker/%.ts', '../node/index.ts', '../../adapters/index.ts', 'pino'),
			...imports('adapters/one/%.ts', '../two/index.ts', '../../src/turn/index.ts', '../../src/format/json.ts', 'hono'),
			...imports('adapters/one/event/%.ts', '../../two/index.ts', '../../../src/turn/index.ts'),
			...imports('adapters/index.ts', './one/event.ts', 'valibot'),
			['adapters/one/%.ts', `export const lazily = () => import('undici')\n`],
			['adapters/one/%.ts', `import type { Runtime } from '../../src/runtime.ts'\nexport type Lent = Runtime\n`],
		],
		allowed: [
			...imports('src/new-room/%.ts', '../format/index.ts', './own.ts', 'valibot'),
			...imports('src/http/%.ts', 'hono', '../turn/index.ts'),
			...imports('src/node/%.ts', '../../adapters/index.ts', 'undici', 'node:http'),
			...imports('src/worker/%.ts', '#adapters', '../http/index.ts'),
			...imports('adapters/one/%.ts', '../../src/format/index.ts', './event.ts', 'valibot'),
			...imports('adapters/one/event/%.ts', '../../../src/format/index.ts', '../dialect.ts', './own.ts'),
			...imports('adapters/chatbot-v1/%.ts', '../chatbot/button.ts'),
			...imports('adapters/one/%.test.ts', '../../test/adapter.ts', 'vitest'),
			...imports('adapters/index.ts', './one/index.ts', '../src/format/index.ts'),
		],
	},
	'lint/correctness/noNodejsModules': {
		refused: [
			...imports('src/%.ts', 'node:fs'),
			...imports('src/worker/%.ts', 'node:async_hooks'),
			...imports('adapters/one/%.ts', 'node:crypto'),
		],
		allowed: [...imports('src/node/%.ts', 'node:fs'), ...imports('adapters/one/%.test.ts', 'node:fs')],
	},
	'lint/style/noRestrictedGlobals': {
		refused: [
			...uses('src/%.ts', `fetch('')`, 'setTimeout(() => {}, 1)'),
			...uses('adapters/one/%.ts', 'crypto.subtle', 'performance.now()', 'console.log(1)'),
		],
		allowed: [
			...uses('src/node/%.ts', `fetch('')`, 'performance.now()'),
			...uses('src/worker/%.ts', 'crypto.randomUUID()'),
			['adapters/one/%.ts', 'export const own = (crypto: { equal(): void }) => crypto.equal()\n'],
		],
	},
	plugin: {
		refused: [
			...uses('src/%.ts', 'Date.now()', 'Math.random()'),
			...uses('adapters/one/%.ts', 'new Date()', 'Date()', '[1].map(Math.random)'),
		],
		allowed: [
			...uses('adapters/one/%.ts', `Date.parse('2020-01-01')`, 'new Date(0).toISOString()', 'Math.max(1, 2)'),
			...uses('src/node/%.ts', 'Date.now()'),
			...uses('test/%.ts', 'Math.random()'),
		],
	},
	'lint/suspicious/noImportCycles': {
		refused: [
			['src/cycle-one.ts', `import { two } from './cycle-two.ts'\nexport const one = () => two\n`],
			['src/cycle-two.ts', `import { one } from './cycle-one.ts'\nexport const two = () => one\n`],
			['src/cycle-three.ts', `import type { Four } from './cycle-four.ts'\nexport type Three = Four | string\n`],
			['src/cycle-four.ts', `import type { Three } from './cycle-three.ts'\nexport type Four = { three: Three }\n`],
		],
		allowed: [['src/no-cycle.ts', `import type { One } from './no-cycle-one.ts'\nexport type Two = One\n`]],
	},
	'lint/correctness/noUndeclaredDependencies': {
		refused: [...imports('src/node/%.ts', 'not-in-package-json', 'vitest')],
		allowed: [...imports('src/node/%.ts', 'undici'), ...imports('test/%.ts', 'fast-check')],
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
