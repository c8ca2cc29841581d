/** Requests that come on one connection without waiting for their answers, byte by byte on a socket. */

import { connect } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
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
	return {
		...{ asked, socket, ended },
		/** Waits until so many calls were made, and no more. */
		calls: async (count: number) => {
			await expect.poll(() => asked.length).toBeGreaterThanOrEqual(count)
			expect(asked.length).toBe(count)
		},
		answers: () => whole.match(/HTTP\/1\.1 200 /g)?.length ?? 0,
		statuses: () => Array.from(whole.matchAll(/HTTP\/1\.1 (\d{3}) /g), ([, status]) => Number(status)),
	}
}

test('requests on one connection are processed one after the other, and answered in order', async () => {
	const { asked, calls, socket, answers } = await waiting()
	socket.write(request.repeat(3))
	for (let n = 1; n <= 3; n++) {
		await calls(n)
		expect(answers()).toBe(n - 1)
		asked[n - 1]?.(`Hello ${n}`)
		await expect.poll(answers).toBe(n)
	}
})

test('no turn starts for a client that has disconnected', async () => {
	const { asked, calls, socket } = await waiting()
	socket.write(request.repeat(3))
	await calls(1)
	socket.resetAndDestroy()
	await new Promise((passed) => setTimeout(passed, 200))
	asked[0]?.('Hello')
	await new Promise((passed) => setTimeout(passed, 200))
	expect(asked.length).toBe(1)
})

test('a connection with too many waiting requests is closed, behind the answer to the first', async () => {
	const { asked, calls, socket, ended, statuses } = await waiting()
	socket.write(request.repeat(100))
	await calls(1)
	asked[0]?.('Hello')
	await ended
	expect(statuses()).toEqual([200])
	expect(asked.length).toBe(1)
})

test('what is sent behind too many waiting requests is not read', async () => {
	const { asked, calls, socket, statuses, ended } = await waiting()
	const much = Buffer.from(request.repeat(100_000))
	socket.write(much)
	await calls(1)
	await new Promise((passed) => setTimeout(passed, 500))
	expect(socket.writableLength).toBeGreaterThan(0)
	asked[0]?.('Hello')
	await ended
	expect(statuses()).toEqual([200])
})

const chunked = 'POST /in HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n'
const broken: { readonly [what: string]: readonly [status: number, bytes: string] } = {
	'a request that is malformed': [400, 'nonsense\r\n\r\n'],
	'a header that is malformed': [400, 'GET /in HTTP/1.1\r\nhost : x\r\n\r\n'],
	'headers that are too large': [431, `GET /in HTTP/1.1\r\nhost: x\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`],
	'a length and a coding': [400, request.replace('content-length', 'transfer-encoding: chunked\r\ncontent-length')],
	'a body whose first piece is malformed': [400, `${chunked}zz\r\n`],
	'a body whose second piece is malformed': [400, `${chunked}2\r\n{}\r\nzz\r\n`],
	'a piece with extensions that are too long': [413, `${chunked}2;${'x'.repeat(20_000)}\r\n{}\r\n`],
}

describe.each(Object.entries(broken))('behind good requests, %s', (_, [status, bytes]) => {
	test.each([1, 2, 5])('is refused after the answers to all %i of them', async (good) => {
		const { asked, calls, socket, ended, statuses } = await waiting()
		socket.write(request.repeat(good) + bytes + request)
		for (let n = 1; n <= good; n++) {
			await calls(n)
			expect(statuses()).toEqual(Array(n - 1).fill(200))
			asked[n - 1]?.('Hello')
		}
		await ended
		expect(statuses()).toEqual([...Array(good).fill(200), status])
		expect(asked.length).toBe(good)
	})

	test('is refused after the answer, in a later packet', async () => {
		const { asked, calls, socket, ended, statuses } = await waiting()
		socket.write(request)
		await calls(1)
		for (const part of [bytes.slice(0, 9), bytes.slice(9), request]) {
			socket.write(part)
			await new Promise((passed) => setTimeout(passed, 50))
		}
		expect(statuses()).toEqual([])
		asked[0]?.('Hello')
		await ended
		expect(statuses()).toEqual([200, status])
	})

	test('is refused at once, if it comes first', async () => {
		const { asked, socket, ended, statuses } = await waiting()
		socket.write(bytes + request)
		await ended
		expect([statuses(), asked]).toEqual([[status], []])
	})
})

test('a request that never ends is refused after the answer to the one before it', { timeout: 20_000 }, async () => {
	const { asked, calls, socket, ended, statuses } = await waiting()
	socket.write(`${request}POST /in HT`)
	await calls(1)
	// Longer than headers may take.
	await new Promise((passed) => setTimeout(passed, 7000))
	expect(statuses()).toEqual([])
	asked[0]?.('Hello')
	await ended
	expect(statuses()).toEqual([200, 408])
})

test.each<[string, string]>([
	['that breaks off', 'POST /in HTTP/1.1\r\nhost'],
	['whose body breaks off', request.slice(0, -5)],
])('behind a good request, one %s is refused after its answer', async (_, bytes) => {
	const { asked, calls, socket, ended, statuses } = await waiting()
	socket.end(request + bytes)
	await calls(1)
	asked[0]?.('Hello')
	await ended
	expect(statuses()).toEqual([200, 400])
	expect(asked.length).toBe(1)
})

test.each<[string, string]>([
	['CONNECT', 'CONNECT other.example:443 HTTP/1.1\r\nhost: other.example:443\r\n\r\n'],
	['a request of another host', `${request.replace('host: x', 'host: x\r\nhost: y')}`],
])('the answer to a good request is sent before %s ends the connection', async (_, bytes) => {
	const { asked, calls, socket, ended, statuses } = await waiting()
	socket.write(request + bytes + request)
	await calls(1)
	asked[0]?.('Hello')
	await ended
	expect(statuses()[0]).toBe(200)
	expect(asked.length).toBe(1)
})

const upgrades: { readonly [what: string]: string } = {
	'with a body': request.replace('host: x', 'host: x\r\nconnection: upgrade, http2-settings\r\nupgrade: h2c'),
	'without a body': 'GET /readyz HTTP/1.1\r\nhost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
}

test.each(Object.entries(upgrades))(
	'a request that asks for an upgrade, %s, is the last one of its connection',
	async (what, bytes) => {
		for (const later of [false, true]) {
			const { asked, calls, socket, ended, statuses } = await waiting()
			socket.write(later ? bytes : bytes + request)
			if (what === 'with a body') await calls(1)
			if (later) socket.write(request)
			await new Promise((passed) => setTimeout(passed, 50))
			asked[0]?.('Hello')
			await ended
			expect(statuses()).toEqual([200])
			expect(asked.length).toBe(what === 'with a body' ? 1 : 0)
		}
	},
)

test('what is sent behind a request that asks for an upgrade is not read', async () => {
	const { asked, calls, socket, statuses, ended } = await waiting()
	socket.write(upgrades['with a body'] ?? '')
	await calls(1)
	socket.write(Buffer.from(request.repeat(100_000)))
	await new Promise((passed) => setTimeout(passed, 500))
	expect(socket.writableLength).toBeGreaterThan(0)
	asked[0]?.('Hello')
	await ended
	expect(statuses()).toEqual([200])
})

test('a request behind one that closes the connection is not handled', async () => {
	const { asked, calls, socket, ended, statuses } = await waiting()
	socket.write(request.replace('host: x', 'host: x\r\nconnection: close') + request)
	await calls(1)
	asked[0]?.('Hello')
	await ended
	expect(statuses()).toEqual([200])
	expect(asked.length).toBe(1)
})
