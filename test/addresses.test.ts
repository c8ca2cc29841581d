/** Addresses that users can follow: each in one piece, on every platform, or named and left out. */
import { describe, expect, test } from 'vitest'
import { canonical } from '../adapters/canonical/index.ts'
import { adapters } from '../adapters/index.ts'
import { fitReply } from '../src/fit/index.ts'
import { jsonResponse } from '../src/format/index.ts'
import type { Message } from '../src/model/index.ts'
import { decodeReply } from '../src/turn/decode.ts'

const context = { turnId: 'turn_1', receivedAt: '2026-01-01T00:00:00.000Z' }
const platforms = adapters.flatMap(({ name, examples: [options], create }) => {
	const leg = create(options).reply({ kind: 'message', attributes: {} })
	return leg ? [{ name, leg }] : []
})

const show = (name: string, ...messages: Message[]) => showFrom(undefined, name, ...messages)

/** What the platform shows of messages that were decoded from a format. */
function showFrom(decodedFrom: string | undefined, name: string, ...messages: Message[]) {
	const leg = platforms.find((each) => each.name === name)?.leg
	if (!leg) throw new Error(`no platform ${name}`)
	const reply = { messages, attributes: { session: {}, user: {} } }
	const { value, changes } = fitReply(reply, leg, { ...context, decodedFrom })
	const did = changes.filter(({ did }) => did !== 'added').map(({ did, path }) => `${did} ${path}`)
	return { messages: value.messages.map(({ delay, ...message }) => message), body: leg.encode(value).body, did }
}

const presigned = `https://bucket.example/invoice.pdf?X-Amz-Signature=${'a'.repeat(1250)}`
const endless = `https://shop.example/cart?items=${'item,'.repeat(500)}end`

describe('an address longer than a text', () => {
	test('of a file becomes a link', () => {
		expect(show('chatbot-v2', { type: 'file', url: presigned, name: 'invoice.pdf' }).messages).toEqual([
			{ type: 'text', text: 'invoice.pdf', buttons: [{ type: 'link', title: 'invoice.pdf', url: presigned }] },
		])
	})

	test('within words becomes a link under the words before it', () => {
		const text = `Here is your invoice: ${presigned} Have a nice day`
		expect(show('chatbot-v2', { type: 'text', text })).toMatchObject({
			messages: [
				{
					type: 'text',
					text: 'Here is your invoice:',
					buttons: [{ type: 'link', title: 'bucket.example', url: presigned }],
				},
				{ type: 'text', text: 'Have a nice day' },
			],
			did: ['converted messages[0]'],
		})
	})

	test('above buttons stands in a text of its own where only the buttons have less room', () => {
		const url = `https://bucket.example/${'a'.repeat(700)}`
		const buttons = [{ type: 'postback' as const, title: 'Yes', value: 'yes' }]
		expect(show('chatbot-v2', { type: 'text', text: `Look ${url}`, buttons }).messages).toEqual([
			{ type: 'text', text: 'Look' },
			{ type: 'text', text: url },
			{ type: 'text', text: '…', buttons },
		])
	})

	test('of a button that has no room for it either is dropped and named', () => {
		const buttons = [{ type: 'link' as const, title: 'Open', url: endless }]
		expect(show('chatbot-v2', { type: 'text', text: 'Your cart is ready.', buttons })).toMatchObject({
			messages: [{ type: 'text', text: 'Your cart is ready.' }],
			did: ['dropped messages[0].buttons[0]'],
		})
	})

	test.each(['chatbot-v1', 'chatbot-v2'])('within words is never cut on %s', (name) => {
		for (const text of [endless, `a ${endless} b`, `请看${presigned}`, `${presigned} ${endless}`]) {
			const { body, did } = show(name, { type: 'text', text })
			const others = [endless, presigned].reduce((rest, url) => rest.split(url).join(''), body)
			expect(others).not.toContain('item,item')
			expect(others).not.toContain('aaaaaaaa')
			expect(did).not.toEqual([])
		}
	})

	test('right behind a word begins the next part', () => {
		const url = `https://bucket.example/${'b'.repeat(900)}`
		expect(show('chatbot-v2', { type: 'text', text: `${'请'.repeat(300)}${url}` }).messages).toEqual([
			{ type: 'text', text: '请'.repeat(300) },
			{ type: 'text', text: url },
		])
	})
})

