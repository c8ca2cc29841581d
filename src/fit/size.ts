/** A reply within the size in bytes that a format takes. */
import { compact, type Leg, type PushCall, type WireResponse } from '../format/index.ts'
import type { CanonicalReply } from '../model/index.ts'
import { type Fitting, note } from './context.ts'
import { firstOf, isTextRequired } from './message-order.ts'

type ReplyEncoder = Pick<Leg<WireResponse | readonly PushCall[], CanonicalReply>, 'encode'>

/** Within the bytes that the format takes: native parts go first, then messages from the end, then attributes. Measured as encoded. */
export function fitSize(
	fitting: Fitting,
	leg: ReplyEncoder,
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
