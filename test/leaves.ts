/** The leaves of a canonical value, and whether what they say still stands in another. */
import { fieldPath } from '../src/format/index.ts'

/** A scalar in a canonical value, or an empty object or list among its attributes. */
export interface Leaf {
	readonly path: string
	/** The path with its keys made well-formed, as fit goes on to name it. */
	readonly repaired: string
	/** The last name on the path. */
	readonly name: string
	readonly value: unknown
	/** Words of the author or the user, an author-named value, or a mark such as a kind, a delay or a flag. */
	readonly is: 'words' | 'attribute' | 'mark'
}

const marks = new Set(['kind', 'sender', 'height', 'to', 'delay', 'width', 'confidence', 'close', 'blockInput'])
const authored = new Set(['attributes', 'parameters', 'extensions', 'overrides'])

/** All leaves but the types of messages and buttons, which say nothing by themselves. */
export function leavesOf(value: unknown): Leaf[] {
	const leaves: Leaf[] = []
	collect(value, [], false, leaves)
	return leaves
}

function collect(value: unknown, keys: readonly (string | number)[], inAttributes: boolean, leaves: Leaf[]): void {
	const name = String(keys.findLast((key) => typeof key === 'string') ?? '').toWellFormed()
	if (typeof value === 'object' && value !== null) {
		const members = Object.entries(value)
		const isScope = authored.has(name) || (keys.length === 2 && keys[0] === 'attributes')
		if (members.length === 0 && inAttributes && !isScope)
			leaves.push({ ...pathsOf(keys), name, value, is: 'attribute' })
		for (const [key, member] of members) {
			const here = [...keys, Array.isArray(value) ? Number(key) : key]
			collect(member, here, inAttributes || authored.has(key), leaves)
		}
	} else if (value !== undefined && (inAttributes || name !== 'type')) {
		const is = inAttributes ? 'attribute' : marks.has(name) ? 'mark' : 'words'
		leaves.push({ ...pathsOf(keys), name, value, is })
	}
}

function pathsOf(keys: readonly (string | number)[]): Pick<Leaf, 'path' | 'repaired'> {
	const repaired = keys.map((key) => (typeof key === 'string' ? key.toWellFormed() : key))
	return { path: fieldPath(keys), repaired: fieldPath(repaired) }
}

/** The strings of a value, keys aside. */
export function stringsOf(value: unknown): string[] {
	if (typeof value === 'string') return [value]
	return typeof value === 'object' && value !== null ? Object.values(value).flatMap(stringsOf) : []
}

/** What stands in values: their leaves, and all their words as one text. */
export interface Standing {
	/** Is the leaf there: a word anywhere, a mark or an attribute under its name? */
	has(leaf: Leaf): boolean
	/** Do the words of the leaf stand in the text: together, one by one, or as JSON? An attribute's name must, too. */
	says(leaf: Leaf): boolean
}

export function standingIn(...values: readonly unknown[]): Standing {
	const leaves = values.flatMap(leavesOf)
	const exact = new Set(leaves.map(keyOf))
	const names = new Set(leaves.map(({ name }) => name))
	let text: string | undefined
	const includes = (words: string) => {
		text ??= squash(inReadingOrder(leaves).join(' '))
		const spellings = [words, JSON.stringify(words.toWellFormed()).slice(1, -1)].map((spelling) =>
			spelling.split(/\s+/u).map(squash),
		)
		return spellings.some((parts) => text?.includes(parts.join('')) || parts.every((part) => text?.includes(part)))
	}
	return {
		has: (leaf) => exact.has(keyOf(leaf)),
		says: (leaf) =>
			spellingsOf(leaf).some(includes) && (leaf.is !== 'attribute' || names.has(leaf.name) || includes(leaf.name)),
	}
}

/** A number to call is the same without the signs between its digits. */
function spellingsOf({ name, value, is }: Leaf): string[] {
	const words = textOf(value)
	return is === 'words' && name === 'number' ? [words, words.replace(/[\s()./-]/gu, '')] : [words]
}

/** The words, the parts of a text that was split one behind the other. */
function inReadingOrder(leaves: readonly Leaf[]): string[] {
	const spare = leaves.filter(({ name }) => name === 'instead')
	const spoken = leaves.filter(({ name, is }) => name !== 'instead' && is !== 'mark')
	return [...spoken, ...spare].map(({ value }) => textOf(value))
}

function keyOf({ name, value, is }: Leaf): string {
	return is === 'words' ? JSON.stringify(value) : `${name}=${JSON.stringify(value)}`
}

function textOf(value: unknown): string {
	if (value === null) return ''
	return typeof value === 'string' ? value : JSON.stringify(value)
}

function squash(text: string): string {
	return text.toWellFormed().replace(/[\s\u2060]+/gu, '')
}
