import { expect, test } from 'vitest'
import { json, message, says } from './harness/http.ts'
import { ownTo } from './harness/platforms.ts'
import { start } from './servers.ts'

async function countPauses(text: string, reply: object): Promise<number> {
	let pauses = 0
	const gateway = await start(ownTo('http://upstream.test/'), {
		as: 'inside',
		replace: () => ({
			send: async () => json(reply),
			async letOthersRun() {
				pauses++
			},
		}),
	})
	expect((await gateway.send({ path: '/own', body: message(text) })).status).toBe(200)
	return pauses
}

test('an ordinary turn never waits for others between its stages', async () => {
	expect(await countPauses('Hi', says('Hello'))).toBe(0)
})

test('a turn lets others run around each stage of a large call, and of a large reply', async () => {
	expect(await countPauses('a'.repeat(20_000), says('Hello'))).toBeGreaterThanOrEqual(4)
	expect(await countPauses('Hi', says('a'.repeat(20_000)))).toBeGreaterThanOrEqual(3)
})

test('half a surrogate pair is repaired in a large call, too', async () => {
	const attributes = { half: '\ud83d', long: 'a'.repeat(20_000) }
	const sent: unknown[] = []
	const gateway = await start(ownTo('http://upstream.test/'), {
		as: 'inside',
		replace: () => ({
			async send({ body }) {
				sent.push(JSON.parse(body).event.attributes.half)
				return json(says('Hello'))
			},
		}),
	})
	expect((await gateway.send({ path: '/own', body: message('Hi', { attributes }) })).status).toBe(200)
	expect(sent).toEqual(['\ufffd'])
})
