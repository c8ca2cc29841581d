/** Labels, values and numbers that come back, turned into the choices they stand for. */
import type { Offer } from '../fit/index.ts'
import type { CanonicalEvent } from '../model/index.ts'
import type { Route } from '../route.ts'
import type { OpenChoices, State } from '../runtime.ts'

/** Replies whose choices stay open: a user may still press a button further up. */
export const openReplies = 5

/** The open choices after one more reply; undefined when there is nothing to remember. */
export function withReply(open: OpenChoices, offers: readonly Offer[]): OpenChoices | undefined {
	// A reply without choices counts too: a number typed after it means nothing but itself.
	const next = [offers, ...open].slice(0, openReplies)
	return next.some((each) => each.length > 0) ? next : undefined
}

/**
 * What an event's conversation is remembered by. Undefined when the event names none. Conversation ids are the
 * platform's, and two routes may belong to two of its accounts.
 */
export function conversationKey({ name }: Route, { conversation }: CanonicalEvent): string | undefined {
	return conversation === undefined ? undefined : `${name} ${conversation}`
}

/** The event, with a label, a value or a number that comes back turned into the choice it stood for in its conversation. */
export async function recallChoice(
	event: CanonicalEvent,
	conversation: string | undefined,
	state: State,
): Promise<CanonicalEvent> {
	return conversation === undefined ? event : resolveChoice(event, await state.openChoices(conversation))
}

/**
 * The event as a choice, when its words are the value or the label of one that is open (shortened, or in full), or the number of one in the
 * newest reply; else the event as it is. The user's words stay in `text`.
 */
export function resolveChoice(event: CanonicalEvent, open: OpenChoices): CanonicalEvent {
	const words = event.choice?.value ?? (event.kind === 'message' ? event.text : undefined)
	if (words === undefined) return event
	const offer = open.map((offers, age) => find(offers, words, age === 0)).find((found) => found !== undefined)
	if (!offer) return event
	const { title, value } = offer.choice
	return { ...event, kind: 'choice', choice: { value, label: title } }
}

function find(offers: readonly Offer[], words: string, newest: boolean): Offer | undefined {
	const folded = fold(words)
	const number = newest ? numberIn(words) : undefined
	return (
		offers.find(({ value }) => value === words) ??
		offers.find(({ label, choice }) => fold(label) === folded || fold(choice.title) === folded) ??
		offers.find((offer) => number !== undefined && offer.number === number)
	)
}

/** As people type and platforms echo: in any case, with blanks around, without the joiners that fit puts in. */
function fold(words: string): string {
	return words.replaceAll('\u2060', '').normalize('NFC').trim().toLowerCase()
}

/** `2`, `2.` or `2)`. */
function numberIn(words: string): number | undefined {
	const digits = /^\s*(\d{1,3})[.)]?\s*$/.exec(words)?.[1]
	return digits === undefined ? undefined : Number(digits)
}