describe('an address with blanks', () => {
	test.each([
		['botdistrikt', { type: 'image', url: 'https://files.example/my picture (1).png' }],
		['chatbot-v1', { type: 'image', url: 'https://files.example/my picture (1).png' }],
		['chatbot-v2', { type: 'file', url: 'https://files.example/my picture (1).png' }],
		[
			'botdistrikt',
			{
				type: 'text',
				text: 'Go',
				buttons: [{ type: 'link', title: 'x', url: 'https://files.example/my picture (1).png' }],
			},
		],
		['botdistrikt', { type: 'cards', cards: [{ title: 'x', url: 'https://files.example/my picture (1).png' }] }],
	] satisfies [string, Message][])('is encoded in the words of %s', (name, message) => {
		const { body, did } = show(name, message)
		expect(body).toContain('https://files.example/my%20picture%20(1).png')
		expect(body).not.toContain('my picture')
		expect(did.some((each) => each.startsWith('escaped '))).toBe(true)
	})
})

describe('an address that holds the file itself', () => {
	const url = `data:image/png;base64,${'A'.repeat(60_000)}`

	test.each(['chatbot-v1', 'chatbot-v2', 'botdistrikt'])('is not shown as words on %s', (name) => {
		const { body, did } = show(
			name,
			{ type: 'image', url, alt: 'QR code' },
			{ type: 'cards', cards: [{ title: 'Tea', imageUrl: url }] },
		)
		expect(body).not.toContain('base64')
		expect(body).toContain('QR code')
		expect(did.filter((each) => each.startsWith('dropped'))).not.toEqual([])
	})

	test('is an image where the platform has room for it', () => {
		expect(show('pingstreams', { type: 'image', url, alt: 'QR code' }).messages).toEqual([
			{ type: 'image', url, alt: 'QR code' },
		])
	})
})

describe('an address that runs a script', () => {
	const urls = [
		'javascript:alert(1)',
		'JavaScript:alert(1)',
		' java\nscript:alert(1)',
		'\u0001vbscript:x',
		'data:text/html,<script>alert(1)</script>',
	]

	test.each(platforms.map(({ name }) => name).filter((name) => name !== 'canonical'))(
		'leaves no button, card or page on %s',
		(name) => {
			for (const url of urls) {
				const { body, did } = show(
					name,
					{
						type: 'text',
						text: 'Go',
						buttons: [
							{ type: 'link', title: 'Open', url },
							{ type: 'webview', title: 'See', url },
						],
					},
					{ type: 'cards', cards: [{ title: 'Tea', url, buttons: [{ type: 'link', title: 'Buy', url }] }] },
				)
				expect(body).not.toContain('alert')
				expect(body).not.toContain('vbscript')
				expect(did).toContain('dropped messages[0].buttons[0]')
			}
		},
	)

	test('is no picture either', () => {
		expect(show('pingstreams', { type: 'image', url: 'javascript:alert(1)', alt: 'Look' })).toMatchObject({
			messages: [{ type: 'text', text: 'Look' }],
			did: ['dropped messages[0]'],
		})
	})

	test.each(['mailto:ada@example.com', 'tel:+49301234', 'whatsapp://send?text=hi', 'https://a.example/javascript:'])(
		'is not %s',
		(url) => {
			const buttons = [{ type: 'link' as const, title: 'Open', url }]
			expect(show('chatbot-v2', { type: 'text', text: 'Go', buttons }).messages).toEqual([
				{ type: 'text', text: 'Go', buttons },
			])
		},
	)
})

