import { expect, test } from 'vitest'
import { adapters } from '../adapters/index.ts'
import type { CanonicalReply } from '../src/model/index.ts'
import { previewEvent, previewReply } from '../src/simulator/index.ts'

const rich: CanonicalReply = {
	messages: [
		{ type: 'text', text: 'Hello {{name}}' },
		{ type: 'image', url: 'https://example.com/a.png', alt: 'A picture' },
		{
			type: 'cards',
			cards: [
				{
					title: 'Margherita',
					subtitle: 'With basil',
					imageUrl: 'https://example.com/m.png',
					buttons: [{ type: 'postback', title: 'Order this one right away', value: 'm' }],
				},
			],
		},
		{ type: 'choices', text: 'Which?', choices: [{ title: 'Red', value: 'red' }] },
	],
	attributes: { session: { step: 'order' }, user: {} },
}

for (const factory of adapters) {
	test(`${factory.name} has a preview of a reply and of an event, the same each time`, () => {
		const adapter = factory.create(factory.examples[0])
		const preview = previewReply(rich, adapter)
		expect(previewReply(rich, adapter)).toEqual(preview)
		for (const { used, limit } of preview.limits) expect(used).toBeLessThanOrEqual(limit)
		if (preview.via === 'nothing') expect(preview.changes.length).toBe(rich.messages.length)
		else expect(preview.shown.messages.length).toBeGreaterThan(0)

		const event = previewEvent({ kind: 'message', text: 'Hi', conversation: 'c', attributes: {} }, adapter)
		expect(event.call.method).toMatch(/^(?:GET|POST)$/)
	})
}

test('the gateway’s own format changes nothing, and has no limits', () => {
	const own = adapters.find(({ name }) => name === 'canonical')?.create()
	if (!own) throw new Error('There is no adapter of this name.')
	expect(previewReply(rich, own)).toMatchObject({ via: 'answer', shown: rich, changes: [], limits: [] })
})

test('losses come first, and so does the limit that is nearest to its end', () => {
	const previews = adapters.map((factory) => previewReply(rich, factory.create(factory.examples[0])))
	const changed = previews.find(({ changes }) => changes.some(({ did }) => did === 'shortened'))
	expect(changed?.changes[0]?.did).toMatch(/^(?:dropped|shortened)$/)
	const [first, second] = previews.find(({ limits }) => limits.length > 1)?.limits ?? []
	if (!first || !second) throw new Error('No format has two limits.')
	expect(first.used / first.limit).toBeGreaterThanOrEqual(second.used / second.limit)
})
