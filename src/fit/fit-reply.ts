/** A reply in a format's normal form. */
import {
	compact,
	kindOf,
	type Leg,
	type MessageKind,
	matches,
	type PushCall,
	type WireResponse,
} from '../format/index.ts'
import { limits } from '../limits.ts'
import type { Button, CanonicalReply, Change, Choice, Json, Message } from '../model/index.ts'
import { fitWriteBack, suffix } from './attributes.ts'
import { isWhole } from './cards.ts'
import { nameButtons, nameChoices, type PlacedChoice } from './choice-names.ts'
import { numberChoices, returnedValues } from './choices.ts'
import { type Fitting, newFitting, note } from './context.ts'
import { fitControl } from './control.ts'
import { fitMessages, withDelay } from './messages.ts'
import { phrases } from './phrases.ts'
import { refine } from './refine.ts'
import { plainTexts } from './texts.ts'
import type { FitContext, Fitted, Offer } from './types.ts'
import { wellFormed } from './well-formed.ts'

type Choices = Extract<Message, { type: 'choices' }>

/** The leg of a reply, whatever brings it to the platform; fit decodes nothing. */
type AnyReplyLeg = Omit<Leg<WireResponse | readonly PushCall[], CanonicalReply>, 'decode'>

/** The reply as the format can hold it, what was done to it, and the choices it offers. */
export function fitReply(reply: CanonicalReply, leg: AnyReplyLeg, context: FitContext): Fitted<CanonicalReply> {
	const changes: Change[] = []
	const clean = wellFormed({ changes }, 'reply', reply)
	const fitting = newFitting(leg, context, changes, {
		nameChoice: nameChoices(leg.carries, clean.messages),
		nameButton: nameButtons(leg.carries, clean.messages, (card) => isWhole(leg, card)),
		values: returnedValues(leg, clean.messages),
		isForeign: isForeign(leg, context),
	})
	const control = clean.control && fitControl(fitting, clean.control)
	const overrides = clean.overrides && fitOverrides(fitting, leg, clean.overrides)
	const messages = fitMessages(fitting, clean.messages, 'messages')
	const plain: CanonicalReply = {
		messages: arrange(fitting, messages),
		attributes: fitWriteBack(fitting, clean.attributes),
	}
	const value = control || overrides ? compact<CanonicalReply>({ ...plain, control, overrides }) : plain
	const fitted = fitBytes(fitting, leg, refine(fitting, leg, value), clean.attributes)
	// Of the same list, nothing was cut.
	const offers = fitted.messages === messages ? fitting.offers : standing(fitting.offers, fitted.messages)
	return { value: fitted, changes: fitting.changes, offers }
}

/** Whether an upstream wrote the reply in another format than the platform's. */
function isForeign({ native }: AnyReplyLeg, { decodedFrom }: FitContext): boolean {
	return decodedFrom !== undefined && decodedFrom !== native?.name
}

/** Native parts: those of this format, if they satisfy its schema. Parts for other formats are lost only if an upstream of that format wrote them. */
function fitOverrides(
	fitting: Fitting,
	leg: AnyReplyLeg,
	overrides: NonNullable<CanonicalReply['overrides']>,
): CanonicalReply['overrides'] {
	if (fitting.carries['reply.overrides']) return overrides
	const { native } = leg
	const { decodedFrom } = fitting
	if (decodedFrom !== undefined && fitting.isForeign && Object.hasOwn(overrides, decodedFrom)) {
		noteNatives(fitting, overrides[decodedFrom], `overrides${suffix(decodedFrom)}`)
	}
	const own = native && Object.hasOwn(overrides, native.name) ? overrides[native.name] : undefined
	if (!native || own === undefined) return undefined
	if (matches(native.schema, own)) return { [native.name]: own }
	note(fitting, 'dropped', 'reply.overrides', `overrides.${native.name}`, 'does not match the schema of the format')
	return undefined
}

/** Names each native part that the format cannot express: a member, or each item of a list. */
function noteNatives(fitting: Fitting, natives: Json | undefined, path: string): void {
	const parts = typeof natives === 'object' && natives !== null ? Object.entries(natives) : []
	for (const [key, part] of parts) {
		const here = Array.isArray(natives) ? `${path}[${key}]` : path + suffix(key)
		const paths = Array.isArray(part) && part.length > 0 ? part.map((_, i) => `${here}[${i}]`) : [here]
		for (const each of paths) note(fitting, 'dropped', 'reply.overrides', each, 'only its own platform has it')
	}
	if (parts.length === 0) note(fitting, 'dropped', 'reply.overrides', path, 'only its own platform has it')
}

