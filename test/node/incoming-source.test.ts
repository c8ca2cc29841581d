/** The body of a call is taken as it came: with its head, behind it, in pieces, or not to its end. */
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { connect, type Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { incomingSource } from '../../src/node/incoming-source.ts'

/** Takes what comes, and answers with its length; with why, where it broke off. */
const server = createServer((incoming, outgoing) => {
	calls.push(incoming)
	const most = Number(incoming.headers['x-most'] ?? Number.POSITIVE_INFINITY)
	let size = 0
	const taken = incomingSource(incoming)((chunk) => {
		size += chunk.byteLength
		if (size > most) throw new Error('Too much')
	})
	outcomes.push(
		taken.then(
			() => `${size}`,
			(thrown: Error) => thrown.message,
		),
	)
	taken.then(
		() => outgoing.end(`${size}`),
		() => outgoing.destroy(),
	)
})
const calls: IncomingMessage[] = []
const outcomes: Promise<string>[] = []
let port = 0

beforeAll(async () => {
	server.listen(0, '127.0.0.1')
	await once(server, 'listening')
	const address = server.address()
	if (typeof address === 'object') port = address?.port ?? 0
	return () => server.close().closeAllConnections()
})

const head = (length: number, more = ''): string =>
	`POST / HTTP/1.1\r\nhost: x\r\n${more}content-length: ${length}\r\n\r\n`

/** Opens a connection, writes each text after a while, and returns the call and what came of it. */
async function sent(
	...texts: string[]
): Promise<{ readonly socket: Socket; readonly call: IncomingMessage | undefined; outcome(): Promise<string> }> {
	const socket = connect({ port, host: '127.0.0.1', noDelay: true })
	onTestFinished(() => void socket.destroy())
	await once(socket, 'connect')
	const arrived = once(server, 'request')
	for (const [i, text] of texts.entries()) {
		if (i > 0) await wait(20)
		socket.write(text)
	}
	await arrived
	const outcome = outcomes.at(-1)
	return { socket, call: calls.at(-1), outcome: async () => `${await outcome}` }
}

test('a body that comes with its head is taken without being listened for', async () => {
	const { call, outcome } = await sent(`${head(5)}hello`)
	const listeners = call?.listenerCount('data')
	expect(await outcome()).toBe('5')
	expect([listeners, call?.listenerCount('data'), call?.listenerCount('close')]).toEqual([0, 0, 0])
})

test.each([
	['none', [head(0)], '0'],
	['behind its head', [head(5), 'hello'], '5'],
	['in pieces', [`${head(5)}h`, 'el', 'lo'], '5'],
	['larger than what is held back', [head(300_000) + 'x'.repeat(300_000)], '300000'],
	['chunked', ['POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n', '0\r\n\r\n'], '5'],
])('a body is taken whole: %s', async (_, texts, size) => {
	expect(await (await sent(...texts)).outcome()).toBe(size)
})

test.each([
	['at once', [head(5)]],
	['in the middle', [`${head(5)}he`, 'l']],
])('a sender that disconnects %s is an error, and not the end of the body', async (_, texts) => {
	const { socket, call, outcome } = await sent(...texts)
	socket.destroy()
	expect(await outcome()).toBe('aborted')
	// The same where it is known before the body is looked for.
	await expect(call && incomingSource(call)(() => {})).rejects.toThrow('The sender broke off')
})

test.each([
	['with its head', [`${head(5, 'x-most: 3\r\n')}hello`]],
	['behind it', [head(5, 'x-most: 3\r\n'), 'hel', 'lo']],
])('what the taker throws ends the taking of a body that comes %s', async (_, texts) => {
	expect(await (await sent(...texts)).outcome()).toBe('Too much')
})
