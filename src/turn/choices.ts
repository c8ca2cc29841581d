/** Choices that a conversation was offered: a label, a value or a number that the user sends back becomes its choice. */
import type { Offer } from '../fit/index.ts'
import { limits } from '../limits.ts'
import type { CanonicalEvent } from '../model/index.ts'
import type { Route } from '../route.ts'
import type { OpenChoices, State } from '../runtime.ts'

/** The open choices after one more reply; undefined when there is nothing to remember. */
export function withReply(open: OpenChoices, offers: readonly Offer[]): OpenChoices | undefined {
	// A reply without choices counts too: a number typed after it is no choice.
	const next = [offers, ...open].slice(0, limits.openReplies.value)
	return next.some((each) => each.length > 0) ? next : undefined
}

/**
 * The key of an event's conversation in the state. Undefined when the event names none. It holds the route, because ids
 * are unique only within one account of a platform.
 */
export function conversationKey({ name }: Route, { conversation }: CanonicalEvent): string | undefined {
	return conversation === undefined ? undefined : `${name} ${conversation}`
}

/** The event as the choice it stands for among those that its conversation has open; else the event as it is. */
export async function recallChoice(
	event: CanonicalEvent,
	conversation: string | undefined,
	state: State,
): Promise<CanonicalEvent> {
	return conversation === undefined ? event : resolveChoice(event, await state.openChoices(conversation))
}

/**
 * The event as a choice, when its words are the value or the label of an open one (shortened, or in full), or the number
 * of one in the newest reply; else the event as it is. The user's words stay in `text`.
 */
export function resolveChoice(event: CanonicalEvent, open: OpenChoices): CanonicalEvent {
	const text = event.choice?.value ?? (event.kind === 'message' ? event.text : undefined)
	if (text === undefined || open.length === 0) return event
	const words: Words = { text, folded: fold(text), number: numberIn(text) }
	const offer = open.map((offers, age) => find(offers, words, age === 0)).find((found) => found !== undefined)
	if (!offer) return event
	const { title, value } = offer.choice
	return { ...event, kind: 'choice', choice: { value, label: title } }
}

function find(offers: readonly Offer[], words: Words, newest: boolean): Offer | undefined {
	const { text, folded, number } = words
	return (
		offers.find(({ value }) => value === text) ??
		offers.find(({ label }) => label === text) ??
		(folded === undefined
			? undefined
			: offers.find(({ label, choice }) => fold(label) === folded || fold(choice.title) === folded)) ??
		(newest && number !== undefined ? offers.find((offer) => offer.number === number) : undefined)
	)
}

/** What came back, in the forms that it is compared in. */
interface Words {
	readonly text: string
	/** Undefined: too long to be a label. */
	readonly folded: string | undefined
	readonly number: number | undefined
}

/**
 * Equal for labels that differ only in case, surrounding blanks, or the joiners that fit inserts. Undefined when the
 * words are too long to be a label.
 */
function fold(words: string): string | undefined {
	if (words.length > limits.comparedLabel.value) return undefined
	return words.replaceAll('\u2060', '').normalize('NFC').trim().toLowerCase()
}

/** `2`, `2.` or `2)`. */
function numberIn(words: string): number | undefined {
	const digits = /^\s*(\d{1,3})[.)]?\s*$/.exec(words)?.[1]
	return digits === undefined ? undefined : Number(digits)
}
