/** The canonical model: what an event and a reply are, whichever platform they come from or go to. */
import * as v from 'valibot'
import type { Change, ReplyFeature } from './features.ts'

/** Any JSON value. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

/** Author-named values: keys may hold blanks, hyphens and any case; values are any JSON. */
export type Attributes = { readonly [key: string]: Json }

/** Keys that JavaScript gives a meaning of its own: refused in every object, at every depth. */
export const hostileKeys: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype'])

/** The path of the first hostile key in a JSON value, or undefined. */
export function findHostileKey(
	value: unknown,
	path: readonly (string | number)[] = [],
): readonly (string | number)[] | undefined {
	if (typeof value !== 'object' || value === null) return undefined
	for (const key of Object.keys(value)) {
		const here = [...path, Array.isArray(value) ? Number(key) : key]
		if (hostileKeys.has(key)) return here
		const deeper = findHostileKey((value as { [key: string]: unknown })[key], here)
		if (deeper) return deeper
	}
	return undefined
}

function isJson(value: unknown): value is Json {
	if (value === null || typeof value === 'string' || typeof value === 'boolean') return true
	if (typeof value === 'number') return Number.isFinite(value)
	if (Array.isArray(value)) return value.every(isJson)
	return isObject(value) && Object.values(value).every(isJson)
}

function isObject(value: unknown): value is { [key: string]: unknown } {
	if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
	const prototype = Object.getPrototypeOf(value)
	return prototype === Object.prototype || prototype === null
}

// Not v.record: it drops `__proto__`, `prototype` and `constructor` without a word.
export const Json = v.custom<Json>(
	(value) => isJson(value) && !findHostileKey(value),
	'must be a JSON value without hostile keys',
)
export const Attributes = v.custom<Attributes>(
	(value) => isObject(value) && isJson(value) && !findHostileKey(value),
	'must be an object of JSON values without hostile keys',
)
/** JSON values by adapter name. */
const Named = v.custom<{ readonly [adapter: string]: Json }>(
	(value) => isObject(value) && isJson(value) && !findHostileKey(value) && Object.keys(value).length > 0,
	'must be an object of JSON values by adapter name',
)

/** A string that says something: absent is the one way to say nothing. */
const Said = v.pipe(v.string(), v.nonEmpty())
const Count = v.pipe(v.number(), v.integer(), v.minValue(0))
const some = <S extends v.GenericSchema>(item: S) => v.pipe(v.array(item), v.nonEmpty())
const something = <T extends object>() =>
	v.check<T, string>((value) => Object.keys(value).length > 0, 'must have at least one member')
const SomeAttributes = v.pipe(Attributes, something())

export const Button = v.variant('type', [
	v.strictObject({ type: v.literal('postback'), title: Said, value: Said }),
	v.strictObject({ type: v.literal('link'), title: Said, url: Said }),
	v.strictObject({
		type: v.literal('webview'),
		title: Said,
		url: Said,
		height: v.optional(v.picklist(['compact', 'tall', 'full'])),
	}),
	v.strictObject({ type: v.literal('phone'), title: Said, number: Said }),
	v.strictObject({ type: v.literal('goto'), title: Said, target: Said }),
])
/** What the user can press: a value sent back, a page, a page inside the chat, a call, or a jump in the bot's flow. */
export type Button = v.InferOutput<typeof Button>

export const Choice = v.union([
	v.strictObject({ title: Said, value: Said }),
	v.strictObject({ title: Said, target: Said }),
])
/** One option of a set: `value` comes back as a choice event, `target` jumps in the bot's flow. */
export type Choice = v.InferOutput<typeof Choice>

export const Card = v.strictObject({
	title: Said,
	subtitle: v.optional(Said),
	imageUrl: v.optional(Said),
	url: v.optional(Said),
	buttons: v.optional(some(Button)),
})
export type Card = v.InferOutput<typeof Card>

/** `delay`: milliseconds before it is shown. `instead`: the author's own words where the element cannot be shown. */
const common = { delay: v.optional(Count), instead: v.optional(Said) }
const file = { ...common, url: Said, name: v.optional(Said), mimeType: v.optional(Said) }

export const Message = v.variant('type', [
	v.strictObject({
		...common,
		type: v.literal('text'),
		text: Said,
		alternatives: v.optional(some(Said)),
		buttons: v.optional(some(Button)),
	}),
	v.strictObject({ ...common, type: v.literal('image'), url: Said, alt: v.optional(Said) }),
	v.strictObject({ ...file, type: v.literal('video') }),
	v.strictObject({ ...file, type: v.literal('audio') }),
	v.strictObject({ ...file, type: v.literal('file') }),
	v.strictObject({ ...common, type: v.literal('choices'), text: v.optional(Said), choices: some(Choice) }),
	v.strictObject({ ...common, type: v.literal('cards'), cards: some(Card) }),
])
/** One thing the bot says. `alternatives` of a text: others the platform may pick instead, at random. */
export type Message = v.InferOutput<typeof Message>

