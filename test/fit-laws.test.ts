/** Fit under the laws on random formats: whatever a format lacks, no word is lost in silence. */
import fc from 'fast-check'
import * as v from 'valibot'
import { test } from 'vitest'
import { fitEvent, fitReply } from '../src/fit/index.ts'
import { jsonRequest, jsonResponse, type Limit } from '../src/format/index.ts'
import {
	CanonicalEvent,
	CanonicalReply,
	type EventFeature,
	eventFeatures,
	type ReplyFeature,
	replyFeatures,
} from '../src/model/index.ts'
import { canonicalEvents, canonicalReplies } from './arbitraries.ts'
import * as laws from './laws.ts'

const numRuns = Number(process.env.LAW_RUNS) || 400
const timeout = 60_000 + numRuns * 200
const context = { turnId: 'turn-1', receivedAt: '2026-01-02T03:04:05.000Z' }

const textsFirst: Limit['order'] = [['text'], ['buttons', 'image', 'video', 'audio', 'file', 'cards'], ['choices']]
const textsAndMediaFirst: Limit['order'] = [
	['text', 'image', 'video', 'audio', 'file'],
	['buttons', 'cards'],
	['choices'],
]

/** Limits that a feature of that name can have. */
function limitOf(feature: ReplyFeature | EventFeature): fc.Arbitrary<Limit> {
	const chars = fc.constantFrom(20, 80, 640)
	const items = fc.constantFrom(1, 2, 3, 13)
	const required = fc.constant(true as const)
	const markup = fc.constantFrom('::(?=next::)', '\\\\(?=\\w)')
	const limit = (parts: { readonly [part in keyof Limit]: fc.Arbitrary<Limit[part]> }): fc.Arbitrary<Limit> =>
		fc.record(parts, { requiredKeys: [] })
	switch (feature) {
		case 'reply':
			return limit({ bytes: fc.constantFrom(600, 4000) })
		case 'reply.text':
			return limit({ chars, escape: markup, required, pattern: fc.constant('.*\\S.*') })
		case 'reply.messages':
			return limit({
				items: fc.constantFrom(3, 20),
				single: required,
				order: fc.constantFrom(textsFirst, textsAndMediaFirst),
			})
		case 'reply.text.alternatives':
			return limit({ items, plain: required })
		case 'reply.text.buttons':
			return limit({ items, chars })
		case 'reply.choices':
			return limit({ items })
		case 'reply.choices.text':
			return limit({ chars, required })
		case 'reply.cards':
			return limit({ items })
		case 'reply.card.buttons':
			return limit({ items, required })
		case 'reply.card.subtitle':
		case 'reply.card.image':
			return limit({ chars, required })
		case 'reply.card.title':
		case 'reply.choice.title':
		case 'reply.choice.value':
		case 'reply.button.title':
		case 'reply.image.alt':
		case 'reply.media.name':
			return limit({ chars, escape: markup })
		case 'reply.button.webview.height':
			return limit({ required })
		case 'reply.button.postback':
		case 'reply.button.link':
		case 'reply.button.webview':
		case 'reply.button.goto':
		case 'reply.choice.goto':
			return limit({ chars, pattern: fc.constant('^[a-z0-9]+$') })
		case 'reply.delay':
			return limit({ min: fc.constant(100), max: fc.constant(10_000), required })
		case 'reply.attributes.session':
		case 'event.attributes':
		case 'event.user.attributes':
		case 'event.trigger.parameters':
			return limit({ strings: required, chars, reserved: fc.constant(['message']) })
		case 'event.kind':
			return fc.record({ values: fc.constantFrom(['message'], ['message', 'start']), required })
		case 'event.id':
		case 'event.occurredAt':
		case 'event.conversation':
		case 'event.user.id':
			return limit({ required })
		default:
			return fc.constant({})
	}
}

