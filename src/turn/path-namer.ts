/** Names the places of a message without the words of those who wrote it: their keys become numbers. */
import type { SecretFinder } from './secret-finder.ts'

/** A path as it may be logged. */
export type PathNamer = (path: string) => string

// The fields of formats, and most keys of bot authors.
const plainName = /^(?:[A-Za-z_][\w-]{0,31}|\*)$/
const plainPath = /^(?:(?:^|\.)(?:[A-Za-z_][\w-]{0,31}|\*)|\[\d{1,7}\])+$/

/** The parts of a path as `fieldPath` writes it: a key of unusual characters is quoted. */
export const partsOfPath = /\["(?:[^"\\]|\\.)*"\]|\[\d{1,7}\]|\.|[^.[]+|\[/g

/**
 * A namer for one turn. A key that is no plain name, or that contains a secret, is replaced by `#` and its number among
 * those of the turn: `attributes.#1`. The same key always gets the same number.
 */
export function createPathNamer(hasSecret: SecretFinder): PathNamer {
	// Few turns have a key to number.
	let numbers: Map<string, string> | undefined
	return (path) => {
		if (plainPath.test(path) && !hasSecret(path)) return path
		numbers ??= new Map()
		return namedByNumbers(path, hasSecret, numbers)
	}
}

function namedByNumbers(path: string, hasSecret: SecretFinder, numbers: Map<string, string>): string {
	const numberOf = (key: string): string => {
		const number = numbers.get(key) ?? `#${numbers.size + 1}`
		numbers.set(key, number)
		return number
	}
	return path.replace(partsOfPath, (text, at: number) => {
		if (text === '.' || /^\[\d+\]$/.test(text)) return text
		if (plainName.test(text) && !hasSecret(text)) return text
		return text.startsWith('[') && at > 0 ? `.${numberOf(text)}` : numberOf(text)
	})
}
