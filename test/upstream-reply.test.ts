/** What a platform shows of a backend that speaks a format: that of the platform itself, or another one. */
import { describe, expect, test } from 'vitest'
import { adapters } from '../adapters/index.ts'
import { pingstreams } from '../adapters/pingstreams/index.ts'
import { fitReply } from '../src/fit/index.ts'
import { jsonResponse, type NamedAdapter } from '../src/format/index.ts'
import type { CanonicalEvent } from '../src/model/index.ts'
import { type Answering, legForUpstream, readUpstreamReply } from '../src/turn/upstream-reply.ts'

const context = { turnId: 'turn_1', receivedAt: '2026-01-01T00:00:00.000Z' }
const asked: CanonicalEvent = {
	kind: 'message',
	conversation: 'c1',
	user: { name: 'Ada', attributes: { town: 'London', age: 36 } },
	attributes: { drink: 'tea', list: [1] },
}

function named(name: string): NamedAdapter {
	const factory = adapters.find((each) => each.name === name)
	if (!factory) throw new Error(`no adapter ${name}`)
	return { name, adapter: factory.create(factory.examples[0]) }
}

/** The body that the platform gets, and the changes that are reported. */
function turn(upstream: string, platform: string, answer: object, event: CanonicalEvent = asked) {
	const leg = named(platform).adapter.reply(event)
	if (!leg) throw new Error('the platform reads no answer')
	const answering: Answering = {
		upstream: named(upstream),
		platform: named(platform),
		leg,
		received: event,
		sent: event,
	}
	const { reply, unread, changes } = readUpstreamReply(jsonResponse(answer), answering)
	const to = legForUpstream(leg, answering)
	const fitted = fitReply(reply, to, { ...context, decodedFrom: upstream })
	return {
		body: JSON.parse(to.encode(fitted.value).body),
		did: [...changes, ...fitted.changes].map(({ did, path }) => `${did} ${path}`),
		unread,
	}
}

const texts = (...elements: string[]) => ({ responses: [{ type: 'text', elements }] })