/** Formats that have these features for certain: some have anything else, most lack or limit very little. */
function formats<F extends ReplyFeature | EventFeature>(features: readonly F[], always: readonly F[]) {
	const limits = Object.fromEntries(features.map((feature) => [feature, limitOf(feature)]))
	const any = fc.record(limits, { requiredKeys: [...always] })
	const nearlyAll = fc
		.record({
			limits: fc.record(limits),
			limited: fc.subarray([...features], { maxLength: 3 }),
			lacking: fc.subarray(
				features.filter((feature) => !always.includes(feature)),
				{ maxLength: 2 },
			),
		})
		.map(({ limits, limited, lacking }) => {
			const carried = features.filter((feature) => !lacking.includes(feature))
			return Object.fromEntries(carried.map((feature) => [feature, limited.includes(feature) ? limits[feature] : {}]))
		})
	return fc.oneof(any, nearlyAll).map((format): { [feature in F]?: Limit } => format as { [feature in F]?: Limit })
}

const replies = formats(
	// Only our own JSON hands on the words for elsewhere, and it has no limits.
	replyFeatures.filter((feature) => feature !== 'reply.instead'),
	['reply.text', 'reply.choice.title', 'reply.choice.value', 'reply.card.title', 'reply.button.title'],
).filter(({ 'reply.messages': messages, ...carries }) => {
	// What is moved behind other messages is a whole, not the end of a text that was cut.
	if (messages?.single && carries['reply.choices.text']) return false
	// Texts that the format itself asks for come without a delay.
	if (carries['reply.delay']?.required && (messages?.single || carries['reply.text']?.required)) return false
	const cut = ['reply.text', 'reply.text.buttons', 'reply.choices.text'] as const
	return !messages?.order || cut.every((feature) => carries[feature]?.chars === undefined)
})
const events = formats(
	eventFeatures.filter((feature) => feature !== 'event'),
	['event.kind'],
)

const native = { name: 'here', schema: v.strictObject({ flag: v.boolean() }) }
const nothing = { session: {}, user: {} }
const anyReply = canonicalReplies({ name: 'here', natives: [native] })
// Of few parts, so that one change is often the only one.
const fewParts = anyReply.map(
	({ messages }): CanonicalReply => ({ messages: messages.slice(0, 2), attributes: nothing }),
)
const twoParts = anyReply.map(({ attributes, overrides }) => ({
	messages: [],
	attributes,
	...(overrides && { overrides }),
}))
const someReply = fc.oneof(anyReply, fewParts, twoParts)

const fitLaws = [
	['is idempotent', laws.idempotence],
	['changes nothing in silence', laws.within],
	['conserves what is said', laws.conservation],
	['parts no grapheme', laws.graphemes],
] as const

test.each(fitLaws)('fit %s, of replies', { timeout }, (_name, law) => {
	// Where choices are remembered, the label that comes back in the place of a value is no change.
	const remembers = law === laws.within ? fc.constant(false) : fc.boolean()
	const property = fc.property(replies, someReply, remembers, (carries, x, remembers) => {
		const leg = { carries, native, decode: unused, encode: (reply: CanonicalReply) => jsonResponse(reply) }
		law(
			{ name: 'reply', leg, fit: (reply) => fitReply(reply, leg, { ...context, remembers }), model: CanonicalReply },
			x,
		)
	})
	fc.assert(property, { numRuns, includeErrorInReport: true })
})

test.each(fitLaws)('fit %s, of events', { timeout }, (_name, law) => {
	const property = fc.property(events, canonicalEvents(), (carries, x) => {
		const leg = { carries, decode: unused, encode: (event: CanonicalEvent) => jsonRequest(event) }
		law({ name: 'event', leg, fit: (event) => fitEvent(event, leg, context), model: CanonicalEvent }, x)
	})
	fc.assert(property, { numRuns, includeErrorInReport: true })
})

function unused(): never {
	throw new Error('not used')
}
