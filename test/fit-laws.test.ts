/** Fit under the laws on random formats: whatever a format lacks, no word is lost in silence. */
import fc from 'fast-check'
import * as v from 'valibot'
import { test } from 'vitest'
import { fitEvent, fitReply } from '../src/fit/index.ts'
import { featureLimits } from '../src/format/carries.ts'
import { type Carries, jsonRequest, jsonResponse, type LimitName, type MessageKind } from '../src/format/index.ts'
import {
	CanonicalEvent,
	CanonicalReply,
	type EventFeature,
	eventFeatures,
	type Feature,
	type ReplyFeature,
	replyFeatures,
} from '../src/model/index.ts'
import { canonicalEvents, canonicalReplies } from './arbitraries.ts'
import { keepsLimits } from './kept-limits.ts'
import * as laws from './laws.ts'

const numRuns = Number(process.env.LAW_RUNS) || 400
const timeout = 60_000 + numRuns * 200
const context = { turnId: 'turn-1', receivedAt: '2026-01-02T03:04:05.000Z' }

const kinds: readonly MessageKind[] = ['text', 'buttons', 'image', 'video', 'audio', 'file', 'cards', 'choices']
/** Every kind of message in one of up to eight groups, in any order. */
const orders = fc
	.tuple(fc.shuffledSubarray([...kinds], { minLength: kinds.length }), fc.subarray([1, 2, 3, 4, 5, 6, 7]))
	.map(([shuffled, cuts]) => [0, ...cuts].map((from, i) => shuffled.slice(from, cuts[i])))
const choicesLast = orders.map((groups) => [
	...groups.map((group) => group.filter((kind) => kind !== 'choices')),
	['choices'],
])

/** Random values of each limit. */
const limitValues: { readonly [L in LimitName]: (feature: Feature) => fc.Arbitrary<unknown> } = {
	chars: () => fc.constantFrom(20, 80, 640),
	bytes: () => fc.constantFrom(600, 4000),
	items: () => fc.constantFrom(1, 2, 3, 13),
	min: () => fc.constant(100),
	max: () => fc.constant(10_000),
	pattern: () => fc.constantFrom('^[a-z0-9]+$', '\\S'),
	notBlank: () => fc.constant(true),
	escape: () => fc.constantFrom('::(?=next::)', '\\\\(?=\\w)'),
	blanks: () => fc.constant('encoded'),
	values: (feature) => fc.shuffledSubarray(valuesOf(feature), { minLength: 1 }),
	reserved: () => fc.constantFrom(['message'], ['turn']),
	strings: () => fc.constant(true),
	required: () => fc.constant(true),
	default: (feature) => fc.constant(feature === 'reply.delay' ? 100 : 'd0'),
	withoutButtons: () => fc.constant(true),
	apart: () => fc.constant(true),
	fromName: () => fc.constant(true),
	foldedInto: () => fc.constant('session'),
	order: () => orders,
	single: () => fc.constant(true),
}

function valuesOf(feature: Feature): string[] {
	switch (feature) {
		case 'event.kind':
			return ['message', 'choice', 'start', 'notice']
		case 'event.sender':
			return ['user', 'bot', 'unknown']
		case 'event.media':
			return ['image', 'video', 'audio', 'file']
		case 'reply.control.handover':
			return ['human', 'department', 'bot']
		case 'reply.button.webview.height':
			return ['compact', 'tall']
		default:
			return ['block', 'intent']
	}
}

/** What a schema of limits says of their names. */
interface Form {
	readonly entries: { readonly [name: string]: { readonly type: string } }
}

/** Limits that a feature can have: those which compile. */
function limitOf(feature: Feature): fc.Arbitrary<object> {
	const schema: Form | { readonly options: readonly Form[] } = featureLimits[feature]
	const forms = 'options' in schema ? schema.options : [schema]
	return fc.oneof(...forms.map((form) => limitOfForm(feature, form)))
}

function limitOfForm(feature: Feature, { entries }: Form): fc.Arbitrary<object> {
	const values = Object.fromEntries(
		Object.entries(limitValues)
			.filter(([name]) => Object.hasOwn(entries, name))
			.map(([name, of]) => [name, name === 'order' && Object.hasOwn(entries, 'single') ? choicesLast : of(feature)]),
	)
	return fc.record(values, {
		requiredKeys: Object.keys(values).filter((name) => entries[name]?.type !== 'optional'),
	})
}

/** Formats that have these features for certain: some have anything else, most lack or limit very little. */
function formats<F extends Feature>(features: readonly F[], always: readonly F[]) {
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
	return fc.oneof(any, nearlyAll)
}

const replies = formats<ReplyFeature>(
	// Only our own JSON hands on the words for elsewhere, and it has no limits.
	replyFeatures.filter((feature) => feature !== 'reply.instead'),
	['reply.text', 'reply.choice.title', 'reply.choice.value', 'reply.card.title', 'reply.button.title'],
).map((format): Carries<CanonicalReply> => format)
const events = formats<EventFeature>(
	eventFeatures.filter((feature) => feature !== 'event'),
	['event.kind'],
).map((format): Carries<CanonicalEvent> => format)

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
	['reports every change', laws.within],
	['preserves the content', laws.conservation],
	['splits no grapheme', laws.graphemes],
] as const
const replyLaws = [...fitLaws, ['lets every choice be reached', laws.choices]] as const

test.each(replyLaws)('fit of replies %s', { timeout }, (_name, law) => {
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

test.each(fitLaws)('fit of events %s', { timeout }, (_name, law) => {
	const property = fc.property(events, canonicalEvents(), (carries, x) => {
		const leg = { carries, decode: unused, encode: (event: CanonicalEvent) => jsonRequest(event) }
		law({ name: 'event', leg, fit: (event) => fitEvent(event, leg, context), model: CanonicalEvent }, x)
	})
	fc.assert(property, { numRuns, includeErrorInReport: true })
})

test('fit enforces every limit of replies', { timeout }, () => {
	const property = fc.property(replies, someReply, (carries, x) => {
		const leg = { carries, native, decode: unused, encode: (reply: CanonicalReply) => jsonResponse(reply) }
		keepsLimits(carries, fitReply(x, leg, context).value)
	})
	fc.assert(property, { numRuns, includeErrorInReport: true })
})

test('fit enforces every limit of events', { timeout }, () => {
	const property = fc.property(events, canonicalEvents(), (carries, x) => {
		const leg = { carries, decode: unused, encode: (event: CanonicalEvent) => jsonRequest(event) }
		keepsLimits(carries, fitEvent(x, leg, context).value)
	})
	fc.assert(property, { numRuns, includeErrorInReport: true })
})

function unused(): never {
	throw new Error('not used')
}
