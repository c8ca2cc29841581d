/** A gateway with an outbox: what platforms are answered, what the backend gets, what an operator sees. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { canonical } from '../../adapters/canonical/index.ts'
import { queryToken } from '../../src/format/index.ts'
import { runOutbox } from '../../src/node/outbox/outbox-command.ts'
import type { Received } from '../harness/upstream.ts'
import { call, gateway, header, json, oneWay, ownJson, says, statusOnly, upstream } from '../servers.ts'
import { folder, keyOne, settingsOf } from './parts.ts'

const canary = 'canary-of-a-secret'
const signingKey = `whsec_${Buffer.alloc(32, 7).toString('base64')}`

/** A gateway whose route `/in` reads no answer. */
function gatewayWith(url: string, outbox: object = {}, file = join(folder(), 'outbox.db')) {
	const started = gateway(
		{
			outbox: { file, ...outbox },
			upstream: { url, sign: [{ env: 'SIGN' }] },
			routes: [
				{ name: 'in', path: '/in', platform: 'one-way' },
				{ name: 'two', path: '/two', platform: 'canonical' },
			],
		},
		[canonical, oneWay],
		{ SIGN: signingKey, ONE: keyOne },
	)
	return { started, file }
}

const idOf = (call: Received | undefined) => call && header(call, 'webhook-id')
const event = (text: string, conversation = 'c1') => ({ kind: 'message', text, conversation })

/** A command of the operator: its exit code and what it said. */
async function operator(
	settings: ReturnType<typeof settingsOf>,
	...args: string[]
): Promise<{ code: number; said: string }> {
	const lines: string[] = []
	const code = await runOutbox(args, settings, (line) => lines.push(line))
	return { code, said: lines.join('\n') }
}

function bytesOf(file: string): string {
	return readdirSync(dirname(file))
		.map((name) => readFileSync(join(dirname(file), name), 'latin1'))
		.join('\n')
}

test('a one-way event is acknowledged immediately, and reaches a backend that was down', async () => {
	let status = 503
	const backend = await upstream(() => json({ messages: [] }, status))
	const { started } = gatewayWith(backend.url, { schedule: ['0s', '300ms', '300ms', '300ms'] })
	const { url, lines } = await started
	const answer = await call(`${url}/in`, event('Hi'))
	expect([answer.status, await answer.text()]).toEqual([200, ''])
	await expect.poll(() => backend.calls.length).toBe(1)
	status = 200
	await expect.poll(() => backend.calls.length, { timeout: 5000 }).toBe(2)
	const [first, second] = backend.calls
	expect(second?.body).toBe(first?.body)
	expect(idOf(second)).toBe(idOf(first))
	expect(JSON.parse(second?.body ?? '')).toMatchObject({ event: event('Hi'), turn: { answer: 'never', route: 'in' } })
	await expect.poll(() => lines.length).toBe(3)
	expect(lines).toMatchObject([
		{ msg: 'turn', status: 200 },
		{ msg: 'delivery', level: 'warn', attempt: 1, error: 'upstream-status', upstreamStatus: 503 },
		{ msg: 'delivery', level: 'info', attempt: 2 },
	])
})

test('a platform that reads the answer gets it in the same call, with or without an outbox', async () => {
	const { url: to } = await upstream()
	const { url } = await gatewayWith(to).started
	expect(await (await call(`${url}/two`, event('Hi'))).json()).toMatchObject(says('Hello'))
})

test('with a full outbox the platform gets a 503, and a 200 again once events are delivered', async () => {
	let open = false
	const backend = await upstream(() => (open ? json(says('')) : statusOnly(503)))
	const { started } = gatewayWith(backend.url, {
		maxBytes: 1024 * 1024,
		schedule: ['0s', '1s', '1s', '1s', '1s', '1s', '1s'],
	})
	const { url } = await started
	const text = 'x'.repeat(60_000)
	const statuses: number[] = []
	while (statuses.at(-1) !== 503 && statuses.length < 100) {
		statuses.push((await call(`${url}/in`, event(text, `c${statuses.length}`))).status)
	}
	expect(statuses.at(-1)).toBe(503)
	expect(statuses.length).toBeGreaterThan(5)
	open = true
	await expect.poll(async () => (await call(`${url}/in`, event(text))).status, { timeout: 10_000 }).toBe(200)
})

test('a second gateway on the same file does not start', async () => {
	const { started, file } = gatewayWith('http://127.0.0.1:9/')
	await started
	await expect(gatewayWith('http://127.0.0.1:9/', {}, file).started).rejects.toThrow(
		'Another gateway is using the outbox',
	)
})

test('a gateway on a corrupt file does not start', async () => {
	const file = join(folder(), 'outbox.db')
	writeFileSync(file, 'x'.repeat(5000))
	await expect(gatewayWith('http://127.0.0.1:9/', {}, file).started).rejects.toThrow('is corrupt. It was not changed.')
	expect(readFileSync(file, 'utf8')).toBe('x'.repeat(5000))
})

