/** Choices that a conversation was offered: a label, a value or a number that the user sends back becomes its choice. */
import { labelKey, type Offer } from '../fit/index.ts'
import { limits } from '../limits.ts'
import type { CanonicalEvent } from '../model/index.ts'
import type { Beginning, OpenChoices, OpenReply, PickedSet, StoredReply } from '../runtime.ts'
import type { Received } from './context.ts'
import { typedNumber } from './typed-number.ts'

/** What to store of the choices of a conversation. */
export interface StoredChoices {
	/** Empty: no choice is open. */
	readonly open: OpenChoices
	/** False: some offers were forgotten because they are too large together. */
	readonly whole: boolean
}

/** The choices to store after one more reply, which may answer a pick. */
export function withReply(
	open: OpenChoices,
	{ turnId, offers }: OpenReply,
	picked: PickedSet | undefined,
): StoredChoices {
	return withStoredReply(open, { turnId, offers: JSON.stringify(offers) }, picked)
}

/** The same for a reply as it is stored. */
export function withStoredReply(open: OpenChoices, newest: StoredReply, picked: PickedSet | undefined): StoredChoices {
	const { turnId } = newest
	const fits = areSmall([newest])
	const added = fits ? newest : { turnId, offers: noOffers }
	// It was added before, and whoever added it did not hear of that.
	if (open[0]?.turnId === turnId && open[0].offers === added.offers) return { open, whole: fits }
	const others = picked ? open.map((each) => withoutSet(each, picked)) : open
	// A reply without choices counts too: a number typed after it is no choice.
	const next = [added, ...others].slice(0, limits.openReplies.value)
	let whole = fits
	while (!areSmall(next)) if (next.pop()?.offers !== noOffers) whole = false
	return { open: next.some(({ offers }) => offers !== noOffers) ? next : [], whole }
}

function offersOf(json: string): readonly Offer[] {
	return JSON.parse(json)
}

function withoutSet(reply: StoredReply, { turnId, set }: PickedSet): StoredReply {
	if (reply.turnId !== turnId) return reply
	return { turnId, offers: JSON.stringify(offersOf(reply.offers).filter((offer) => offer.set !== set)) }
}

const noOffers = '[]'

const utf8 = new TextEncoder()

function areSmall(replies: readonly StoredReply[]): boolean {
	const [units, max] = [replies.reduce((sum, { offers }) => sum + offers.length, 0), limits.openChoicesBytes.value]
	// A unit has at most three bytes: the texts are seldom so long that they have to be encoded.
	if (units * 3 <= max) return true
	return units <= max && utf8.encode(replies.map(({ offers }) => offers).join('')).byteLength <= max
}

/** What a turn asks of the choices that its conversation has open: an event may pick one of them, and a start closes all. */
export function choicesAskedFor({ event, conversation, leg }: Received): Beginning['choices'] {
	if (conversation === undefined) return undefined
	// Another call, whose answer is read, may have begun the same conversation, and have offered choices since.
	if (event.kind === 'start') return leg && 'close'
	return isPick(event) ? 'read' : undefined
}

/**
 * What was received as the choice it stands for among those that its conversation has open. It is not asked for a
 * repeated call: the first of the two may have closed the set that both pick from.
 */
export function recallChoice(received: Received, open: OpenChoices): Received {
	const resolved = resolveChoice(received.event, open)
	return resolved ? { ...received, ...resolved, leg: received.platform.adapter.reply(resolved.event) } : received
}

function isPick({ kind, text, choice }: CanonicalEvent): boolean {
	return choice !== undefined || (kind === 'message' && text !== undefined)
}

/** An event as the choice it stands for, and the set which that choice is of. */
interface ResolvedChoice {
	readonly event: CanonicalEvent
	readonly picked: PickedSet
}

/**
 * The event as the open choice it stands for; undefined when it stands for none. What may have been typed, a label or a
 * number, counts against the newest reply alone. A press that the platform reports, and a value that comes back, may
 * reach an older reply. The user's words stay in `text`.
 */
