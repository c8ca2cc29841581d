/** The simulator tells the truth of each platform: what it shows, refuses, waits for and sends back, one fact a test. */
import { describe, expect, onTestFinished, test } from 'vitest'
import { adapters } from '../adapters/index.ts'
import { createRuntime } from '../src/node/node-runtime.ts'
import { renderReply, selectableOptions, simulate, type UserAction } from '../src/simulator/index.ts'
import type { Simulation } from '../src/simulator/simulator.ts'
import { json, statusOnly, upstream } from './servers.ts'

function platform(name: string, options: object = {}) {
	const factory = adapters.find((each) => each.name === name)
	if (!factory) throw new Error(`no adapter ${name}`)
	return factory.create(options)
}

/** A turn with a backend that answers so. */
async function turn(
	name: string,
	answer: object | number,
	{
		action = { text: 'Hi' },
		options = {},
		...how
	}: { action?: UserAction; options?: object } & Partial<Simulation> = {},
) {
	const backend = await upstream(() => (typeof answer === 'number' ? statusOnly(answer) : json(answer)))
	const runtime = createRuntime(() => {})
	onTestFinished(() => runtime.close())
	const simulation = { ...runtime, url: backend.url, handshake: false, ...how, ...action }
	return { simulation, backend, adapter: platform(name, options) }
}

async function shown(...args: Parameters<typeof turn>): Promise<string> {
	const { adapter, simulation } = await turn(...args)
	const { reply } = await simulate(adapter, simulation)
	return reply ? renderReply(reply) : '(no answer is read)'
}

async function refused(...args: Parameters<typeof turn>): Promise<{ message: string; defaultReply?: unknown }> {
	const { adapter, simulation } = await turn(...args)
	return simulate(adapter, simulation).then(
		() => ({ message: 'not refused' }),
		(thrown) => thrown,
	)
}

const many = (count: number, what: (i: number) => object) => Array.from({ length: count }, (_, i) => what(i))

describe('ChatBot v2', () => {
	const text = (message: string, delay?: number) => ({ type: 'text', message, ...(delay !== undefined && { delay }) })
	const replies = (count: number) => ({
		type: 'quickReplies',
		title: 'Pick',
		delay: 100,
		buttons: many(count, (i) => ({ type: 'postback', title: `B${i}`, value: `b${i}` })),
	})

	test.each<[string, object, string]>([
		['waits a second before a response without a delay', { responses: [text('Hi')] }, '(1000 ms)\nHi'],
		['waits as long as a response says', { responses: [text('Hi', 100)] }, '(100 ms)\nHi'],
		[
			'fills attributes of the same answer in',
			{ responses: [text('{{a}}', 100)], attributes: { a: 'x' } },
			'(100 ms)\nx\n<session: a = "x">',
		],
		['keeps an attribute', { attributes: { a: 'x' } }, '<session: a = "x">'],
		['takes an attribute that is a number', { attributes: { a: 7 } }, '<session: a = 7>'],
		['says nothing for an empty object', {}, '(nothing)'],
		[
			'shows 13 quick replies',
			{ responses: [replies(13)] },
			`(100 ms)\nPick\n${many(13, () => ({}))
				.map((_, i) => `  ${i + 1}) B${i}`)
				.join('\n')}`,
		],
	])('%s', async (_fact, answer, seen) => {
		expect(await shown('chatbot-v2', answer)).toBe(seen)
	})

	test.each<[string, object | number, string]>([
		['a status that is no 2xx', 404, 'status 404'],
		['a redirect', 302, 'status 302'],
		['a text of more than 1,024 characters', { responses: [text('x'.repeat(1025), 100)] }, 'split'],
		['14 quick replies', { responses: [replies(14)] }, 'split'],
		['a delay of more than 10 seconds', { responses: [text('Hi', 10_001)] }, 'converted'],
		['more than 100,000 bytes', { attributes: { a: 'x'.repeat(1e5) } }, 'the limit is 100000'],
		['a response without its text', { responses: [{ type: 'text' }] }, 'responses[0].message'],
		['an object of other keys', { error: 'x' }, 'at least one of'],
	])('refuses %s', async (_fact, answer, why) => {
		expect((await refused('chatbot-v2', answer)).message).toContain(why)
	})
})

describe('ChatBot v1', () => {
	const text = (...elements: string[]) => ({ responses: [{ type: 'text', elements }] })

	test.each<[string, object, string]>([
		['shows a response at once', text('Hi'), 'Hi'],
		['picks one of several elements', text('Hi', 'Hello'), 'Hi\nor: Hello'],
		[
			'fills parameters of the same answer in',
			{ ...text('Hi {{name}}'), parameters: { name: 'Ada' } },
			'Hi Ada\n<session: name = "Ada">',
		],
		[
			'jumps',
			{ responses: [{ type: 'goto', interactionId: '5a5a5a5a5a5a5a5a5a5a5a5b' }] },
			'<goto: "5a5a5a5a5a5a5a5a5a5a5a5b">',
		],
	])('%s', async (_fact, answer, seen) => {
		expect(await shown('chatbot-v1', answer)).toBe(seen)
	})

	test.each<[string, object | number, string]>([
		['a status that is no 2xx', 500, 'status 500'],
		['21 elements', text(...many(21, () => ({})).map((_, i) => `${i}`)), 'dropped'],
		['100 responses', { responses: many(100, () => ({ type: 'text', elements: ['x'] })) }, 'dropped'],
		['more than 100,000 bytes', { parameters: { a: 'x'.repeat(1e5) } }, 'the limit is 100000'],
	])('refuses %s', async (_fact, answer, why) => {
		expect((await refused('chatbot-v1', answer)).message).toContain(why)
	})
})

