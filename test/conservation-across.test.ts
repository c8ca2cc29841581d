/** Every reply format against every platform: nothing that an upstream of one format says is lost on another in silence. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { adapters } from '../adapters/index.ts'
import { fitReply } from '../src/fit/index.ts'
import type { CanonicalEvent, CanonicalReply } from '../src/model/index.ts'
import { canonicalReplies, hintsOf } from './arbitraries.ts'
import { expectLaw } from './broken-law.ts'
import { drawnOnce } from './drawn-once.ts'
import { readFixtures } from './fixtures.ts'
import * as laws from './laws.ts'
import { call, gateway, json, upstream } from './servers.ts'

const plainEvent: CanonicalEvent = { kind: 'message', attributes: {} }
const numRuns = Number(process.env.LAW_RUNS) || 20

const formats = adapters.flatMap(({ name, examples: [options], create }) => {
	const leg = create(options).reply(plainEvent)
	return leg ? [{ name, options, leg }] : []
})

describe.each(formats)('an upstream that speaks $name', (from) => {
	const pinned = readFixtures(new URL(`../adapters/${from.name}/fixtures/`, import.meta.url)).reply
	const replies = drawnOnce(canonicalReplies(hintsOf(from.name, from.options, [from.leg])))
	test.each(formats)('loses nothing in silence on $name', async (to) => {
		const [spoken, shown] = [laws.replySide(from.leg), laws.replySide(to.leg, undefined, from.name)]
		for (const { canonical } of pinned) laws.conservation(shown, canonical)
		const property = fc.property(replies, (x) => laws.conservationAcross(spoken, shown, x))
		await expectLaw(`${from.name} to ${to.name}`, property, { numRuns }, ([x]) => x)
	})
})

const context = { turnId: 'turn-1', receivedAt: '2026-01-02T03:04:05.000Z' }
const leg = formats.find(({ name }) => name === 'chatbot-v2')?.leg
const overrides = { 'chatbot-v1': { responses: [{ type: 'end' }, { type: 'reset' }], note: 'x' }, other: [] }
const reply: CanonicalReply = { messages: [], attributes: { session: {}, user: {} }, overrides }

test('each native part of the upstream’s format is named', () => {
	if (!leg) throw new Error('ChatBot v2 reads answers')
	const { changes } = fitReply(reply, leg, { ...context, decodedFrom: 'chatbot-v1' })
	expect(changes.map(({ did, feature, path }) => `${did} ${feature} ${path}`)).toEqual([
		'dropped reply.overrides overrides.chatbot-v1.responses[0]',
		'dropped reply.overrides overrides.chatbot-v1.responses[1]',
		'dropped reply.overrides overrides.chatbot-v1.note',
	])
})

test('an author of canonical replies may add native parts for several platforms, and loses none', () => {
	if (!leg) throw new Error('ChatBot v2 reads answers')
	for (const decodedFrom of [undefined, 'canonical', 'chatbot-v2']) {
		expect(fitReply(reply, leg, { ...context, ...(decodedFrom && { decodedFrom }) }).changes).toEqual([])
	}
})

test.each([
	['chatbot-v1', { responses: [{ type: 'end' }] }, 'overrides.chatbot-v1.responses[0]'],
	['chatbot-v2', { responses: [{ type: 'question', title: 'How old are you?' }] }, 'overrides.chatbot-v2.responses[0]'],
	[
		'snatchbot-json-api',
		{ message: 'Hi', cards: [{ type: 'video', value: 'https://x.test/v.mp4' }] },
		'overrides.snatchbot-json-api.cards[0]',
	],
])('a strict route refuses the native parts of %s: %j', async (adapter, answer, path) => {
	const { url: to } = await upstream(() => json(answer))
	const routes = ['strict', 'degrade'].map((policy) => ({
		...{ name: policy, path: `/${policy}`, policy, debug: true },
		...{ platform: 'botdistrikt', upstream: { url: to, adapter } },
	}))
	const { url } = await gateway({ routes }, adapters)
	const event = { session: 's1' }
	const refused = await call(`${url}/strict`, {}, { body: JSON.stringify(event) })
	expect(await refused.json()).toMatchObject({ title: 'reply-does-not-fit', changes: [`dropped ${path}`] })
	const shown = await call(`${url}/degrade`, {}, { body: JSON.stringify(event) })
	expect(shown.headers.get('dragoman-changes')).toContain(path)
})
