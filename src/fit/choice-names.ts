/** Names for choices that share a title: each takes the words of the card or text it belongs to. */
import type { Limit } from '../format/index.ts'
import type { Button, Card, Choice, Feature, Message } from '../model/index.ts'
import { labelKey } from './label-key.ts'
import { phrases } from './phrases.ts'
import { shortenText } from './strings.ts'
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
	/** Whether it is one of several cards. */
	readonly isOneOfSeveral: boolean
	readonly choices: readonly PlainChoice[]
	/** Finds its words. A reply with one owner needs none. */
	words(): OwnersWords
}

interface OwnersWords {
	/** The title of the card, or the text above the choices if it is short. */
	readonly words: string | undefined
	/** More words, if several owners have the same. */
	readonly details?: string | undefined
}

type NamedOwner = Omit<Owner, 'words'> & OwnersWords

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
type Features = { readonly [F in Feature]?: Limit<F> }

const noName: NameChoice = () => undefined

/** The names of a reply's choices in a format that has no values: their labels or numbers are all that comes back. */
export function nameChoices(carries: Features, messages: readonly Message[]): NameChoice {
	if ((carries['reply.choices'] && carries['reply.choice.value']) || !haveSeveralOwners(messages)) return noName
	const owners = ownersIn(
		messages,
		carries['reply.choices'] !== undefined && carries['reply.choice.goto'] !== undefined,
	)
	if (owners.length < 2) return noName
	// Numbered lines stand behind all cards of a carousel.
	return namesAmong(owners, !carries['reply.choices'])
}

/**
 * The names of a reply's buttons in a format that may show those of several texts in one place. Texts that may be split
 * have none, as their parts would get others. `isOnCard`: whether a card shows its own buttons.
 */
export function nameButtons(
	carries: Features,
	messages: readonly Message[],
	isOnCard: (card: Card) => boolean,
): NameChoice {
	const { items, chars = carries['reply.text']?.chars } = carries['reply.text.buttons'] ?? {}
	if (!carries['reply.button.title']?.apart || items !== undefined || chars !== undefined) return noName
	if (!haveSeveralOwners(messages)) return noName
	const owners = buttonOwnersIn(messages, isOnCard)
	return owners.length < 2 ? noName : namesAmong(owners, false)
}

/** Whether choices or buttons may belong to more than one message or card: in most replies they do not. */
function haveSeveralOwners(messages: readonly Message[]): boolean {
	let owners = 0
	for (const message of messages) {
		if (message.type === 'cards') owners += message.cards.length
		else if (message.type === 'choices' || (message.type === 'text' && message.buttons)) owners++
	}
	return owners > 1
}

/** `isNumbered`: whether choices of one card of several need a name in any case. */
function namesAmong(owners: readonly Owner[], isNumbered: boolean): NameChoice {
	const named = owners.map((owner): NamedOwner => ({ ...owner, ...owner.words() }))
	const bySet = new Map(named.map((owner) => [owner.set, owner]))
	const byTitle = namesakesOf(named)
	const needsName = ({ isOneOfSeveral }: NamedOwner, title: string): boolean => {
		const { deeds, sets } = byTitle.get(keyOf(title)) ?? {}
		return (isNumbered && isOneOfSeveral) || ((deeds?.size ?? 0) > 1 && (sets?.size ?? 0) > 1)
	}
	const counts = new Map<NamedOwner, number>()
	const countNamed = (owner: NamedOwner): number => {
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

function namesakesOf(owners: readonly NamedOwner[]): Map<string, Namesakes> {
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
			const words = () => ({ words: shortWords(message.text) })
			add({ set, words, isOneOfSeveral: false }, message.buttons)
		} else if (message.type === 'choices') {
			const words = () => ({ words: shortWords(message.text ?? textBefore(messages, i)) })
			add({ set, words, isOneOfSeveral: false }, message.choices)
		} else if (message.type === 'cards') {
			const isOneOfSeveral = message.cards.length > 1
			for (const [n, { title, subtitle, buttons }] of message.cards.entries()) {
				const words = () => ({ words: oneLine(title), details: shortWords(subtitle) })
				add({ set: `${set}.cards[${n}]`, words, isOneOfSeveral }, buttons)
			}
		}
	}
	return owners
}

/** The owners of buttons that stand under a text. Their words are its first line, also where that is cut. */
function buttonOwnersIn(messages: readonly Message[], isOnCard: (card: Card) => boolean): Owner[] {
	const owners: Owner[] = []
	const add = (set: string, texts: () => readonly string[], pressed: readonly (Choice | Button)[] = []): void => {
		const choices = pressed.flatMap((each) => plain(each, true))
		const words = () => ({
			words: texts()
				.map((text) => lettered(text.split('\n', 1)[0]))
				.find((line) => line !== undefined),
		})
		if (choices.length > 0) owners.push({ set, words, isOneOfSeveral: false, choices })
	}
	for (const [i, message] of messages.entries()) {
		const set = `messages[${i}]`
		if (message.type === 'text') add(set, () => [message.text, ...(message.alternatives ?? [])], message.buttons)
		else if (message.type === 'choices')
			add(set, () => [message.text ?? textBefore(messages, i) ?? ''], message.choices)
		else if (message.type === 'cards') {
			for (const [n, card] of message.cards.entries()) {
				if (!isOnCard(card)) add(`${set}.cards[${n}]`, () => [card.title], card.buttons)
			}
		}
	}
	return owners
}

/** The text of the message before, if choices take it for their own. */
function textBefore(messages: readonly Message[], i: number): string | undefined {
	const before = messages[i - 1]
	return before?.type === 'text' && !before.buttons ? before.text : undefined
}

function plain(each: Choice | Button, jumps: boolean): PlainChoice[] {
	if ('value' in each) return [{ title: each.title, does: each.value }]
	return 'target' in each && jumps ? [{ title: each.title, does: JSON.stringify(each) }] : []
}

function shortWords(text = ''): string | undefined {
	const line = text.length > 2 * maxWords ? undefined : oneLine(text)
	return line !== undefined && line.length <= maxWords ? line : undefined
}

/** The words in one line, at most as long as part of a label can be. Undefined without a letter or a digit. */
function lettered(text = ''): string | undefined {
	const line = oneLine(shortenText(text.trim(), maxWords))
	return line !== undefined && /[\p{L}\p{N}]/u.test(line) ? line : undefined
}

/** The words in one line, without a colon at the end. Undefined for white space. */
function oneLine(text: string): string | undefined {
	const line = text
		.replace(/\s+/g, ' ')
		.replace(/[:： ]{1,9}$/, '')
		.trim()
	return line === '' ? undefined : line
}
