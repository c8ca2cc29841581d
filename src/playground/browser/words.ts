/** Changes, features and limits in words. */
import type { Change, Feature } from '../../model/index.ts'
import type { LimitUse } from '../../simulator/index.ts'

/** What became of a part, as one word. */
export const deeds: { readonly [did in Change['did']]: string } = {
	dropped: 'lost',
	shortened: 'cut',
	converted: 'converted',
	split: 'split',
	merged: 'merged',
	escaped: 'escaped',
	added: 'added',
}

/** How much it weighs that a part was changed so: what is gone counts most, and what was added not at all. */
const weights: { readonly [did in Change['did']]: number } = {
	dropped: 1_000_000,
	shortened: 1000,
	converted: 4,
	merged: 2,
	split: 1,
	escaped: 1,
	added: 0,
}

/** How much is lost by changes, to put the worst first. */
export function weightOf(changes: readonly Change[]): number {
	return changes.reduce((sum, { did }) => sum + weights[did], 0)
}

/** A feature as words: `card image` for `reply.card.image`. */
export function featureInWords(feature: Feature): string {
	const words = feature
		.replace(/^(?:reply|event)\.?/, '')
		.replaceAll('.', ' ')
		.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
	return words === '' ? (feature === 'reply' ? 'reply' : 'event') : words
}

/** The worst that happened. */
export function severityOf(changes: readonly Change[]): 'exact' | 'altered' | 'lost' {
	if (changes.some(({ did }) => did === 'dropped' || did === 'shortened')) return 'lost'
	return changes.some(({ did }) => did !== 'added') ? 'altered' : 'exact'
}

/** What happened, in a few words: `2 lost, 1 cut, 3 changed`. */
export function summaryOf(changes: readonly Change[]): string {
	const count = (...deeds: Change['did'][]) => changes.filter(({ did }) => deeds.includes(did)).length
	const parts: [number, string][] = [
		[count('dropped'), 'lost'],
		[count('shortened'), 'cut'],
		[count('converted', 'split', 'merged', 'escaped'), 'changed'],
		[count('added'), 'added'],
	]
	const said = parts.filter(([number]) => number > 0).map(([number, word]) => `${number} ${word}`)
	return said.length === 0 ? 'exactly as written' : said.join(', ')
}

const units: { readonly [unit in LimitUse['unit']]: string } = {
	chars: 'characters',
	items: 'items',
	bytes: 'bytes',
}

/** How much of a limit is used: `20 of 20 characters`. */
export function useInWords({ used, limit, unit }: LimitUse): string {
	return `${used} of ${limit} ${units[unit]}`
}
