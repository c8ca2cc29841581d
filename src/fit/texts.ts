/** Texts in normal form, with what hangs on them: alternatives, buttons, choices. */
import { limits } from '../limits.ts'
import type { Message } from '../model/index.ts'
import { sortButtons } from './buttons.ts'
import type { PlacedChoice } from './choice-names.ts'
import { fitChoices, numberChoices } from './choices.ts'
import { type Fitting, note } from './context.ts'
import { type AroundUrls, aroundLongUrls } from './long-urls.ts'
import { phrases } from './phrases.ts'
import { escapeText, hashOf, shortenText, splitTail, splitText } from './strings.ts'

type Text = Extract<Message, { type: 'text' }>
type Choices = Extract<Message, { type: 'choices' }>

/** Where the parts of a text stood in the value before. */
interface TextPaths {
	/** The path of their list, or those of each. */
	readonly buttons?: string | readonly string[]
	/** The path of its message. */
	readonly text?: string
}

/** A text with its alternatives and buttons, as the messages the format has for it. */
export function fitText(
	fitting: Fitting,
	message: Text,
	path: string,
	{ buttons: from = `${path}.buttons`, text: textAt = path }: TextPaths = {},
): Message[] {
	const { text, alternatives, buttons } = fitAlternatives(fitting, message, path)
	if (!buttons) return alternatives ? [{ type: 'text', text, alternatives }] : textsAround(fitting, text, textAt)

	const limit = fitting.carries['reply.text.buttons']
	const { shown, choices, lines } = sortButtons(fitting, buttons, limit !== undefined, path, from, fitting.nameButton)
	const words = [text, ...lines].join('\n')
	if (shown.length === 0) {
		if (alternatives) note(fitting, 'dropped', 'reply.text.alternatives', `${path}.alternatives`)
		return withChoices(fitting, words, choices, path, textAt)
	}

	const around = aroundLongUrls(fitting, words, wordsLimit(fitting, limit), textAt)
	const above = around ? (around.rest ?? phrases.noWords) : words
	const [before, last] = textsBefore(fitting, above, 'buttons', limit?.chars, `${textAt}.text`)
	const sets = inGroups(shown, limit?.items)
	if (sets.length > 1) {
		note(
			fitting,
			'split',
			'reply.text.buttons',
			typeof from === 'string' ? from : `${path}.buttons`,
			`into ${sets.length}`,
		)
	}
	const [first, ...others] = sets.map((set, i) => ({ ...asText(i === 0 ? last : phrases.noWords), buttons: set }))
	return [
		...fitBefore(fitting, around, textAt),
		...before,
		...(first ? [{ ...first, ...(alternatives && { alternatives }) }] : []),
		...others,
		...withChoices(fitting, undefined, choices, path),
	]
}

/** UTF-16 units of words that stay in one piece, also above buttons or choices. */
function wordsLimit({ carries }: Fitting, above?: { readonly chars?: number | undefined }): number | undefined {
	const { chars } = carries['reply.text'] ?? {}
	if (chars === undefined || above?.chars === undefined) return chars ?? above?.chars
	return Math.min(chars, above.chars)
}

/** A text on its own, with links between its parts for addresses that would be cut. */
function textsAround(fitting: Fitting, text: string, path: string): Message[] {
	const around = aroundLongUrls(fitting, text, wordsLimit(fitting), path)
	if (!around) return plainTexts(fitting, text, `${path}.text`)
	const rest = around.rest === undefined ? [] : plainTexts(fitting, around.rest, `${path}.text`)
	return [...fitBefore(fitting, around, path), ...rest]
}

function fitBefore(fitting: Fitting, around: AroundUrls | undefined, path: string): Message[] {
	return (around?.before ?? []).flatMap((message) => fitText(fitting, message, path, { buttons: [path] }))
}

/** Choices behind words of any length: as choices, or where the format has none, as numbered lines. */
export function withChoices(
	fitting: Fitting,
	words: string | undefined,
	placed: readonly PlacedChoice[],
	path: string,
	textAt = path,
): Message[] {
	const { carries } = fitting
	const limit = carries['reply.choices']
	const { choices, lines } = limit
		? fitChoices(fitting, placed)
		: { choices: [], lines: numberChoices(fitting, placed, words !== undefined) }
	const text = lines.length === 0 ? (words ?? '') : [...(words === undefined ? [] : [words]), ...lines].join('\n')
	const textLimit = carries['reply.choices.text']
	if (choices.length === 0 || !textLimit) {
		const texts = text === '' ? [] : textsAround(fitting, text, textAt)
		if (choices.length > 0 && texts.length > 0)
			note(fitting, 'split', 'reply.choices.text', `${textAt}.text`, 'moved to a text message of its own')
		return [...texts, ...choiceSets(fitting, choices, path).map((set): Choices => ({ type: 'choices', choices: set }))]
	}
	const around = aroundLongUrls(fitting, text, wordsLimit(fitting, textLimit), textAt)
	const above = around ? (around.rest ?? '') : text
	const [before, last] =
		above === '' ? [[], undefined] : textsBefore(fitting, above, 'choices', textLimit.chars, `${textAt}.text`)
	const filler = textLimit.required ? phrases.noWords : undefined
	if (last === undefined && filler !== undefined) note(fitting, 'added', 'reply.choices.text', `${path}.text`)
	const sets = choiceSets(fitting, choices, path).map((set, i): Choices => {
		const own = (i === 0 ? last : undefined) ?? filler
		return own === undefined ? { type: 'choices', choices: set } : { type: 'choices', text: own, choices: set }
	})
	if (!around && before.length === 0) return sets
	return [...fitBefore(fitting, around, textAt), ...before, ...sets]
}

