/** A gateway with an outbox in a file; what is the same over every store is in gateway-suite.ts. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { canonical } from '../../adapters/canonical/index.ts'
import { queryToken } from '../../src/format/index.ts'
import { runOutbox } from '../../src/node/outbox/outbox-command.ts'
import { call, gateway, oneWay, ownJson, says, upstream } from '../servers.ts'
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

test('a platform that reads the answer gets it in the same call, with or without an outbox', async () => {
	const { url: to } = await upstream()
	const { url } = await gatewayWith(to).started
	expect(await (await call(`${url}/two`, event('Hi'))).json()).toMatchObject(says('Hello'))
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
