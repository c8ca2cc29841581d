/** A planted fault: a change that breaks one promise, and the test or the row that must fail because of it. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Plant {
	/** Lower case, with hyphens. */
	readonly id: string
	/** What the gateway does wrong, as a sentence of the table. */
	readonly fault: string
	readonly edits: readonly Edit[]
	/** The fastest test that fails, or the row that does. */
	readonly caughtBy: Catcher
}

/** Replaces a text that a file contains exactly once. */
interface Edit {
	readonly file: string
	readonly find: string
	readonly replace: string
}

/** Tests of a file, all of them or those whose name matches a regular expression; or a row of the table in its short form. */
export type Catcher = { readonly file: string; readonly test?: string } | { readonly row: string }

/** The plant does not fit the code any more. */
export class Misplanted extends Error {}

/** The texts of the files that the plant changes, by their paths in the tree. Throws a Misplanted unless it fits the code. */
export function planted({ id, edits }: Plant, tree: string): ReadonlyMap<string, string> {
	const texts = new Map<string, string>()
	for (const { file, find, replace } of edits) {
		const path = join(tree, file)
		const pieces = (texts.get(path) ?? readFileSync(path, 'utf8')).split(find)
		if (pieces.length !== 2)
			throw new Misplanted(`${id}: ${file} has this ${pieces.length - 1} times, not once: ${find}`)
		texts.set(path, pieces.join(replace))
	}
	if (texts.size === 0) throw new Misplanted(`${id}: it changes nothing`)
	return texts
}

/** Plants it, and returns the way back. Throws a Misplanted, and changes nothing, unless it fits the code. */
export function plant(one: Plant, tree: string): () => void {
	const texts = planted(one, tree)
	const before = Array.from(texts.keys(), (path) => [path, readFileSync(path)] as const)
	for (const [path, text] of texts) writeFileSync(path, text)
	return () => {
		for (const [path, bytes] of before) writeFileSync(path, bytes)
	}
}
