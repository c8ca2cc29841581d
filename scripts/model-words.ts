/** What docs/canonical-model.md says of each field, as descriptions for JSON Schemas. */
import { readFileSync } from 'node:fs'

/** The description of each field, by its section and its path: `CanonicalEvent.user.id`, `choices.text`. */
export function readModelWords(): ReadonlyMap<string, string> {
	const page = readFileSync(new URL('../docs/canonical-model.md', import.meta.url), 'utf8')
	const words = new Map<string, string>()
	let sections: string[] = []
	for (const line of page.split('\n')) {
		if (line.startsWith('#')) sections = [...line.matchAll(/`(\w+)`/g)].map(([, name = '']) => name)
		const [, field, meaning = '', when = '', guarantees = ''] =
			/^\| `([^`]+)` \| (.*?) \| (.*?) \|(?: (.*?))? ?\|$/.exec(line) ?? []
		for (const section of field === undefined ? [] : sections) {
			const [set, guaranteed] = [when, guarantees].map(withoutBackReference)
			const parts = [meaning, set && `When set: ${set}`, guaranteed]
			words.set(`${section}.${field}`, parts.filter(Boolean).map(withoutLinks).join('\n\n'))
		}
	}
	return words
}

/** In a description of its own, nothing is above. */
function withoutBackReference(sentence: string): string {
	return sentence.replace(/^As above(?:[.:,] ?|$)/, '')
}

function withoutLinks(sentence = ''): string {
	return sentence.replaceAll(/\[([^\]]+)\]\([^)]+\)/g, '$1')
}
