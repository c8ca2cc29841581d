/** Cutting and escaping text: at the best break, never inside a grapheme, never in silence. */

import { phrases } from './phrases.ts'

let segmenter: Intl.Segmenter | undefined

// Made when it is first needed: it takes half of the time in which a Worker has to start.
function graphemes(text: string): Intl.Segments {
	segmenter ??= new Intl.Segmenter(undefined, { granularity: 'grapheme' })
	return segmenter.segment(text)
}

/** The longest prefix of whole graphemes within `max` UTF-16 units; at least one code point. */
function wholeGraphemes(text: string, max: number): number {
	if (isPlainBreak(text, max)) return max
	let end = 0
	// Some units more than asked for, so that the last grapheme is seen whole.
	for (const { index, segment } of graphemes(text.slice(0, max + 64))) {
		if (index + segment.length > max) break
		end = index + segment.length
	}
	// A grapheme longer than the limit: then between code points.
	return end || wholeCodePoints(text, max)
}

/** Whether a grapheme surely ends there. Most cuts are such, and to segment a text is slow. */
function isPlainBreak(text: string, at: number): boolean {
	const [before, behind] = [text.charCodeAt(at - 1), text.charCodeAt(at)]
	// Below the combining marks only CR LF is one grapheme of two units (Unicode Standard Annex 29).
	return before < 0x300 && behind < 0x300 && !(before === 0x0d && behind === 0x0a)
}

function wholeCodePoints(text: string, max: number): number {
	const cutsPair = /[\ud800-\udbff]/.test(text[max - 1] ?? '') && max < text.length
	return cutsPair ? Math.max(max - 1, 2) : max
}

/** Breaks from the best to the plainest; each matches what goes before the cut. */
const breaks = [/\n\s*\n\s*/g, /\n\s*/g, /[.!?…。！？]["')\]]?\s+/g, /\s+/g]

/** Where to cut so that the first part has at most `max` units: the last of the best breaks that leaves it a third full. */
function cutBefore(text: string, max: number): number {
	const window = text.slice(0, max + 1)
	for (const [rank, pattern] of breaks.entries()) {
		// The last one is wanted, and most texts have many: the end is looked at first.
		const cut = lastBreak(window, pattern, Math.max(0, max - 64), max) || lastBreak(window, pattern, 0, max)
		const least = rank === breaks.length - 1 ? 1 : max / 3
		if (cut >= least) return Math.min(cut, text.length)
	}
	// An address right behind a word, as in languages without spaces, begins the next part.
	const address = window.search(/https?:\/\//)
	return address > 0 ? address : wholeGraphemes(text, max)
}

/** The end of the last break that begins behind `from` and leaves at most `max` units before it; 0 if there is none. */
function lastBreak(window: string, pattern: RegExp, from: number, max: number): number {
	pattern.lastIndex = from
	let end = 0
	for (const { index, 0: match } of window.matchAll(pattern)) {
		// What begins at `from` may be the rest of a longer one, or the start of the text.
		if (index + match.trimEnd().length <= max && index > from) end = index + match.length
	}
	return end
}

/**
 * The text in parts of at most `max` UTF-16 units, cut at paragraphs, lines, sentences or words. White space at the
 * cuts goes; everything else stays. Never empty.
 */
export function splitText(text: string, max: number): string[] {
	if (text.length <= max) return [text]
	const parts: string[] = []
	let rest = text
	while (rest.length > max) {
		const cut = cutBefore(rest, max)
		const part = rest.slice(0, cut).trimEnd()
		if (part !== '') parts.push(part)
		rest = rest.slice(cut).trimStart()
	}
	if (rest !== '') parts.push(rest)
	return parts.length > 0 ? parts : [text.slice(0, max)]
}

/**
 * The text as a head of any length and a tail of at most `max` units that begins at a line, a sentence or a word.
 * The head is empty when the whole text fits.
 */
export function splitTail(text: string, max: number): [head: string, tail: string] {
	if (text.length <= max) return ['', text]
	// Some units before the tail, so that a break or a grapheme at its start is seen whole.
	const offset = Math.max(0, text.length - max - 64)
	const window = text.slice(offset)
	const from = text.length - max - offset
	const cut = (start: number): [string, string] => [text.slice(0, offset + start).trimEnd(), window.slice(start)]
	for (const pattern of breaks.slice(1)) {
		for (const { index, 0: match } of window.matchAll(pattern)) {
			const start = index + match.length
			if (start >= from && window.slice(start).trim() !== '') return cut(start)
		}
	}
	for (const { index } of graphemes(window)) if (index >= from) return cut(index)
	const splitsPair = /[\udc00-\udfff]/.test(window[from] ?? '')
	return cut(splitsPair ? from + 1 : from)
}

/** The text cut to `max` units, the last of them an ellipsis. */
export function shortenText(text: string, max: number): string {
	if (text.length <= max) return text
	if (max < 2) return text.slice(0, wholeCodePoints(text, max))
	return text.slice(0, wholeGraphemes(text, max - 1)).trimEnd() + phrases.cut
}

/** Invisible, breaks nothing for the reader, and parts what a platform would read as markup. */
const wordJoiner = '\u2060'

/** Remembers regular expressions by their source; there are as many as the adapters' limits have. */
function regexes(flags: string): (source: string) => RegExp {
	const compiled = new Map<string, RegExp>()
	return (source) => {
		const known = compiled.get(source)
		if (known) return known
		const made = new RegExp(source, flags)
		compiled.set(source, made)
		return made
	}
}

const patternOf = regexes('u')
const markupOf = regexes('gmu')

/** Whether the whole text matches a limit's pattern: its `^` and `$` are the ends of the text, not of a line. */
export function matches(text: string, pattern: string): boolean {
	return patternOf(pattern).test(text)
}

/** The text with a word joiner behind each match of the pattern, so that the platform sees no markup in it. */
export function escapeText(text: string, pattern: string): string {
	const markup = markupOf(pattern)
	// Most texts have none, and to look for one takes a third of a replacement.
	return text.search(markup) === -1 ? text : text.replace(markup, `$&${wordJoiner}`)
}

/** A small number that is the same for the same text: FNV-1a, 32 bits. */
export function hashOf(text: string): number {
	let hash = 0x811c9dc5
	for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
	return hash >>> 0
}
