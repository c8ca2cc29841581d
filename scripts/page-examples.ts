/** The examples of docs/canonical-model.md, which are also those of the OpenAPI document. */
import { readFileSync } from 'node:fs'

const page = readFileSync(new URL('../docs/canonical-model.md', import.meta.url), 'utf8')
const blocks = new Map(
	[...page.matchAll(/<!-- test: ([^>]+) -->\n```\w+\n(.*?)\n```/gs)].map(([, name = '', code = '']) => [name, code]),
)

/** The block of code behind the mark of that name. Throws if there is none. */
export function pageBlock(name: string): string {
	const code = blocks.get(name)
	if (code === undefined) throw new Error(`docs/canonical-model.md has no block "${name}"`)
	return code
}

/** The call of a backend. */
export function exampleRequest(): unknown {
	return JSON.parse(pageBlock('request'))
}

/** The replies by the names of their blocks. */
export function exampleReplies(): { readonly [name: string]: unknown } {
	const named = [...blocks].flatMap(([block, code]) => {
		const [, name] = /^reply (?!url)(\w+)$/.exec(block) ?? []
		return name === undefined ? [] : [[name, JSON.parse(code)] as const]
	})
	return Object.fromEntries(named)
}