describe('SnatchBot’s JSON API', () => {
	const name = 'snatchbot-json-api'

	test.each<[string, object, string]>([
		['begins a bubble at each ::next::', { message: 'One::next::Two' }, 'One\nTwo'],
		[
			'shows words, then cards, then suggestions, whatever the order of the keys',
			{ suggested_replies: ['Yes'], cards: [{ type: 'image', value: 'https://a.example/a.png' }], message: 'Hi' },
			'Hi\n[image] https://a.example/a.png\n  1) Yes',
		],
		[
			'shows a gallery with links to nowhere',
			{
				message: 'Hi',
				cards: [
					{
						type: 'gallery',
						value: 'gallery',
						gallery: [{ heading: 'Tea', buttons: [{ type: 'url', value: '#', name: 'Buy' }] }],
					},
				],
			},
			'Hi\n[card] Tea\n  [Buy] #',
		],
		['blocks the input', { message: 'Hi', blocked_input: true }, 'Hi\n<blockInput: true>'],
		['fills nothing in', { message: 'Hi {{name}}' }, 'Hi {{name}}'],
	])('%s', async (_fact, answer, seen) => {
		expect(await shown(name, answer)).toBe(seen)
	})

	test.each<[string, object | number, string]>([
		[
			'an answer without words, also beside cards',
			{ message: '', cards: [{ type: 'image', value: 'https://a.example/a.png' }] },
			'added',
		],
		['an answer of blanks', { message: ' ' }, 'message'],
		['any status but 200', 202, 'status 202'],
	])('refuses %s', async (_fact, answer, why) => {
		expect((await refused(name, answer)).message).toContain(why)
	})

	test('shows the error text of the interaction for what it refuses', async () => {
		const { defaultReply } = await refused(name, 204, { defaultReply: 'Try later' })
		expect(defaultReply).toEqual([{ type: 'text', text: 'Try later' }])
	})

	test('sends the label of a suggestion as words', async () => {
		const { adapter, backend, simulation } = await turn(
			name,
			{ message: 'ok' },
			{ action: { choice: { value: 'Yes', label: 'Yes' } } },
		)
		await simulate(adapter, simulation)
		expect(new URLSearchParams(backend.calls[0]?.body).get('incoming_message')).toBe('Yes')
	})
})

describe('BotDistrikt', () => {
	const name = 'botdistrikt'

	test.each<[string, object, string]>([
		[
			'shows each response, then the quick replies',
			{ quickreplies: ['Yes'], responses: ['One', 'Two'] },
			'One\nTwo\n  1) Yes',
		],
		[
			'fills its memory in',
			{ responses: ['{{memory.a}} {{user.b}}'], memory: { a: 'x' }, user_attributes: { b: 'y' } },
			'x y\n<session: a = "x">\n<user: b = "y">',
		],
		['knows no ::next::', { responses: ['One::next::Two'] }, 'One::next::Two'],
		['says nothing for an empty list', { responses: [] }, '(nothing)'],
	])('%s', async (_fact, answer, seen) => {
		expect(await shown(name, answer)).toBe(seen)
	})

	test.each<[string, object | number, string]>([
		['an answer with none of its keys', { message: 'Hi' }, 'at least one of'],
		[
			'11 quick replies',
			{ responses: ['Pick'], quickreplies: many(11, () => ({})).map((_, i) => `Q${i}`) },
			'converted',
		],
		['a status that is no 2xx', 500, 'status 500'],
	])('refuses %s', async (_fact, answer, why) => {
		expect((await refused(name, answer)).message).toContain(why)
	})

	test('calls with a GET where its author chose one', async () => {
		const { adapter, backend, simulation } = await turn(name, { responses: [] }, { options: { method: 'GET' } })
		await simulate(adapter, simulation)
		expect(backend.calls[0]).toMatchObject({ method: 'GET', path: expect.stringContaining('msg=Hi') })
	})
})

test('SnatchBot’s webhook reads no answer', async () => {
	expect(await shown('snatchbot-webhook', { message: 'Hi' })).toBe('(no answer is read)')
})

describe('Pingstreams', () => {
	test('has ids of conversations in the form of the platform', async () => {
		const { adapter, simulation } = await turn('pingstreams', {})
		const { event } = await simulate(adapter, simulation)
		expect(event.conversation).toMatch(new RegExp(`^support-group-${event.bot?.project}-[\\da-f]{32}$`))
	})

	test.each(['runtime', 'server', 'external', 'subscription'])('has them in the dialect %s', async (dialect) => {
		const { adapter, simulation } = await turn('pingstreams', {}, { options: { dialect } })
		expect((await simulate(adapter, simulation)).event.conversation).toMatch(/^support-group-[\da-f]{24}-[\da-f]{32}$/)
	})

	test.each([
		['a value', 'order{"choice":"tea"}', 'tea'],
		['an intent of the author', 'talk_to_sales', 'talk_to_sales'],
	])('sends the action of a pressed button as it stands: %s', async (_what, action, value) => {
		const buttons = [{ type: 'action', value: 'Go', action, show_echo: true }]
		const asked = await turn('pingstreams', { text: 'Pick', attributes: { attachment: { type: 'template', buttons } } })
		const first = await simulate(asked.adapter, asked.simulation)
		const [option] = selectableOptions(first.reply ?? { messages: [], attributes: { session: {}, user: {} } })
		expect(option).toEqual({ title: 'Go', value })
		const pressed = { choice: { value, label: 'Go' }, held: first.held.get(value) }
		const answer = await turn('pingstreams', {}, { action: pressed })
		await simulate(answer.adapter, answer.simulation)
		const { message } = JSON.parse(answer.backend.calls[0]?.body ?? '').payload
		expect(message).toMatchObject({ text: 'Go', attributes: { action } })
	})
})