/** The messages in the number and the order that the format has. */
function arrange(fitting: Fitting, messages: Message[]): Message[] {
	const limit = fitting.carries['reply.messages'] ?? {}
	let arranged = limit.single ? withOneSet(fitting, messages) : messages
	const ordered = inOrder(arranged, limit.order)
	if (ordered !== arranged && ordered.some((message, i) => message !== arranged[i]))
		note(fitting, 'converted', 'reply.messages', 'messages', 'reordered')
	arranged = ordered
	if (isTextRequired(fitting) && !arranged.some((message) => isText(fitting, message))) {
		note(fitting, 'added', 'reply.text', 'messages')
		const text = fitting.carries['reply.text']?.default ?? phrases.noWords
		arranged = inOrder([...fitMessages(fitting, [{ type: 'text', text }], 'messages'), ...arranged], limit.order)
	}
	const items = Math.min(limit.items ?? limits.listItems.value, limits.listItems.value)
	if (arranged.length <= items) return arranged
	note(fitting, 'dropped', 'reply.messages', 'messages', `the last ${arranged.length - items}`)
	return firstOf(fitting, arranged, items)
}

/** The first messages, a text among them where the format must have one. */
function firstOf(fitting: Fitting, messages: readonly Message[], count: number): Message[] {
	const first = messages.slice(0, count)
	const isWanted = (message: Message) => isText(fitting, message)
	const text = isTextRequired(fitting) && !first.some(isWanted) ? messages.find(isWanted) : undefined
	return text ? [...first.slice(0, -1), text] : first
}

/** A text with buttons is none where the format has those apart from texts. */
function isText({ carries }: Fitting, message: Message): boolean {
	const texts = carries['reply.messages']?.order?.find((group) => group.includes('text'))
	return message.type === 'text' && (!message.buttons || !texts || texts.includes('buttons'))
}

function isTextRequired({ carries }: Fitting): boolean {
	const { required, default: text } = carries['reply.text'] ?? {}
	return required === true || text !== undefined
}

type Order = readonly (readonly MessageKind[])[]

function inOrder(messages: Message[], order: Order | undefined): Message[] {
	if (!order) return messages
	const rank = (kind: MessageKind): number => order.findIndex((group) => group.includes(kind))
	return messages.toSorted((a, b) => rank(kindOf(a)) - rank(kindOf(b)))
}

/** All choices in one set at the end, or as numbered text when they are more than a set holds. */
function withOneSet(fitting: Fitting, messages: Message[]): Message[] {
	const sets = messages.filter((message) => message.type === 'choices')
	const last = sets.at(-1)
	if (!last) return messages
	const choices = sets.flatMap((set) => set.choices)
	if (sets.length > 1) note(fitting, 'merged', 'reply.choices', 'messages')
	const others = messages.flatMap((message): Message[] => {
		if (message.type !== 'choices') return [message]
		const { text, delay } = message
		return text === undefined || message === last ? [] : [{ type: 'text', text, ...(delay !== undefined && { delay }) }]
	})
	const { items = limits.listItems.value } = fitting.carries['reply.choices'] ?? {}
	if (choices.length <= items) {
		if (last !== messages.at(-1)) note(fitting, 'converted', 'reply.messages', 'messages', 'reordered')
		return [...others, { ...last, choices }]
	}
	note(fitting, 'converted', 'reply.choices', 'messages', 'to numbered text')
	const lines = numberChoices(fitting, takeBack(fitting, choices), false)
	const words = [...(last.text === undefined ? [] : [last.text]), ...lines].join('\n')
	if (words === '') return others
	return [...others, ...withDelay(fitting, plainTexts(fitting, words, 'messages'), last.delay, 'messages')]
}

/** The choices as the upstream gave them, their offers and labels withdrawn. */
function takeBack({ offers, labels, oneSet }: Fitting, choices: Choices['choices']): PlacedChoice[] {
	const given = choices.map((choice) => oneSet?.placed.get(choice) ?? { choice, path: 'messages', set: 'messages' })
	const withdrawn = new Set(given.map(({ offer }) => offer))
	offers.splice(0, offers.length, ...offers.filter((offer) => !withdrawn.has(offer)))
	labels.taken = undefined
	labels.lastNumbers = undefined
	return given
}

/** The offers whose labels are still there after all cuts: nobody can take what nobody saw. */
function standing(offers: readonly Offer[], messages: readonly Message[]): Offer[] {
	const seen = new Set<string>()
	const see = (labelled: readonly (Button | Choice)[] | undefined): void => {
		if (labelled) for (const { title } of labelled) seen.add(title)
	}
	for (const message of messages) {
		if (message.type === 'choices') see(message.choices)
		else if (message.type === 'text') see(message.buttons)
		else if (message.type === 'cards') for (const { buttons } of message.cards) see(buttons)
	}
	// A numbered choice is a line of text, wherever that was cut.
	return offers.filter(({ label, number }) => number !== undefined || seen.has(label))
}

