/** When two labels are the same to the people who read and type them. */

import { limits } from '../limits.ts'

/** Characters that nobody types and that platforms add or remove: joiners, directions, variants of emoji. */
const invisible = /[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]|\ufe0e|\ufe0f/g

const entities: { readonly [entity: string]: string } = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", '#39': "'" }

/**
 * The form in which labels are compared: equal for labels that differ only in case (also Turkish and German), in the
 * width of characters, in blanks, in invisible characters, or in HTML's entities. Undefined when the words are too long
 * to be a label.
 */
export function labelKey(words: string): string | undefined {
	if (words.length > limits.comparedLabel.value) return undefined
	const read = words.includes('&')
		? words.replace(/&(amp|lt|gt|quot|apos|#39);/g, (_, name) => entities[name] ?? '')
		: words
	// Most labels are ASCII, which has nothing to normalize.
	const folded = ascii.test(read) ? read.toLowerCase() : foldUnicode(read)
	return folded.replace(/\s+/g, ' ').trim()
}

const ascii = /^[\0-\x7f]*$/

function foldUnicode(words: string): string {
	return words.replace(invisible, '').normalize('NFKC').toUpperCase().toLowerCase().replaceAll('i\u0307', 'i')
}