test('the files never contain our secrets, and with a key no text of a user', async () => {
	const secrets = {
		TOKEN: `${canary}-token`,
		OUT: `${canary}-out`,
		HEADER: `${canary}-header`,
		SIGN: signingKey,
		ONE: keyOne,
	}
	const file = join(folder(), 'outbox.db')
	const guarded = ownJson('guarded', { reply: () => undefined, auth: queryToken('token') })
	const { url, lines } = await gateway(
		{
			outbox: { file, key: { env: 'ONE' }, schedule: ['0s', '1h'] },
			upstream: {
				url: 'http://127.0.0.1:9/',
				secrets: [{ env: 'OUT' }],
				headers: { 'x-key': { env: 'HEADER' } },
				sign: [{ env: 'SIGN' }],
			},
			routes: [{ name: 'in', path: '/in', platform: 'guarded', secrets: [{ env: 'TOKEN' }], raw: true }],
		},
		[canonical, guarded],
		secrets,
	)
	const headers = { 'content-type': 'application/json', authorization: `Bearer ${canary}`, cookie: canary }
	const answer = await call(`${url}/in?token=${secrets.TOKEN}`, event(`${canary} text`, `${canary} conversation`), {
		headers,
	})
	expect(answer.status).toBe(200)
	await expect.poll(() => lines.length).toBe(2)
	const bytes = bytesOf(file)
	expect(bytes).toContain('SQLite format 3')
	expect(bytes).not.toContain(canary)
	for (const secret of Object.values(secrets)) expect(bytes).not.toContain(secret)
	expect(bytes).not.toContain(Buffer.from(keyOne, 'base64').toString('latin1'))
	expect(JSON.stringify(lines)).not.toContain(canary)
})

test('an operator lists, shows, redrives and drops dead letters while the gateway runs', async () => {
	let status = 500
	const backend = await upstream(() => json({ messages: [] }, status))
	const { started, file } = gatewayWith(backend.url, { schedule: ['0s'], key: { env: 'ONE' } })
	const settings = settingsOf({ key: { env: 'ONE' } }, file)
	const { url, lines } = await started
	const attributes = { api_token: canary }
	await call(`${url}/in`, { ...event('first'), attributes })
	await call(`${url}/in`, event('second', 'c2'))
	await expect.poll(() => lines.filter(({ dead }) => dead).length).toBe(2)
	await expect.poll(async () => (await operator(settings, 'list')).said).toContain('2 dead')

	const listed = (await operator(settings, 'list', '--state', 'dead', '--route', 'in')).said
	expect(listed).toMatch(/^turn_\S+ {2}in {2}dead {2}1 attempt {2}accepted \S+Z {2}upstream-status {2}\d+ bytes$/m)
	expect(listed).not.toContain('first')
	const [id = ''] = listed.split(' ')
	const shown = (await operator(settings, 'show', id)).said
	expect(shown).toContain('"first"')
	expect(shown).not.toContain(canary)

	status = 200
	expect(await operator(settings, 'redrive', id)).toEqual({ code: 0, said: '1 event put back.' })
	await expect.poll(() => backend.calls.length, { timeout: 5000 }).toBe(3)
	await expect.poll(async () => (await operator(settings, 'list')).said).toMatch(/^1 dead$/m)
	// It is delivered, and so cannot be put back again.
	expect(await operator(settings, 'redrive', id)).toEqual({ code: 1, said: 'No such event.' })
	expect(idOf(backend.calls[2])).toBe(id)
	expect(await operator(settings, 'drop', '--all', '--state', 'dead')).toEqual({ code: 0, said: '1 event deleted.' })
	expect(await operator(settings, 'list')).toEqual({ code: 0, said: 'no stored events' })
})

test('a conversation that is erased leaves no trace, and the others stay', async () => {
	const { started, file } = gatewayWith('http://127.0.0.1:9/', { schedule: ['1h'] })
	const { url } = await started
	for (const text of ['one', 'two']) await call(`${url}/in`, event(`${canary} ${text}`, 'forget me'))
	await call(`${url}/in`, event('stays', 'other'))
	expect(bytesOf(file)).toContain(canary)
	const settings = settingsOf({}, file)
	expect(await operator(settings, 'erase', '--conversation', 'forget me')).toEqual({
		code: 0,
		said: '2 events erased.',
	})
	expect(bytesOf(file)).not.toContain(canary)
	expect(bytesOf(file)).toContain('stays')
	expect((await operator(settings, 'list')).said).toContain('1 waiting')
	expect((await call(`${url}/in`, event('again', 'forget me'))).status).toBe(200)
})

test.each([
	[['lost'], 'Unknown command "lost"; did you mean "list"?'],
	[['show'], 'Give the ID of one event'],
	[['drop', '--all'], 'drop --all requires --state.'],
	[['drop', 'x', '--all'], 'Give the ID of one event'],
	[['list', '--state', 'gone'], '--state must be waiting'],
	[['erase'], '--conversation is required by erase'],
	[['list', 'x'], 'Unexpected argument.'],
	[['list', '--colour'], "Unknown option '--colour'"],
])('the command %j is refused with a reason', async (args, reason) => {
	const { code, said } = await operator(settingsOf({}, '/nothing/outbox.db'), ...args)
	expect([code, said]).toEqual([2, expect.stringContaining(reason)])
})

test('without an outbox, or help, it says so', async () => {
	const settings = settingsOf({})
	expect((await operator(settings)).said).toContain('redrive ID | --all')
	await expect(operator(settings, 'list')).rejects.toThrow(/^There is no outbox at /)
	const other = join(folder(), 'other.db')
	const db = new DatabaseSync(other)
	db.exec('CREATE TABLE own (a)')
	db.close()
	await expect(operator({ ...settings, file: other }, 'drop', 'x')).rejects.toThrow(/not an outbox/)
})