export function resolveChoice(event: CanonicalEvent, open: OpenChoices): ResolvedChoice | undefined {
	const words = event.choice?.value ?? (isPick(event) ? event.text : undefined)
	if (words === undefined || open.length === 0) return undefined
	const found = event.choice ? findPressed(words, open) : findSaid(words, open)
	if (!found) return undefined
	const { turnId, offer } = found
	const { title, value } = offer.choice
	return {
		event: { ...event, kind: 'choice', choice: { value, label: title } },
		picked: { turnId, set: offer.set },
	}
}

interface Found {
	readonly turnId: string
	readonly offer: Offer
}

/** The choice of a press that the platform reports: the newest with the value or label that came back. */
function findPressed(words: string, open: OpenChoices): Found | undefined {
	for (const reply of open) {
		const found = findIn(reply, (offers) => pressed(offers, words) ?? withLabel(offers, words))
		if (found) return found
	}
	return undefined
}

/** The choice that a text stands for, where pressed and typed words arrive alike. */
function findSaid(words: string, [newest, ...older]: OpenChoices): Found | undefined {
	if (!newest) return undefined
	const number = typedNumber(words)
	const said = number === undefined && !mayHold(newest, words) ? undefined : findTyped(words, number, newest)
	// A bare number, or a value that reads like its label, may be a typed answer to a newer question.
	if (said || number !== undefined || older.length === 0) return said
	// Where no value is the same, which is nearly always so, nothing needs to be parsed. Without the quotation mark in front,
	// which is everywhere, the search is faster.
	const end = JSON.stringify(words).slice(1)
	for (const reply of older) {
		const found = reply.offers.includes(end) ? findIn(reply, (offers) => withValue(offers, words)) : undefined
		if (found) return found
	}
	return undefined
}

/** JSON of offers whose labels are compared by their letters, whatever their case, and by their blanks. */
const plainOffers = /^[^&\\\x7f-\uffff]*$/

/** False: no offer of a reply has these words, as is the case nearly always. Nothing is parsed to see that. */
function mayHold({ offers }: StoredReply, words: string): boolean {
	const key = labelKey(words)
	if (key === undefined || !plainOffers.test(offers)) return true
	const [first = ''] = key.split(' ', 1)
	return offers.toLowerCase().includes(first)
}

function findTyped(words: string, number: number | undefined, newest: StoredReply): Found | undefined {
	return findIn(newest, (offers) => {
		return (
			pressed(offers, words) ??
			withLabel(offers, words) ??
			(number === undefined ? undefined : offers.find((offer) => offer.number === number))
		)
	})
}

function findIn(
	{ turnId, offers }: StoredReply,
	find: (offers: readonly Offer[]) => Offer | undefined,
): Found | undefined {
	const offer = offers === noOffers ? undefined : find(offersOf(offers))
	return offer && { turnId, offer }
}

/** The offer of this value, if it is none that people type. */
function withValue(offers: readonly Offer[], words: string): Offer | undefined {
	const offer = offers.find(({ value }) => value === words)
	return offer && isTypeable(offer, words) ? undefined : offer
}

/** The offer whose press sends this back. */
function pressed(offers: readonly Offer[], words: string): Offer | undefined {
	return offers.find(({ value, label }) => (value ?? label) === words)
}

/** The offer of this label, as it was sent or in full, in any case; none when several that do different things have it. */
function withLabel(offers: readonly Offer[], words: string): Offer | undefined {
	const key = labelKey(words)
	return (
		onlyOne(offers.filter(({ label }) => label === words)) ??
		(key === undefined ? undefined : onlyOne(offers.filter((offer) => reads(offer, key))))
	)
}

function isTypeable(offer: Offer, words: string): boolean {
	return offer.label === words || offer.choice.title === words || reads(offer, labelKey(words))
}

function reads({ label, choice }: Offer, key: string | undefined): boolean {
	return key !== undefined && (labelKey(label) === key || labelKey(choice.title) === key)
}

/** The first, if all others do the same. */
function onlyOne(offers: readonly Offer[]): Offer | undefined {
	const [first, ...others] = offers
	return others.every(({ choice }) => choice.value === first?.choice.value) ? first : undefined
}
