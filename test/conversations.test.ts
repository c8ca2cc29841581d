/** Conversations in which users pick from what they were offered, on every platform. */
import { describe, expect, test } from 'vitest'
import { fitEvent } from '../src/fit/index.ts'
import type { CanonicalEvent, CanonicalReply } from '../src/model/index.ts'
import { type Platform, platforms } from './harness/platforms.ts'
import { json, start, statusOnly, upstream } from './servers.ts'

type Reply = Pick<CanonicalReply, 'messages'>

const saying = (text: string): Reply => ({ messages: [{ type: 'text', text }] })
const deletion: Reply = {
	messages: [
		{
			type: 'choices',
			text: 'Delete your account?',
			choices: [
				{ title: 'Yes', value: 'delete-account' },
				{ title: 'No', value: 'keep' },
			],
		},
	],
}

/** One conversation. `says` and `hears` return what the upstream heard: the value picked, or else the event's kind. */
async function conversation(platform: Platform) {
	let next: Reply | 'fails' = 'fails'
	const { url, calls } = await upstream(() => (next === 'fails' ? statusOnly(500) : json(next)))
	const gateway = await start({ upstream: { url }, routes: [platform.route({ open: true })] }, { as: 'inside' })
	const hears = async (event: CanonicalEvent, answer: Reply | 'fails'): Promise<string> => {
		next = answer
		await gateway.send(platform.call(event))
		const { event: heard } = JSON.parse(calls.at(-1)?.body ?? '')
		return heard.choice?.value ?? heard.kind
	}
	let number = 0
	return {
		calls,
		hears,
		says: (text: string, answer: Reply | 'fails' = saying('Well.')) =>
			hears(platform.event(text, { conversation: 'c1', id: `m${++number}` }), answer),
	}
}

const talking = platforms.filter(
	({ oneWay, event }) => !oneWay && event('Hi', { conversation: 'c1' }).conversation !== undefined,
)

describe.each(talking.map((platform) => [platform.name, platform] as const))('%s', (_name, platform) => {
	test('what was answered is closed', async () => {
		const { says } = await conversation(platform)
		expect(await says('delete my account', deletion)).toBe('message')
		expect(await says('No')).toBe('keep')
		expect(await says('yes')).toBe('message')
		expect(await says('yes')).toBe('message')
	})

	test('words count against the newest reply alone', async () => {
		const { says } = await conversation(platform)
		await says('delete my account', deletion)
		expect(await says('What do I lose?')).toBe('message')
		expect(await says('yes')).toBe('message')
	})

	test('a pick that failed can be repeated', async () => {
		const { says } = await conversation(platform)
		await says('delete my account', deletion)
		expect(await says('No', 'fails')).toBe('keep')
		expect(await says('No')).toBe('keep')
		expect(await says('No')).toBe('message')
	})

	const context = { turnId: 'turn', receivedAt: '2026-01-01T00:00:00.000Z' }
	const started: CanonicalEvent = { kind: 'start', conversation: 'c1', id: 'start', attributes: {} }
	const opening = fitEvent(started, platform.adapter.event, context).value
	test.runIf(opening.kind === 'start')('a start closes all, even if it fails', async () => {
		for (const answer of [saying('Welcome!'), 'fails'] as const) {
			const { hears, says } = await conversation(platform)
			await says('delete my account', deletion)
			expect(await hears(opening, answer)).toBe('start')
			expect(await says('yes')).toBe('message')
		}
	})

	test('a call that comes again is the same pick', async () => {
		const { hears, says, calls } = await conversation(platform)
		await says('delete my account', deletion)
		const event = platform.event('No', { conversation: 'c1', id: 'twice' })
		if (event.id === undefined) return
		await hears(event, saying('Kept.'))
		const asked = calls.length
		expect(await hears(event, 'fails')).toBe('keep')
		expect(calls).toHaveLength(asked)
	})
})
