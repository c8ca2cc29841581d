/** Calls go where their URLs lead, however many URLs there are. */
import { expect, onTestFinished, test } from 'vitest'
import { createSender } from '../../src/node/undici-client.ts'
import { upstream } from '../servers.ts'

test('each of more URLs than are remembered is called, with its query, and the first again', async () => {
	const { url, calls } = await upstream()
	const { send, close } = createSender()
	onTestFinished(close)
	const wanted = [
		...Array.from({ length: 1001 }, (_, i) => `/to/${i}?n=${i}%20a`),
		'/to/0?n=0%20a',
		'/to/1000?n=1000%20a',
	]
	for (const path of wanted) {
		await send({
			url: url + path,
			method: 'GET',
			headers: [],
			body: '',
			timeout: 5000,
			maxBytes: 1000,
			reads: 'status',
			onlyPublic: false,
		})
	}
	expect(calls.map(({ path }) => path)).toEqual(wanted)
})
