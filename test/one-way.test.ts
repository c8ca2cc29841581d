/** Events whose answer no platform reads: the status of the upstream decides, whatever comes behind it. */
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { adapters } from '../adapters/index.ts'
import { folder } from './harness/scope.ts'
import { bytesOf, type Connection, headOf, type Script } from './harness/upstream.ts'
import { start, testScope, upstream } from './servers.ts'

const typed = (type: string) => [['content-type', type]] as const
const answer = (status: number, type: string, body: string | Buffer) => bytesOf({ status, headers: typed(type), body })
const pours = (piece: string, pause: number) => async (connection: Connection) => {
	while (connection.open) {
		await connection.write(piece)
		await connection.pause(pause)
	}
}

/** Answers with which a backend takes an event. */
const taken: { readonly [what: string]: Script } = {
	'plain text': () => answer(200, 'text/plain', 'Accepted'),
	HTML: () => answer(200, 'text/html; charset=utf-8', 'OK'),
	'JSON that is no reply': () => answer(200, 'application/json', '{"success":true}'),
	null: () => answer(201, 'application/json', 'null'),
	'broken JSON': () => answer(202, 'application/json', '{"messages":['),
	nothing: () => answer(204, 'application/json', ''),
	'bytes in Latin-1': () => answer(200, 'text/plain; charset=iso-8859-1', Buffer.from('Empf\xe4ngen', 'latin1')),
	'gzip that was not asked for': () =>
		bytesOf({ status: 200, headers: [...typed('text/html'), ['content-encoding', 'gzip']], body: gzipSync('OK') }),
	'bytes that claim to be compressed': () =>
		bytesOf({ status: 200, headers: [['content-encoding', 'zstd']], body: 'OK' }),
	'1.1 MB': () => answer(200, 'text/html', 'x'.repeat(1_100_000)),
	'a body without end': async (_, connection) => {
		await connection.write(headOf(200, [...typed('text/html'), ['transfer-encoding', 'chunked']]))
		await pours(`10000\r\n${'x'.repeat(65_536)}\r\n`, 0)(connection)
	},
	'a stream of events that stays open': async (_, connection) => {
		await connection.write(headOf(200, [...typed('text/event-stream'), ['transfer-encoding', 'chunked']]))
		await pours('9\r\ndata: 1\n\n\r\n', 300)(connection)
	},
	'a body that is cut': async (_, { write, pause, socket }) => {
		await write(headOf(200, [['content-length', '20']]))
		await write('Acc')
		await pause(20)
		socket.destroy()
	},
	'a body that never comes': async (_, { write, gone }) => {
		await write(headOf(200, [['content-length', '20']]))
		await gone
	},
	'a broken chunk': () => `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n`,
}

const external = (id: string) =>
	JSON.stringify({
		timestamp: 1,
		payload: { _id: id, text: id, sender: 'u1', recipient: 'support-group-1', attributes: {} },
		hook: { type: 'external' },
		token: 'x',
	})
const calls: { readonly [platform: string]: readonly [path: string, body: string] } = {
	pingstreams: ['/pingstreams', external('m1')],
	'snatchbot-webhook': ['/snatchbot-webhook', '{"time":"","data":"\\"hello\\"","ip":""}'],
}

const platforms = Object.keys(calls)
const formats = adapters.map(({ name }) => name)
/** Each of them by a path of the backend. */
const scripts = Object.fromEntries(Object.values(taken).map((script, i) => [`/${i}`, script]))

test.each(['server', 'worker', 'with an outbox'] as const)(
	'an event is taken with its 2xx status, and reaches the backend once: %s',
	{ timeout: 120_000 },
	async (runtime) => {
		const backend = await upstream(scripts)
		const routes = Object.keys(scripts).flatMap((path) =>
			platforms.map((platform) => ({
				name: platform + path.replace('/', '-'),
				path: `/${platform}${path}`,
				platform,
				open: true,
				upstream: { url: `${backend.url}${path}`, timeout: 8000 },
			})),
		)
		const outbox = { file: join(folder(testScope), 'outbox.db') }
		const config = runtime === 'with an outbox' ? { outbox, routes } : { routes }
		const { send, lines } =
			runtime === 'worker' ? await start(config, { as: 'worker' }) : await start(config, { as: 'server', adapters })
		const answers = await Promise.all(
			routes.map(async ({ path, platform, name }) => {
				const body = calls[platform]?.[1] ?? ''
				return { name, status: (await send({ path, body, headers: typed('application/json') })).status }
			}),
		)
		expect(answers.filter(({ status }) => status !== 200)).toEqual([])
		const deliveries = () => lines.filter(({ msg }) => msg === 'delivery')
		if (runtime !== 'server') {
			await expect.poll(() => deliveries().length, { timeout: 20_000 }).toBe(routes.length)
			expect(deliveries().filter(({ level }) => level !== 'info')).toEqual([])
		}
		expect(backend.calls).toHaveLength(routes.length)
	},
)

test.each(formats)('an event for a backend of the format %s is taken with its status, too', async (adapter) => {
	const backend = await upstream(() => answer(200, 'text/html', 'OK'))
	const routes = platforms.map((platform) => ({
		name: platform,
		path: `/${platform}`,
		platform,
		upstream: { url: backend.url, adapter },
	}))
	const { send } = await start({ routes }, { as: 'server', adapters })
	for (const [path, body] of Object.values(calls)) {
		expect((await send({ path, body, headers: typed('application/json') })).status).toBe(200)
	}
	expect(backend.calls).toHaveLength(platforms.length)
})

test('with an outbox, a body that never ends does not hold up the next event of its conversation', async () => {
	const backend = await upstream(taken['a stream of events that stays open'])
	const outbox = { file: join(folder(testScope), 'outbox.db') }
	const route = { name: 'in', path: '/in', platform: 'pingstreams', upstream: { url: backend.url } }
	const { send } = await start({ outbox, routes: [route] }, { as: 'server', adapters })
	for (const id of ['m1', 'm2']) {
		await send({ path: '/in', body: external(id), headers: typed('application/json') })
	}
	await expect.poll(() => backend.calls.length).toBe(2)
})

test('the connection of a short answer that is not read serves again', async () => {
	const backend = await upstream(() => answer(200, 'text/html', 'OK'))
	const route = { name: 'in', path: '/in', platform: 'snatchbot-webhook', upstream: { url: backend.url } }
	const { send } = await start({ routes: [route] }, { as: 'server', adapters })
	const [, body] = calls['snatchbot-webhook'] ?? []
	for (let i = 0; i < 5; i++) {
		expect((await send({ path: '/in', body: body ?? '', headers: typed('application/json') })).status).toBe(200)
	}
	expect(backend.connections).toBe(1)
})