/** Within the bytes that the format takes: native parts go first, then messages from the end, then attributes. Measured as encoded. */
function fitBytes(
	fitting: Fitting,
	leg: AnyReplyLeg,
	reply: CanonicalReply,
	given: CanonicalReply['attributes'],
): CanonicalReply {
	const most = fitting.carries.reply?.bytes
	if (most === undefined || isSurelyWithin(reply, most)) return reply
	const spare = (value: CanonicalReply): number => {
		const encoded = leg.encode(value)
		const body = 'body' in encoded ? encoded.body : encoded.map((call) => call.body).join('')
		return most - (body.length > most ? body.length : utf8Length(body))
	}
	if (spare(reply) >= 0) return reply
	let fitted = reply
	if (fitted.overrides) {
		note(fitting, 'dropped', 'reply', 'overrides', 'over the size limit')
		fitted = compact({ ...fitted, overrides: undefined })
		if (spare(fitted) >= 0) return fitted
	}
	const { messages } = fitted
	const withMessages = (count: number): CanonicalReply => ({ ...fitted, messages: firstOf(fitting, messages, count) })
	const remaining = largest(messages, isTextRequired(fitting) ? 1 : 0, (count) => spare(withMessages(count)))
	if (remaining.count < messages.length) {
		note(fitting, 'dropped', 'reply', 'messages', `the last ${messages.length - remaining.count}, over the size limit`)
		fitted = withMessages(remaining.count)
	}
	let { fits } = remaining
	for (const scope of ['user', 'session'] as const) {
		if (fits) return fitted
		const entries = Object.entries(fitted.attributes[scope])
		if (entries.length === 0) continue
		const first = (count: number): CanonicalReply => ({
			...fitted,
			attributes: { ...fitted.attributes, [scope]: Object.fromEntries(entries.slice(0, count)) },
		})
		const kept = largest(entries, 0, (count) => spare(first(count)))
		const gone = entries.slice(kept.count).map(([key]) => key)
		const own = gone.filter((key) => Object.hasOwn(given[scope], key))
		noteGone(`attributes.${scope}`, own.length)
		// The user's, folded into the session.
		noteGone('attributes.user', gone.length - own.length)
		fitted = first(kept.count)
		fits = kept.fits
	}
	return fitted

	function noteGone(path: string, count: number): void {
		if (count > 0) note(fitting, 'dropped', 'reply', path, `the last ${count}, over the size limit`)
	}
}

/**
 * How many of the items fit, from the first on: `least` when not even so few do. `spare` measures, which is slow for many:
 * the bytes that a number of them leaves, negative when they are over.
 */
function largest(
	items: readonly unknown[],
	least: number,
	spare: (count: number) => number,
): { readonly count: number; readonly fits: boolean } {
	const room = spare(least)
	if (room < 0) return { count: least, fits: false }
	// The first guess is about right, and not so large that to measure it would be slow.
	let guess = least
	for (let bytes = 0; guess < items.length && bytes <= room; guess++) bytes += utf8Length(JSON.stringify(items[guess]))
	let [low, high] = [least, items.length]
	for (let step = 1; low < high; step *= 2) {
		const count = Math.min(Math.max(guess, low + 1), high)
		if (spare(count) >= 0) {
			low = count
			guess = count + step
		} else {
			high = count - 1
			guess = Math.max(count - step, Math.ceil((low + high) / 2))
		}
	}
	return { count: low, fits: true }
}

/** A cheap answer for nearly every reply: no text of JSON is longer than six bytes a unit, and more for what formats add. */
function isSurelyWithin(reply: CanonicalReply, bytes: number): boolean {
	return unitsOf(reply) * 6 < bytes
}

/** At least the UTF-16 units of a value as JSON, if nothing is escaped. */
function unitsOf(value: unknown): number {
	if (typeof value === 'string') return value.length + 3
	// No number, and none of the other words, is longer.
	if (typeof value !== 'object' || value === null) return 26
	let units = 3
	if (Array.isArray(value)) {
		for (const item of value) units += unitsOf(item)
		return units
	}
	for (const key in value) units += key.length + 3 + unitsOf(value[key as keyof typeof value])
	return units
}

const encoder = new TextEncoder()

function utf8Length(text: string): number {
	return encoder.encode(text).length
}
