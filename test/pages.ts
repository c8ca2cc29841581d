/** The pages of the documentation: their blocks of code, each behind a mark that names it for the test that runs it. */
import { readFileSync } from 'node:fs'

/** A page, and what tests take from it. */
export interface Page {
	readonly text: string
	/** The code of the block behind the mark `<!-- test: name -->`, without the indent of a list. Throws if there is none. */
	block(name: string): string
	/**
	 * A text with the change made that a block shows as a diff. Throws unless the text has the lines before the change,
	 * once.
	 */
	changed(text: string, name: string): string
}

/** The page at a path from the root of the repository. */
export function pageAt(path: string): Page {
	const text = readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')
	const block = (name: string): string => {
		const found = new RegExp(`^( *)<!-- test: ${name} -->\n *\`\`\`\\w*\n(.*?)\n *\`\`\``, 'ms').exec(text)
		if (!found) throw new Error(`${path} has no block "${name}"`)
		const [, indent = '', code = ''] = found
		return code.replaceAll(new RegExp(`^${indent}`, 'gm'), '')
	}
	return {
		text,
		block,
		changed(text, name) {
			const before = sideOf(block(name), '-')
			if (text.split(before).length !== 2) throw new Error(`the text is not what ${path} changes in "${name}"`)
			return text.replace(before, () => sideOf(block(name), '+'))
		},
	}
}

/** The lines of a diff before (`-`) or after (`+`) its change. */
function sideOf(diff: string, sign: '-' | '+'): string {
	return diff
		.split('\n')
		.filter((line) => line === '' || line.startsWith(' ') || line.startsWith(sign))
		.map((line) => `${line.slice(1)}\n`)
		.join('')
}
