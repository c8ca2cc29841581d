/** The commands that people are told to run: a test runs each block of them, or its mark says why none does. */
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { commands } from '../src/node/commands/index.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const pages = ['*.md', 'docs/*.md', 'adapters/**/README.md', 'examples/**/*.md'].flatMap((pattern) =>
	globSync(pattern, { cwd: root }),
)
const tests = ['test/**/*.test.ts', 'scripts/*.ts'].flatMap((pattern) => globSync(pattern, { cwd: root })).map(read)
const { scripts } = JSON.parse(read('package.json'))

interface Block {
	/** The page, and what stands in the line before the block. */
	readonly page: string
	readonly mark: string
	readonly code: string
}

const blocks: readonly Block[] = pages.flatMap((page) =>
	[...read(page).matchAll(/^(.*)\n( *)```(?:sh|bash|shell|console)\n([\s\S]*?)\n\2```$/gm)].map(
		([, mark = '', , code = '']) => ({ page, mark, code }),
	),
)

/** Whether a test names the page, or reads the page of each adapter. */
function isAbout(code: string, page: string): boolean {
	return code.includes(page) || (page.startsWith('adapters/') && /adapters\/\$\{name\}\/README\.md/.test(code))
}

test('there are blocks of commands on many pages', () => {
	expect(new Set(blocks.map(({ page }) => page)).size).toBeGreaterThan(8)
})

test.each(blocks)('$page: "$mark" says who runs the block', ({ page, mark }) => {
	const [, kind, words = ''] = /^\s*<!-- (test|unrun): (.+) -->$/.exec(mark) ?? []
	expect([mark, kind]).toEqual([mark, expect.any(String)])
	for (const [path] of words.matchAll(/\btest\/[\w./-]+\w/g))
		expect([path, existsSync(join(root, path))]).toEqual([path, true])
	if (kind === 'unrun') expect(words.split(' ').length).toBeGreaterThan(2)
	else expect(tests.some((code) => isAbout(code, page) && code.includes(`'${words}'`))).toBe(true)
})

test.each(blocks)('$page: the scripts and commands of "$mark" exist', ({ code }) => {
	for (const [, name = ''] of code.matchAll(/\bnpm run ([\w:-]+)/g)) expect(Object.keys(scripts)).toContain(name)
	const named = [...code.matchAll(/(?:npx dragoman|npm run dragoman --) ([a-z][\w-]*)/g)]
	for (const [, name] of named) expect(commands.map((each) => each.name)).toContain(name)
})
