/** Changes are named in the header, in the log and to the upstream: losses first, so that nothing harmless hides one. */
import { expect, test } from 'vitest'
import { adapters } from '../adapters/index.ts'
import { gateway, json, says, upstream } from './servers.ts'

const typed = [['content-type', 'application/json']] as const
const v2Call = JSON.stringify({ chatId: 'c1', messageId: 'm1', attributes: { default_name: 'Ann' } })

/** What a reply to a ChatBot v2 route comes to. */
async function changesOf(reply: object, more: object = {}) {
	const { url: to } = await upstream(() => json(reply))
	const routes = [{ name: 'in', path: '/in', platform: 'chatbot-v2', debug: true, ...more }]
	const { send, lines } = await gateway({ upstream: { url: to }, routes }, adapters)
	const { status, headers, body } = await send({ path: '/in', headers: typed, body: v2Call })
	const header = headers.find(([name]) => name === 'dragoman-changes')?.[1] ?? ''
	await expect.poll(() => lines.filter(({ msg }) => msg === 'turn')).toHaveLength(1)
	const line = lines.find(({ msg }) => msg === 'turn')
	return { status, body, header: header.split(', '), log: line?.changes, moreInLog: line?.moreChanges }
}

test.each([150, 200])('no number of added delays hides the texts that were cut: %d', async (count) => {
	const texts = Array.from({ length: count }, () => ({ type: 'text', text: 'x'.repeat(990) }))
	const { status, header, log, moreInLog } = await changesOf({ messages: texts })
	expect(status).toBe(200)
	expect(header[0]).toBe('dropped reply messages')
	expect(header[1]).toMatch(/^added reply\.delay /)
	expect(header.at(-1)).toBe(`and ${count - (header.length - 2)} more`)
	expect(log).toEqual(['dropped messages'])
	expect(moreInLog).toBeUndefined()
})

test('nor do conversions, in a reply of more changes than are recorded', async () => {
	const session = Object.fromEntries(Array.from({ length: 700 }, (_, i) => [`number ${i}`, i]))
	const messages = [{ type: 'video', url: 'https://example.com/a.mp4', mimeType: 'video/mp4' }]
	const { header, log, moreInLog } = await changesOf({
		messages,
		attributes: { session, user: { member: true } },
		control: { close: true },
	})
	const lost = ['control.close', 'messages[0].mimeType', 'attributes.user.member'].map((path) => `dropped ${path}`)
	expect(new Set(Array.isArray(log) ? log.slice(0, 3) : [])).toEqual(new Set(lost))
	expect(header.slice(0, 3).every((each) => each.startsWith('dropped '))).toBe(true)
	// Three losses, the film as its address and 700 numbers; 20 are named in the log.
	expect(moreInLog).toBe(3 + 1 + 700 - 20)
	expect(header.at(-1)).toMatch(/^and \d+ more$/)
})

test('a strict route names the losses first, and counts what it does not name', async () => {
	const session = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`number ${i}`, i]))
	const { status, body } = await changesOf(
		{ ...says('Hi'), attributes: { session, user: { member: true } } },
		{ policy: 'strict' },
	)
	expect(status).toBe(502)
	const { changes } = JSON.parse(body)
	expect(changes[0]).toBe('dropped attributes.user.member')
	expect(changes.at(-1)).toBe('and 31 more')
})

test('the upstream learns what an event lost before what was converted, and how much is not named', async () => {
	const backend = await upstream(() => json({ chatId: 'c1' }))
	const routes = [{ name: 'in', path: '/in', platform: 'chatbot-v2' }]
	const { send } = await gateway({ upstream: { url: backend.url }, routes }, adapters)
	const unknown = Object.fromEntries(Array.from({ length: 800 }, (_, i) => [`unknown${i}`, i]))
	const broken = { chatId: 'c1', messageId: 'm1', attributes: { half: '\ud83d' }, ...unknown }
	await send({ path: '/in', headers: typed, body: JSON.stringify(broken) })
	const { turn } = JSON.parse(backend.calls[0]?.body ?? '')
	expect(turn.changes).toHaveLength(500)
	expect(turn.changes.every(({ did }: { did: string }) => did === 'dropped')).toBe(true)
	expect(turn.moreChanges).toBe(301)
})