describe('a relative address of a backend that speaks another platform’s format', () => {
	test.each<[name: string, message: Message, shown: object, did: string[]]>([
		[
			'pingstreams',
			{ type: 'text', text: 'Go', buttons: [{ type: 'link', title: 'Shop', url: '/shop' }] },
			{ type: 'text', text: 'Go' },
			['dropped messages[0].buttons[0]'],
		],
		[
			'chatbot-v2',
			{ type: 'text', text: 'Go', buttons: [{ type: 'webview', title: 'Shop', url: 'shop?a=b' }] },
			{ type: 'text', text: 'Go' },
			['dropped messages[0].buttons[0]'],
		],
		[
			'chatbot-v1',
			{ type: 'image', url: '/a.png', alt: 'A cat' },
			{ type: 'text', text: 'A cat' },
			['dropped messages[0]'],
		],
		[
			'botdistrikt',
			{ type: 'file', url: '../a.pdf', name: 'a.pdf' },
			{ type: 'text', text: 'a.pdf' },
			['dropped messages[0]'],
		],
		[
			'chatbot-v2',
			{ type: 'image', url: '//cdn.example/a.png' },
			{ type: 'image', url: 'https://cdn.example/a.png' },
			['converted messages[0].url'],
		],
		[
			'pingstreams',
			{ type: 'text', text: 'Go', buttons: [{ type: 'link', title: 'Shop', url: 'www.shop.example' }] },
			{ type: 'text', text: 'Go', buttons: [{ type: 'link', title: 'Shop', url: 'https://www.shop.example' }] },
			['converted messages[0].buttons[0].url'],
		],
		[
			'pingstreams',
			{ type: 'text', text: 'Go', buttons: [{ type: 'link', title: 'Top', url: '#top' }] },
			{ type: 'text', text: 'Go', buttons: [{ type: 'link', title: 'Top', url: '#top' }] },
			[],
		],
	])('on %s: %j', (name, message, shown, did) => {
		expect(showFrom('elsewhere', name, message)).toMatchObject({ messages: [shown], did })
	})

	test.each(['pingstreams', 'chatbot-v1', 'chatbot-v2'])('stays as it is on %s if that is its platform', (name) => {
		const buttons = [{ type: 'link' as const, title: 'Shop', url: '/shop' }]
		expect(showFrom(name, name, { type: 'text', text: 'Go', buttons }).messages).toEqual([
			{ type: 'text', text: 'Go', buttons },
		])
	})
})

describe('a relative address as words', () => {
	const link = (url: string): Message => ({ type: 'text', text: 'Go', buttons: [{ type: 'link', title: 'Shop', url }] })

	test.each(['/shop', 'shop', '?a=b', '../a', '///a', 'a/b.html'])('is dropped and named: %s', (url) => {
		expect(show('botdistrikt', link(url))).toMatchObject({
			messages: [{ type: 'text', text: 'Go' }],
			did: ['dropped messages[0].buttons[0]'],
		})
	})

	test.each(['//shop.example/a', 'www.shop.example/a', ' //shop.example/a'])('gets its scheme: %s', (url) => {
		const { messages, did } = show('botdistrikt', link(url))
		expect(messages).toEqual([{ type: 'text', text: `Go\nShop: https://${url.trim().replace('//', '')}` }])
		expect(did).toEqual(expect.arrayContaining(['converted messages[0].buttons[0]']))
	})
})

describe('a relative address', () => {
	const leg = canonical.create().reply({ kind: 'message', attributes: {} })
	const button = (url: string): Message => ({
		type: 'text',
		text: 'Go',
		buttons: [{ type: 'link', title: 'Shop', url }],
	})

	test.each([
		['messages[0].buttons[0].url', button('/shop')],
		['messages[0].buttons[0].url', button('www.example.com')],
		['messages[0].url', { type: 'image', url: '//cdn.example/a.png' }],
		['messages[0].cards[0].imageUrl', { type: 'cards', cards: [{ title: 'Tea', imageUrl: 'a.png' }] }],
		[
			'messages[0].cards[0].buttons[0].url',
			{ type: 'cards', cards: [{ title: 'Tea', buttons: [{ type: 'webview', title: 'x', url: '?a' }] }] },
		],
	] satisfies [string, Message][])('is refused at %s', (field, message) => {
		expect(() => leg && decodeReply(leg, jsonResponse({ messages: [message] }))).toThrow(
			expect.objectContaining({
				code: 'upstream-reply-invalid',
				context: expect.objectContaining({ field, expected: expect.stringContaining('absolute') }),
			}),
		)
	})

	test.each(['https://a.example', 'mailto:ada@example.com', '#', '#top', ' https://a.example '])('is not %j', (url) => {
		expect(leg && decodeReply(leg, jsonResponse({ messages: [button(url)] })).model.messages).toEqual([button(url)])
	})
})