function choiceSets(fitting: Fitting, choices: Choices['choices'], path: string): Choices['choices'][] {
	// Where a reply has one set only, the sets of all its messages are counted together, later.
	const single = fitting.carries['reply.messages']?.single
	const sets = inGroups(choices, single ? undefined : fitting.carries['reply.choices']?.items)
	if (sets.length > 1) note(fitting, 'split', 'reply.choices', `${path}.choices`, `into ${sets.length}`)
	return sets
}

/** A text on its own, as one or more messages; none when the format would show nothing of it. */
export function plainTexts(fitting: Fitting, text: string, path: string): Text[] {
	return textParts(fitting, text, path).map(asText)
}

/** Texts, the last of them within the measure of a text that `kind` hangs on. */
function textsBefore(
	fitting: Fitting,
	text: string,
	kind: 'buttons' | 'choices',
	chars: number | undefined,
	path: string,
): [Text[], string] {
	const parts = textParts(fitting, text, path)
	const last = parts.at(-1) ?? phrases.noWords
	const isLong = chars !== undefined && last.length > chars
	if (isLong) note(fitting, 'split', 'reply.text', path)
	// What moves behind other messages must not take the end of a text with it.
	if ((isLong || parts.length > 1) && isMoved(fitting, kind)) return [parts.map(asText), phrases.noWords]
	parts.pop()
	if (!isLong) return [parts.map(asText), last]
	const [head, tail] = splitTail(last, chars)
	return [[...parts, head].filter((part) => part !== '').map(asText), tail]
}

function isMoved({ carries }: Fitting, kind: 'buttons' | 'choices'): boolean {
	const { order, single } = carries['reply.messages'] ?? {}
	return order !== undefined || (kind === 'choices' && single === true)
}

/** A text escaped and cut to the format's measure; nothing when the format would show nothing of it. */
function textParts(fitting: Fitting, text: string, path: string): string[] {
	const { escape: markup, chars } = fitting.carries['reply.text'] ?? {}
	if (!isShown(fitting, text)) {
		note(fitting, 'dropped', 'reply.text', path)
		return []
	}
	if (markup === undefined && (chars === undefined || text.length <= chars)) return [text]
	const escaped = (part: string): string => (markup === undefined ? part : escapeText(part, markup))
	// To find where to cut is slow, and messages over the limit would be dropped.
	const most = chars === undefined ? text.length : chars * limits.listItems.value
	const kept = shortenText(text, most)
	if (kept !== text) note(fitting, 'shortened', 'reply.text', path)
	const whole = escaped(kept)
	if (whole !== kept) note(fitting, 'escaped', 'reply.text', path)
	if (chars === undefined || whole.length <= chars) return [whole]
	const parts = cutTo(kept, chars, chars, escaped)
	if (parts.length > 1) note(fitting, 'split', 'reply.text', path, `into ${parts.length}`)
	else note(fitting, 'shortened', 'reply.text', path)
	return parts
}

/** Parts of at most `chars` units after the escape, cut from parts of at most `most` before it. */
function cutTo(text: string, chars: number, most: number, escaped: (part: string) => string): string[] {
	return splitText(text, most).flatMap((part) => {
		const shown = escaped(part)
		if (shown.length <= chars || most <= 1) return [shown]
		return cutTo(part, chars, Math.max(1, Math.min(part.length - 1, 2 * chars - shown.length)), escaped)
	})
}

/** The text with the alternatives that the format can take, or with the one of them that the turn's id picks. */
function fitAlternatives(fitting: Fitting, message: Text, path: string): Text {
	if (!message.alternatives) return message
	const { alternatives, ...plain } = message
	const feature = 'reply.text.alternatives'
	const limit = fitting.carries[feature]
	const all = [message.text, ...alternatives]
	const paths = [`${path}.text`, ...alternatives.map((_, i) => `${path}.alternatives[${i}]`)]
	if (limit && !(limit.withoutButtons && message.buttons)) {
		const { items: most = all.length } = limit
		const whole = all.map((text, i) => i <= most && staysWhole(fitting, text))
		if (whole.some(Boolean)) {
			for (const [i, keep] of whole.entries()) if (!keep) note(fitting, 'dropped', feature, paths[i] ?? path)
			const [text = message.text, ...others] = all.filter((_, i) => whole[i])
			return { ...plain, text, ...(others.length > 0 && { alternatives: others }) }
		}
	}
	const shown = [...all.keys()].filter((i) => isShown(fitting, all[i] ?? ''))
	const pick = shown[hashOf(fitting.turnId + path) % shown.length] ?? 0
	for (const [i, each] of paths.entries())
		if (i !== pick) note(fitting, 'dropped', feature, each, 'another alternative was picked')
	return { ...plain, text: all[pick] ?? message.text }
}

/** Whether a text needs neither cutting nor escaping. */
function staysWhole(fitting: Fitting, text: string): boolean {
	const { chars, escape: markup } = fitting.carries['reply.text'] ?? {}
	return (
		isShown(fitting, text) &&
		(chars === undefined || text.length <= chars) &&
		(markup === undefined || escapeText(text, markup) === text)
	)
}

/** Whether the format shows anything of a text. */
function isShown({ carries }: Fitting, text: string): boolean {
	return !carries['reply.text']?.notBlank || /\S/.test(text)
}

const asText = (text: string): Text => ({ type: 'text', text })

/** The list in groups of at most `size`. */
export function inGroups<T>(list: readonly T[], size = list.length): T[][] {
	const groups: T[][] = []
	for (let i = 0; i < list.length; i += size) groups.push(list.slice(i, i + size))
	return groups
}