describe('a merge tag', () => {
	test.each([
		['of the reply’s own attributes', { parameters: { name: 'John' }, ...texts('Hi {{name}}') }, ['Hi John']],
		['of the event’s attributes', texts('A {{drink}}, {{ town }}?'), ['A tea, London?']],
		['of a field of the event', texts('Hi {{default_name}}'), ['Hi Ada']],
		['of the reply before that of the event', { parameters: { drink: 'milk' }, ...texts('{{drink}}') }, ['milk']],
		['that is a number', texts('{{age}} years'), ['36 years']],
		['whose value is a tag itself', { parameters: { a: '{{drink}}' }, ...texts('{{a}}') }, ['{{drink}}']],
		['in an empty pair of braces', texts('{{}} {{ }'), ['{{}} {{ }']],
	])('%s is filled on a platform of another format', (_what, answer, responses) => {
		expect(turn('chatbot-v1', 'botdistrikt', answer).body.responses).toEqual(responses)
	})

	test.each(['{{nobody}}', '{{list}}', '{{toString}}', '{{__proto__}}'])('%s without a value is named', (tag) => {
		const { body, did } = turn('chatbot-v1', 'botdistrikt', texts(`Hi ${tag}`))
		expect(body.responses).toEqual([`Hi ${tag}`])
		expect(did).toEqual(['dropped messages[0].text'])
	})

	test('of BotDistrikt names its scope', () => {
		const answer = {
			responses: ['{{memory.x}} {{user.x}} {{x}}'],
			memory: { x: 'cats' },
			user_attributes: { x: 'Ada' },
		}
		const { body } = turn('botdistrikt', 'chatbot-v1', answer)
		expect(body.responses).toEqual([{ type: 'text', elements: ['cats Ada {{x}}'] }])
	})

	test('of BotDistrikt’s user is filled from the fields of the event as well', () => {
		const { body, did } = turn('botdistrikt', 'chatbot-v1', { responses: ['{{user.name}} of {{user.town}}'] })
		expect(body.responses).toEqual([{ type: 'text', elements: ['Ada of London'] }])
		expect(did).toEqual([])
	})

	test('whose value is empty is not shown', () => {
		const { body, did } = turn('chatbot-v1', 'botdistrikt', { parameters: { a: '' }, ...texts('{{a}}', 'x') })
		expect(JSON.stringify(body.responses)).not.toContain('{{')
		expect(did.length).toBeGreaterThan(0)
	})

	test('of Pingstreams is filled in titles, and encoded in addresses', () => {
		const buttons = [
			{ type: 'url', value: `For \${userFullname}`, link: `https://shop.example/?d=\${drink} {{ town }}` },
			{ type: 'text', value: '{{ drink }}' },
		]
		const event = { ...asked, attributes: { drink: 'green tea' } }
		const { body } = turn(
			'pingstreams',
			'chatbot-v2',
			{ text: `Hi \${userFullname}`, attributes: { attachment: { buttons } } },
			event,
		)
		expect(body.responses[0]).toMatchObject({
			title: 'Hi Ada',
			buttons: [
				{ title: 'For Ada', value: 'https://shop.example/?d=green%20tea London' },
				{ title: 'green tea', value: 'green tea' },
			],
		})
	})

	test.each([
		[
			'chatbot-v1',
			'chatbot-v1',
			texts('Hi {{nobody}}'),
			{ responses: [{ type: 'text', elements: ['Hi {{nobody}}'] }] },
		],
		['chatbot-v1', 'chatbot-v2', texts('Hi {{nobody}}'), { responses: [{ type: 'text', message: 'Hi {{nobody}}' }] }],
		['botdistrikt', 'botdistrikt', { responses: ['{{memory.x}}'] }, { responses: ['{{memory.x}}'] }],
		['pingstreams', 'pingstreams', { text: `\${x} {{y}}` }, { text: `\${x} {{y}}` }],
		[
			'canonical',
			'chatbot-v1',
			{ messages: [{ type: 'text', text: '{{drink}}' }] },
			{ responses: [{ elements: ['{{drink}}'] }] },
		],
	])('from %s to %s is left to the platform', (upstream, platform, answer, body) => {
		const shown = turn(upstream, platform, answer)
		expect(shown.body).toMatchObject(body)
		expect(shown.did.filter((each) => !each.startsWith('added'))).toEqual([])
	})

	test.each(['toString', 'constructor', '__proto__', 'hasOwnProperty'])('named %s has no value by itself', (name) => {
		const tag = `$\{${name}}`
		const buttons = [{ type: 'url', value: 'Go', link: `https://a.example/${tag}` }]
		const answer = { text: `Hi ${tag}`, attributes: { attachment: { buttons } } }
		const { body } = turn('pingstreams', 'chatbot-v2', answer)
		expect(body.responses[0]).toMatchObject({ title: `Hi ${tag}`, buttons: [{ value: `https://a.example/${tag}` }] })
	})

	test('in the words of another format is broken where the platform would fill it in', () => {
		const { body, did } = turn('chatbot-v1', 'pingstreams', texts('Hi {{nobody}}'))
		expect(body.text).toBe('Hi {\u2060{nobody}}')
		expect(did).toEqual(['dropped messages[0].text', 'escaped messages[0].text'])
	})

	test('thousands of braces take no time to speak of', () => {
		const { body } = turn('chatbot-v1', 'botdistrikt', texts('{{'.repeat(40_000)))
		expect(body.responses).toHaveLength(1)
	})
})

describe('a jump of one platform', () => {
	const id = '5c8b7d4e8f1a2b3c4d5e6f70'

	test('is no intent of another', () => {
		const buttons = [{ type: 'goto', title: 'Menu', value: id }]
		const { body, did } = turn('chatbot-v1', 'pingstreams', {
			responses: [
				{ type: 'card', title: 'Where to?', buttons },
				{ type: 'goto', interactionId: id },
			],
		})
		expect(JSON.stringify(body)).not.toContain(id)
		expect(body.attributes.attachment.buttons).toEqual([{ type: 'text', value: 'Menu' }])
		expect(did).toEqual(['converted messages[0].buttons[0]', 'dropped control.goto'])
	})

	test('stays on its own', () => {
		const answer = { responses: [{ type: 'goto', interactionId: id }] }
		expect(turn('chatbot-v1', 'chatbot-v1', answer)).toMatchObject({ body: answer, did: [] })
	})

	test('stays where the backend speaks the canonical format', () => {
		const answer = { messages: [], control: { goto: 'menu' } }
		expect(turn('canonical', 'pingstreams', answer).body).toEqual({
			actions: [{ _tdActionType: 'intent', intentName: 'menu' }],
		})
	})
})

