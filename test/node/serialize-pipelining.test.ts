/** Requests that come on one connection without waiting for their answers, byte by byte on a socket. */

import { connect } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { gatewayTo, json, says, upstream } from '../servers.ts'

const body = '{"version":1,"event":{"kind":"message","text":"Hi","attributes":{}}}'
const request = `POST /in HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`

/** A gateway whose upstream answers when it is told to. */
async function waiting() {
	const asked: ((text: string) => void)[] = []
	const { url: to } = await upstream(async () => {
		const text = await new Promise<string>((answer) => asked.push(answer))
		return json(says(text))
	})
	const { url } = await gatewayTo(to)
	const socket = connect(Number(new URL(url).port), '127.0.0.1')
	onTestFinished(() => void socket.destroy())
	const ended = new Promise<void>((done) => socket.on('error', () => {}).on('close', done))
	let whole = ''
	socket.on('data', (chunk) => {
		whole += chunk
	})
	return { asked, socket, ended, answers: () => whole.match(/HTTP\/1\.1 200 /g)?.length ?? 0 }
}

test('requests on one connection are processed one after the other, and answered in order', async () => {
	const { asked, socket, answers } = await waiting()
	socket.write(request.repeat(3))
	for (let n = 1; n <= 3; n++) {
		await expect.poll(() => asked.length).toBe(n)
		expect(answers()).toBe(n - 1)
		asked[n - 1]?.(`Hello ${n}`)
		await expect.poll(answers).toBe(n)
	}
})

test('no turn starts for a client that has disconnected', async () => {
	const { asked, socket } = await waiting()
	socket.write(request.repeat(3))
	await expect.poll(() => asked.length).toBe(1)
	socket.resetAndDestroy()
	await new Promise((passed) => setTimeout(passed, 200))
	asked[0]?.('Hello')
	await new Promise((passed) => setTimeout(passed, 200))
	expect(asked.length).toBe(1)
})

test('a connection with too many waiting requests is closed', async () => {
	const { asked, socket, ended } = await waiting()
	socket.write(request.repeat(100))
	await ended
	expect(asked.length).toBeLessThanOrEqual(1)
})