export const CanonicalEvent = v.strictObject({
	id: v.optional(Said),
	kind: v.picklist(['message', 'choice', 'start', 'notice']),
	occurredAt: v.optional(v.pipe(v.string(), v.isoTimestamp())),
	channel: v.optional(Said),
	sender: v.optional(v.picklist(['user', 'bot', 'agent', 'system', 'unknown'])),
	bot: v.optional(
		v.pipe(v.strictObject({ id: v.optional(Said), name: v.optional(Said), project: v.optional(Said) }), something()),
	),
	conversation: v.optional(Said),
	user: v.optional(
		v.pipe(
			v.strictObject({
				id: v.optional(Said),
				externalId: v.optional(Said),
				name: v.optional(Said),
				email: v.optional(Said),
				phone: v.optional(Said),
				attributes: Attributes,
			}),
			v.check(
				(user) => Object.keys(user).length > 1 || Object.keys(user.attributes).length > 0,
				'must have at least one member beside empty attributes',
			),
		),
	),
	language: v.optional(Said),
	text: v.optional(Said),
	choice: v.optional(v.strictObject({ value: Said, label: v.optional(Said) })),
	media: v.optional(
		some(
			v.strictObject({
				kind: v.picklist(['image', 'video', 'audio', 'file']),
				url: Said,
				name: v.optional(Said),
				mimeType: v.optional(Said),
				width: v.optional(Count),
				height: v.optional(Count),
			}),
		),
	),
	trigger: v.optional(
		v.strictObject({
			kind: v.picklist(['interaction', 'block', 'intent', 'module', 'webhook']),
			id: v.optional(Said),
			name: v.optional(Said),
			action: v.optional(Said),
			confidence: v.optional(v.pipe(v.number(), v.finite())),
			parameters: v.optional(SomeAttributes),
		}),
	),
	attributes: Attributes,
	contexts: v.optional(
		some(
			v.pipe(
				v.strictObject({
					id: v.optional(Said),
					name: v.optional(Said),
					action: v.optional(Said),
					parameters: v.optional(SomeAttributes),
				}),
				something(),
			),
		),
	),
	defaultReply: v.optional(some(Message)),
	extensions: v.optional(Named),
})
/** What happened on a platform, from the user to the bot. Every field's meaning: docs/canonical-model.md. */
export type CanonicalEvent = v.InferOutput<typeof CanonicalEvent>

const Control = v.pipe(
	v.strictObject({
		close: v.optional(v.literal(true)),
		handover: v.optional(
			v.strictObject({ to: v.picklist(['human', 'department', 'bot']), name: v.optional(Said), id: v.optional(Said) }),
		),
		goto: v.optional(Said),
		blockInput: v.optional(v.literal(true)),
		participants: v.optional(
			v.pipe(v.strictObject({ add: v.optional(some(Said)), remove: v.optional(some(Said)) }), something()),
		),
		tags: v.optional(some(Said)),
	}),
	something(),
)

export const CanonicalReply = v.strictObject({
	messages: v.array(Message),
	attributes: v.strictObject({ session: Attributes, user: Attributes }),
	control: v.optional(Control),
	overrides: v.optional(Named),
})
/** What the bot answers: messages, attributes to write back (null deletes), and what becomes of the conversation. */
export type CanonicalReply = v.InferOutput<typeof CanonicalReply>

/** The reply that says and changes nothing. */
export const silence: CanonicalReply = { messages: [], attributes: { session: {}, user: {} } }

/** What the gateway tells the upstream about the turn, beside the event. */
export interface Turn {
	/** Minted by the gateway, the same over retries. */
	readonly id: string
	/** The route's name; its path may hold secrets. */
	readonly route: string
	/** The adapter that took the call. */
	readonly platform: string
	/** RFC 3339. */
	readonly receivedAt: string
	/** Whether and how an answer can reach the user. */
	readonly answer: 'now' | 'push' | 'never'
	/** RFC 3339: when the answer must have left the gateway. Absent: nobody waits. */
	readonly answerBy?: string
	/** Names of the reply features that the platform carries; limits at `/-/carries/<route>`. */
	readonly carries: readonly ReplyFeature[]
	/** What the event lost on its way. */
	readonly changes: readonly Change[]
	/** The platform's call, on routes that ask for it, with secrets redacted. */
	readonly raw?: Json
}