describe('a backend of Tiledesk', () => {
	const markup = { text: 'Choose a team\n* Sales\n* Support\n\nOr wait\\agent' }

	test('has its markup read for other platforms', () => {
		const { body, did } = turn('pingstreams', 'chatbot-v2', markup)
		expect(body.responses).toMatchObject([
			{
				title: 'Choose a team',
				buttons: [
					{ title: 'Sales', value: 'Sales' },
					{ title: 'Support', value: 'Support' },
				],
			},
			{ message: 'Or wait' },
		])
		expect(did.filter((each) => !each.startsWith('added'))).toEqual(['dropped control.handover'])
	})

	test('has its markup untouched on its own platform', () => {
		expect(turn('pingstreams', 'pingstreams', markup).body).toEqual({ type: 'text', ...markup })
	})

	test.each(['private', 'info'])('shows nobody a message of subtype %s', (subtype) => {
		const answer = { text: 'Customer is angry', attributes: { subtype } }
		expect(JSON.stringify(turn('pingstreams', 'chatbot-v2', answer).body)).not.toContain('angry')
		expect(turn('pingstreams', 'pingstreams', answer).body).toEqual({ type: 'text', ...answer })
	})
})

describe('a text of Tiledesk that asks for markup', () => {
	const markbot = { markbot: true }
	const command = (text: string, attributes = {}) => ({ type: 'message', message: { text, attributes } })
	const reply = (...commands: object[]) => ({ actions: [{ _tdActionType: 'reply', attributes: { commands } }] })
	const said = (...messages: string[]) => messages.map((message) => ({ type: 'text', message }))

	test('has the buttons on another platform that it has on its own', () => {
		const answer = { text: 'Pick\n* Red\n* Shop https://shop.example', attributes: markbot }
		const { body, did } = turn('pingstreams', 'chatbot-v2', answer)
		expect(body.responses).toMatchObject([
			{
				type: 'buttons',
				title: 'Pick',
				buttons: [
					{ title: 'Red', value: 'Red' },
					{ type: 'url', title: 'Shop', value: 'https://shop.example' },
				],
			},
		])
		expect(did.filter((each) => each.startsWith('dropped'))).toEqual([])
		expect(turn('pingstreams', 'pingstreams', answer).body).toEqual({ type: 'text', ...answer })
	})

	test.each<[what: string, answer: object, shown: object[], did: string[]]>([
		['parts at blank lines', { text: 'One\n\nTwo', attributes: markbot }, said('One', 'Two'), []],
		['hands over', { text: 'Wait\\agent', attributes: markbot }, said('Wait'), ['dropped control.handover']],
		['is filled in', { text: `Hi \${userFullname}`, attributes: markbot }, said('Hi Ada'), []],
		[
			'is named where the model has no field for some of it',
			{ text: 'Hi\n\\_tdFoo x', attributes: markbot },
			[{ type: 'text', message: expect.stringMatching(/^Hi\s*$/) }],
			['dropped overrides.pingstreams.text'],
		],
		[
			'is only filled in behind another message',
			reply(command('Hello'), command(`\${userFullname}\n* Red`, markbot)),
			said('Hello', 'Ada\n* Red'),
			[],
		],
		[
			'stays in its place before another message',
			reply(command('One', markbot), command('Two')),
			said('One', 'Two'),
			[],
		],
		[
			'stays in its place between two like it',
			reply(command('One', markbot), command('Two', markbot), command('Three')),
			said('One', 'Two', 'Three'),
			[],
		],
	])('%s', (_what, answer, shown, did) => {
		const { body, did: done } = turn('pingstreams', 'chatbot-v2', answer)
		expect(body.responses).toMatchObject(shown)
		expect(done.filter((each) => each.startsWith('dropped'))).toEqual(did)
	})

	test('stays in its place on its own platform', () => {
		const answer = reply(command('One', markbot), command('Two'))
		const { commands } = turn('pingstreams', 'pingstreams', answer).body.actions[0].attributes
		expect(commands.filter(({ type }: { type: string }) => type === 'message')).toMatchObject([
			{ message: { text: 'One' } },
			{ message: { text: 'Two' } },
		])
	})

	test('and has buttons beside it is read like any other answer', () => {
		const attachment = { type: 'template', buttons: [{ type: 'text', value: 'Red' }] }
		const answer = { text: 'Wait\\agent', attributes: { ...markbot, attachment } }
		const { body, did } = turn('pingstreams', 'chatbot-v2', answer)
		expect(body.responses).toMatchObject([{ type: 'buttons', title: 'Wait', buttons: [{ title: 'Red' }] }])
		expect(did).toContain('dropped control.handover')
	})
})

