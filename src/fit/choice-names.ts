/** Names for choices that share a title: each takes the words of the card or text it belongs to. */
import type { Button, Choice, Feature, Message } from '../model/index.ts'
import { labelKey } from './label-key.ts'
import { phrases } from './phrases.ts'
import type { Offer } from './types.ts'

/** A choice and its path in the value before. */
export interface PlacedChoice {
	readonly choice: Choice
	readonly path: string
	/** As in `Offer`. */
	readonly set: string
	/** Its title, or the name that tells it from others of its title. Absent: not yet decided. */
	readonly name?: string
	/** Absent: it is not offered. */
	readonly offer?: Offer
}

/** A name for a choice, and a short one for where the label has no room for it. */
interface ChoiceName {
	readonly full: string
	/** Absent: no other choice of the same owner needs one, and the owner's words name it. */
	readonly short?: string
}

/** The name that tells a choice from the others of its title in the reply; undefined where its title does, or nothing can. */
export type NameChoice = (title: string, set: string) => ChoiceName | undefined

/** What a set of choices or buttons belongs to. */
interface Owner {
	/** The path of its message or card. */
	readonly set: string
	/** The title of the card, or the text above the choices if it is short. */
	readonly words: string | undefined
	/** More words, if several owners have the same. */
	readonly details?: string | undefined
	/** Whether it is one of several cards. */
	readonly isOneOfSeveral: boolean
	readonly choices: readonly PlainChoice[]
}

interface PlainChoice {
	readonly title: string
	/** What a press does: a value, or a target. */
	readonly does: string
}

/** Choices of one title. */
interface Namesakes {
	readonly deeds: Set<string>
	readonly sets: Set<string>
	/** How many owners have these words. */
	readonly words: Map<string, number>
}

/** UTF-16 units of a text that can be part of a label. */
const maxWords = 40

/** What the format carries. */
type Features = { readonly [F in Feature]?: unknown }

const noName: NameChoice = () => undefined

/** The names of a reply's choices in a format that has no values: their labels or numbers are all that comes back. */
export function nameChoices(carries: Features, messages: readonly Message[]): NameChoice {
	if (carries['reply.choices'] && carries['reply.choice.value']) return noName
	const owners = ownersIn(
		messages,
		carries['reply.choices'] !== undefined && carries['reply.choice.goto'] !== undefined,
	)
	if (owners.length < 2) return noName
	const bySet = new Map(owners.map((owner) => [owner.set, owner]))
	const byTitle = namesakesOf(owners)
	// Numbered lines stand behind all cards of a carousel.
	const isNumbered = !carries['reply.choices']

	const needsName = ({ isOneOfSeveral }: Owner, title: string): boolean => {
		const { deeds, sets } = byTitle.get(keyOf(title)) ?? {}
		return (isNumbered && isOneOfSeveral) || ((deeds?.size ?? 0) > 1 && (sets?.size ?? 0) > 1)
	}
	const counts = new Map<Owner, number>()
	const countNamed = (owner: Owner): number => {
		const count = counts.get(owner) ?? owner.choices.filter(({ title }) => needsName(owner, title)).length
		counts.set(owner, count)
		return count
	}
	return (title, set) => {
		const owner = bySet.get(set)
		if (owner?.words === undefined || !needsName(owner, title)) return undefined
		const alike = byTitle.get(keyOf(title))?.words.get(owner.words) ?? 0
		const words = alike > 1 && owner.details !== undefined ? `${owner.words}, ${owner.details}` : owner.words
		return { full: phrases.belonging(title, words), ...(countNamed(owner) === 1 && { short: words }) }
	}
}

function keyOf(title: string): string {
	return labelKey(title) ?? title
}

function namesakesOf(owners: readonly Owner[]): Map<string, Namesakes> {
	const byTitle = new Map<string, Namesakes>()
	for (const { set, words, choices } of owners) {
		for (const { title, does } of choices) {
			const key = keyOf(title)
			const namesakes = byTitle.get(key) ?? { deeds: new Set(), sets: new Set(), words: new Map() }
			byTitle.set(key, namesakes)
			if (words !== undefined && !namesakes.sets.has(set)) {
				namesakes.words.set(words, (namesakes.words.get(words) ?? 0) + 1)
			}
			namesakes.deeds.add(does)
			namesakes.sets.add(set)
		}
	}
	return byTitle
}

/** The owners of choices. `jumps`: whether jumps become choices; elsewhere they are dropped, and need no name. */
function ownersIn(messages: readonly Message[], jumps: boolean): Owner[] {
	const owners: Owner[] = []
	const add = (owner: Omit<Owner, 'choices'>, pressed: readonly (Choice | Button)[] = []): void => {
		const choices = pressed.flatMap((each) => plain(each, jumps))
		if (choices.length > 0) owners.push({ ...owner, choices })
	}
	for (const [i, message] of messages.entries()) {
		const set = `messages[${i}]`
		if (message.type === 'text') {
			add({ set, words: shortWords(message.text), isOneOfSeveral: false }, message.buttons)
		} else if (message.type === 'choices') {
			const before = messages[i - 1]
			const { text = before?.type === 'text' && !before.buttons ? before.text : undefined, choices } = message
			add({ set, words: shortWords(text), isOneOfSeveral: false }, choices)
		} else if (message.type === 'cards') {
			const isOneOfSeveral = message.cards.length > 1
			for (const [n, { title, subtitle, buttons }] of message.cards.entries()) {
				const words = { words: oneLine(title), details: shortWords(subtitle) }
				add({ set: `${set}.cards[${n}]`, ...words, isOneOfSeveral }, buttons)
			}
		}
	}
	return owners
}

function plain(each: Choice | Button, jumps: boolean): PlainChoice[] {
	if ('value' in each) return [{ title: each.title, does: each.value }]
	return 'target' in each && jumps ? [{ title: each.title, does: JSON.stringify(each) }] : []
}

function shortWords(text = ''): string | undefined {
	const line = text.length > 2 * maxWords ? undefined : oneLine(text)
	return line !== undefined && line.length <= maxWords ? line : undefined
}

/** The words in one line, without a colon at the end. Undefined for white space. */
function oneLine(text: string): string | undefined {
	const line = text
		.replace(/\s+/g, ' ')
		.replace(/[:： ]{1,9}$/, '')
		.trim()
	return line === '' ? undefined : line
}
