/** The gateway as a process: what it says, where it refuses to start, and how it ends. */
import { open } from 'node:fs/promises'
import { createServer } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { start } from './node/program.ts'
import { call, json, says, upstream } from './servers.ts'

const canary = 'canary-of-a-secret'

const route = { name: 'own', path: '/own', platform: 'canonical' }

test('with nothing set it starts, and says how to try every route', async () => {
	const { url, told, ended, kill } = await start(undefined)
	const at = await url
	await expect.poll(told).toContain('/canonical')
	// Each line is a call that a shell can make: its arguments are in single quotes.
	const curls = [...told().matchAll(/curl '(\S+)' -H 'content-type: application\/json' -d '(.+)'/g)]
	expect(curls.length).toBeGreaterThanOrEqual(5)
	for (const [, target = '', body = ''] of curls) {
		expect(target).toContain(at)
		const answer = await call(target, undefined, { body: body.replaceAll("'\\''", "'") })
		expect(answer.status).toBe(200)
		// A platform that reads no answer gets none.
		expect(['', expect.stringContaining('I repeat what you write')]).toContainEqual(await answer.text())
	}
	kill('SIGTERM')
	expect(await ended).toBe(0)
})

test('it never tells a secret', async () => {
	const config = {
		upstream: { url: `http://127.0.0.1:9/${canary}?token=${canary}` },
		routes: [{ ...route, secrets: [{ env: 'SECRET' }] }],
	}
	const { url, told, lines, kill, ended } = await start(config, { SECRET: canary })
	await url
	await expect.poll(told).toContain("/own/YOUR-SECRET'")
	expect((await call(`${await url}/own/${canary}`)).status).toBe(502)
	kill('SIGTERM')
	await ended
	expect(told()).not.toContain(canary)
	expect(lines()).toMatchObject([{ level: 'error', error: 'upstream-unreachable' }])
	expect(JSON.stringify(lines())).not.toContain(canary)
})

test('with a wrong configuration it names every mistake and ends', async () => {
	const config = { upstream: { url: canary }, routes: [{ ...route, colour: canary, secrets: [{ env: 'GONE' }] }] }
	const { ended, told } = await start(config)
	expect(await ended).toBe(78)
	expect(told()).toBe(`The configuration has 3 mistakes.
  upstream.url: must be an absolute http or https URL, or "builtin:demo"
  routes[0].colour: no such key
  routes[0].secrets[0].env: the environment variable GONE is not set
`)
})

test('with a configuration that is not there, or not JSON, it says so and where', async () => {
	const absent = await start(undefined, { DRAGOMAN_CONFIG: '/nothing/here.json' })
	expect(await absent.ended).toBe(78)
	expect(absent.told()).toContain('/nothing/here.json cannot be read (ENOENT). Set DRAGOMAN_CONFIG')
	const broken = await start(`{\n\t"upstream": { "url": "${canary}", }\n}`)
	expect(await broken.ended).toBe(78)
	expect(broken.told()).toContain('gateway.json is not JSON: line 2, column ')
	expect(broken.told()).toContain('trailing commas')
	expect(broken.told()).not.toContain(canary)
	// Of this one the parser does not tell the position.
	const short = await start('{"routes":[1,]}')
	expect(await short.ended).toBe(78)
	expect(short.told()).toContain('gateway.json is not JSON. Comments and trailing commas')
})

test('with a port in use, or none, it says so and ends', async () => {
	const server = createServer()
	await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
	onTestFinished(() => void server.close())
	const address = server.address()
	const port = String(typeof address === 'object' && address?.port)
	const taken = await start(undefined, { PORT: port })
	expect(await taken.ended).toBe(69)
	expect(taken.told()).toBe(`Port ${port} on 127.0.0.1 is in use. Set PORT to another.\n`)
	const odd = await start(undefined, { PORT: '70000' })
	expect(await odd.ended).toBe(78)
	expect(odd.told()).toContain('PORT must be a number')
})

test('beyond this machine it wants secrets', async () => {
	const { ended, told } = await start(undefined, { HOST: '0.0.0.0' })
	expect(await ended).toBe(78)
	expect(told()).toContain('routes[0].secrets: is required unless the gateway listens on localhost')
})

test.each(['SIGTERM', 'SIGINT'] as const)('on %s the turns in hand end, and then the process', async (signal) => {
	const reached = Promise.withResolvers<void>()
	const released = Promise.withResolvers<void>()
	const { url: to } = await upstream(async (response) => {
		reached.resolve()
		await released.promise
		json(response, says('Just in time'))
	})
	const { url, ended, kill, lines } = await start({ upstream: { url: to }, routes: [route] })
	const at = await url
	const slow = fetch(`${at}/own`, {
		method: 'POST',
		headers: { 'content-type': 'application/json' },
		body: JSON.stringify({ event: { kind: 'message', text: 'Hi' } }),
	})
	await reached.promise
	kill(signal)
	// The signal takes its time to arrive; then readiness is refused, and soon after the connection.
	let ready: Response | undefined
	do ready = await fetch(`${at}/readyz`).catch(() => undefined)
	while (ready?.status === 200)
	if (ready) expect([ready.status, ready.headers.get('connection')]).toEqual([503, 'close'])
	released.resolve()
	const answer = await slow
	expect(await answer.json()).toMatchObject(says('Just in time'))
	expect(answer.headers.get('connection')).toBe('close')
	expect(await ended).toBe(0)
	expect(lines()).toMatchObject([{ level: 'info', msg: 'turn', status: 200 }])
})

test.runIf(process.platform === 'linux')(
	'where the log cannot be written, turns go on, and it ends as always',
	async () => {
		const full = await open('/dev/full', 'w')
		onTestFinished(() => full.close())
		const { url, ended, kill } = await start(undefined, {}, full.fd)
		const at = `${await url}/canonical`
		for (let i = 0; i < 3; i++) expect((await call(at)).status).toBe(200)
		kill('SIGTERM')
		expect(await ended).toBe(0)
	},
)