test.each([
	['canonical', { mesages: [] }, 'mesages', 'messages'],
	['botdistrikt', { quickReplies: ['Menu'] }, 'quickReplies', 'quickreplies'],
	['chatbot-v1', { response: [] }, 'response', 'responses'],
	['chatbot-v2', { attribute: {} }, 'attribute', 'attributes'],
	['chatbot-v2', { RESPONSES: [] }, 'RESPONSES', 'responses'],
	['pingstreams', { txet: 'Hi' }, 'txet', 'text'],
	['pingstreams', { TEXT: 'Hi' }, 'TEXT', 'text'],
	['pingstreams', { action: [{ _tdActionType: 'close' }] }, 'action', 'actions'],
	['pingstreams', { atributes: { commands: [] } }, 'atributes', 'attributes'],
])('a misspelt key of %s is named with the one that was meant', (upstream, answer, field, meant) => {
	const context = expect.objectContaining({ field, expected: `no such field; did you mean "${meant}"?` })
	expect(() => turn(upstream, 'botdistrikt', answer)).toThrow(expect.objectContaining({ context }))
})

test.each([
	['canonical', { mesages: [], atributes: {}, x: 1 }, ['mesages', 'atributes', 'x']],
	['canonical', { messages: [{ type: 'text', text: 'a', x: 1, y: 2 }] }, ['messages[0].x', 'messages[0].y']],
	['canonical', { messages: [], control: { clos: true, gotoo: 'x' } }, ['control.clos', 'control.gotoo']],
	['botdistrikt', { quickReplies: ['Menu'], respones: [] }, ['quickReplies', 'respones']],
	['chatbot-v1', { response: [], paramters: {} }, ['response', 'paramters']],
	['chatbot-v2', { attribute: {}, respones: [], error: 'x' }, ['attribute', 'respones']],
	['pingstreams', { txet: 'Hi', type: 'text', meta_data: { src: 'x' }, ok: true }, ['txet', 'meta_data']],
])('every misspelt key of %s is named: %j', (upstream, answer, fields) => {
	const context = expect.objectContaining({ mistakes: fields.map((field) => expect.objectContaining({ field })) })
	expect(() => turn(upstream, 'botdistrikt', answer)).toThrow(expect.objectContaining({ context }))
})

test('what a backend of the same format wrote for the platform’s own reader is read where it is pushed', () => {
	const platform = named('pingstreams')
	const { push } = pingstreams.create({ api: 'https://api.example' })
	const leg = push?.target({ project: 'p1', conversation: 'c1', token: 't', dialect: 'runtime', home: 'home' }).leg
	if (!leg) throw new Error('there is an API')
	const answering: Answering = { upstream: platform, platform, leg, received: asked, sent: asked }
	const text = `Hi \${userFullname}\n* Tea\n* Sales tdAction:sales{}\n\nBye\\agent`
	const { reply, changes } = readUpstreamReply(jsonResponse({ text }), answering)
	const calls = leg.encode(fitReply(reply, leg, { ...context, decodedFrom: 'pingstreams' }).value)
	expect(changes).toEqual([])
	expect(calls.map(({ path, body }) => [path.replace(/.*\//, ''), body && JSON.parse(body).text])).toEqual([
		['messages', 'Hi Ada'],
		['messages', 'Bye'],
		['agent', ''],
	])
	expect(JSON.parse(calls[1]?.body ?? '').attributes.attachment.buttons).toEqual([
		{ type: 'text', value: 'Tea' },
		{ type: 'action', value: 'Sales', action: 'sales{}', show_echo: true },
	])
})

test('a link to nowhere is no text', () => {
	const gallery = [{ heading: 'Tea', buttons: [{ type: 'url', value: '#', name: 'Buy' }] }]
	const { body, did } = turn('snatchbot-json-api', 'botdistrikt', {
		message: 'Shop',
		cards: [{ type: 'gallery', gallery }],
	})
	expect(body.responses).toEqual(['Shop', 'Tea'])
	expect(did).toContain('dropped messages[1].cards[0].buttons[0]')
})

test('an address in capitals stays a picture', () => {
	const image = { responses: [{ type: 'image', imageUrl: 'HTTPS://A.EXAMPLE/A.PNG' }] }
	expect(turn('chatbot-v2', 'chatbot-v1', image).body.responses[0]).toMatchObject({ type: 'image' })
})
