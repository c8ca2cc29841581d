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
