/** `carries` promises only what fit keeps: the compiler refuses the rest, also where an object is made elsewhere. */
import * as v from 'valibot'
import { expect, test } from 'vitest'
import { adapters } from '../adapters/index.ts'
import { featureLimits } from '../src/format/carries.ts'
import type { Carries } from '../src/format/index.ts'
import type { CanonicalEvent, CanonicalReply, Feature } from '../src/model/index.ts'

type OfReply = Carries<CanonicalReply>
type OfEvent = Carries<CanonicalEvent>

test('a limit that fit cannot enforce does not compile', () => {
	const lower = { pattern: '^[a-z]+$' }
	const refused: readonly (OfReply | OfEvent)[] = [
		// @ts-expect-error
		{ 'reply.button.title': { pattern: '^[a-z]+$' } },
		// @ts-expect-error
		{ 'reply.button.title': lower },
		// @ts-expect-error
		{ 'reply.card.title': { pattern: '^[a-z]+$' } },
		// @ts-expect-error
		{ 'reply.choices.text': { pattern: '^[a-z]+$' } },
		// @ts-expect-error
		{ 'reply.text': { values: ['x'] } },
		// @ts-expect-error
		{ 'reply.text': { reserved: ['zzz'] } },
		// @ts-expect-error
		{ 'reply.text': { pattern: '^[a-z]+$' } },
		// @ts-expect-error
		{ 'reply.media.name': { values: ['x'] } },
		// @ts-expect-error
		{ 'reply.control.tags': { pattern: '^[a-z]+$' } },
		// @ts-expect-error
		{ 'event.media': { chars: 3 } },
		// @ts-expect-error
		{ 'reply.control.close': { required: true } },
		// @ts-expect-error
		{ 'reply.choice.value': { escape: '#' } },
		// @ts-expect-error
		{ event: { bytes: 100 } },
		// @ts-expect-error
		{ 'reply.unheard': {} },
	]
	expect(refused).not.toHaveLength(0)
})

test('limits that contradict each other do not compile', () => {
	const refused: readonly (OfReply | OfEvent)[] = [
		// @ts-expect-error
		{ 'event.sender': { required: true } },
		// @ts-expect-error
		{ 'event.sender': { values: [], required: true } },
		// @ts-expect-error
		{ 'event.sender': { values: ['robot'] } },
		// @ts-expect-error
		{ 'reply.messages': { single: true, order: [['choices'], ['text']] } },
		// @ts-expect-error
		{ 'reply.attributes.user': { foldedInto: 'session', strings: true } },
		// @ts-expect-error
		{ 'event.conversation': { required: true, pattern: '^[a-z]+$' } },
	]
	expect(refused).not.toHaveLength(0)
})

test('limits that fit enforces compile', () => {
	const reply: OfReply = {
		'reply.messages': { items: 5, single: true, order: [['text'], ['image', 'cards'], ['choices']] },
		'reply.text': { chars: 640, escape: '#', notBlank: true, default: '…' },
		'reply.attributes.session': { strings: true, items: 10 },
		'reply.attributes.user': { foldedInto: 'session' },
		'reply.control.tags': { items: 1 },
	}
	const event: OfEvent = {
		'event.sender': { values: ['user', 'bot'], required: true },
		'event.contexts': { items: 1 },
		'reply.text': { chars: 20 },
	}
	expect([reply, event]).toHaveLength(2)
})

test.each(adapters.map(({ name, create }) => [name, create()] as const))(
	'%s promises only limits of the map',
	(_name, adapter) => {
		const legs = [adapter.event, adapter.reply({ kind: 'message', attributes: {} })]
		for (const leg of legs) {
			for (const [feature, limit] of Object.entries(leg?.carries ?? {})) {
				expect(v.safeParse(featureLimits[feature as Feature], limit).issues, feature).toBeUndefined()
			}
		}
	},
)
