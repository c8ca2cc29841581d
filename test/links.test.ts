/** Follows the links between our documents: each file is there, and so is each heading. */
import { existsSync, globSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const documents = ['*.md', 'docs/**/*.md', 'adapters/**/*.md', 'examples/**/*.md'].flatMap((pattern) =>
	globSync(pattern, { cwd: root }),
)

/** The names by which a document's headings can be linked to. */
function anchorsOf(file: string): string[] {
	return [...readFileSync(file, 'utf8').matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
		heading
			.toLowerCase()
			.replace(/[^\p{L}\p{N}\s_-]/gu, '')
			.replaceAll(' ', '-'),
	)
}

function isBroken(link: string, from: string): boolean {
	const [path = '', anchor] = link.split('#')
	const target = path === '' ? from : join(dirname(from), path)
	if (relative(root, target).startsWith('..') || !existsSync(target)) return true
	return anchor !== undefined && (statSync(target).isDirectory() || !anchorsOf(target).includes(anchor))
}

test.each(documents)('the links of %s lead somewhere', (document) => {
	const from = join(root, document)
	const links = [...readFileSync(from, 'utf8').matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link)
	expect(links.filter((link) => !/^[a-z]+:/.test(link) && isBroken(link, from))).toEqual([])
})
