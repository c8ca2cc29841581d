/** The gateway as a process: what it says, where it refuses to start, and how it ends. */
import { open } from 'node:fs/promises'
import { expect, onTestFinished, test } from 'vitest'
import { StartFailed } from './harness/gateway.ts'
import { dial } from './harness/sockets.ts'
import { call, json, says, start, testScope, upstream } from './servers.ts'

const canary = 'canary-of-a-secret'

const route = { name: 'own', path: '/own', platform: 'canonical' }

test('it starts without any settings, and shows how to try every route', async () => {
	const { url, written, end } = await start(undefined)
	await expect.poll(written).toContain('/canonical')
	// Each line is a call that a shell can make: its arguments are in single quotes.
	const curls = [...written().matchAll(/curl '(\S+)' -H 'content-type: application\/json' -d '(.+)'\n(.*)/g)]
	expect(curls.length).toBeGreaterThanOrEqual(5)
	for (const [, target = '', body = '', next] of curls) {
		expect(target).toContain(url)
		const answer = await call(target, undefined, { body: body.replaceAll("'\\''", "'") })
		expect(answer.status).toBe(200)
		const isUnread = next === '  (the platform reads no answer)'
		expect(await answer.text()).toEqual(isUnread ? '' : expect.stringContaining('I repeat what you write'))
	}
	expect(await end()).toBe(0)
})

test('it never prints a secret', async () => {
	const config = {
		upstream: { url: `http://127.0.0.1:9/${canary}?token=${canary}` },
		routes: [{ ...route, secrets: [{ env: 'SECRET' }] }],
	}
	const { url, written, lines, end } = await start(config, { env: { SECRET: canary } })
	await expect.poll(written).toContain("/own/YOUR-SECRET'")
	expect((await call(`${url}/own/${canary}`)).status).toBe(502)
	await end()
	expect(lines).toMatchObject([{ level: 'error', error: 'upstream-unreachable' }])
	expect(written()).not.toContain(canary)
})

test('with a wrong configuration it names every mistake and ends', async () => {
	const config = { upstream: { url: canary }, routes: [{ ...route, colour: canary, secrets: [{ env: 'GONE' }] }] }
	await expect(start(config)).rejects.toMatchObject({
		code: 78,
		said: expect.stringContaining(`gateway.json has 3 mistakes.
  upstream.url: must be an absolute http or https URL, or "builtin:demo"
  routes[0].colour: no such key
  routes[0].secrets[0].env: the environment variable GONE is not set
`),
	})
})

test('with a missing configuration, or one that is not JSON, it says so and where', async () => {
	const failed = async (config: string | undefined, env = {}): Promise<string> => {
		const failure = await start(config, { env }).catch((thrown: unknown) => thrown)
		if (!(failure instanceof StartFailed)) throw new Error('it started')
		expect(failure.code).toBe(78)
		return failure.said
	}
	const absent = await failed(undefined, { DRAGOMAN_CONFIG: '/nothing/here.json' })
	expect(absent).toContain(
		'/nothing/here.json does not exist. Make one with "npm run -s dragoman -- init", or name another with --config',
	)
	const broken = await failed(`{
	"upstream": { "url": "${canary}", }
}`)
	expect(broken).toContain('gateway.json is not JSON: line 2, column ')
	expect(broken).toContain('trailing commas')
	expect(broken).not.toContain(canary)
	// Of this one the parser does not tell the position.
	expect(await failed('{"routes":[1,]}')).toContain('gateway.json is not JSON. Comments and trailing commas')
})

test('with a port that is in use or invalid, it says so and ends', async () => {
	const { port } = new URL((await upstream()).url)
	const said = `Port ${port} on 127.0.0.1 is in use. Set PORT to another.
`
	await expect(start(undefined, { env: { PORT: port } })).rejects.toMatchObject({ code: 69, said })
	const odd = { code: 78, said: expect.stringMatching(/^The environment variable PORT must be a number/) }
	await expect(start(undefined, { env: { PORT: '70000' } })).rejects.toMatchObject(odd)
})

test('it requires secrets unless it listens on localhost', async () => {
	const said = expect.stringContaining('routes[0].secrets: is required unless the gateway listens on localhost')
	await expect(start(undefined, { env: { HOST: '0.0.0.0' } })).rejects.toMatchObject({ code: 78, said })
})

test.each(['SIGTERM', 'SIGINT'] as const)('on %s the process finishes its turns, and then ends', async (signal) => {
	const reached = Promise.withResolvers<void>()
	const released = Promise.withResolvers<void>()
	const { url: to } = await upstream(async () => {
		reached.resolve()
		await released.promise
		return json(says('Just in time'))
	})
	const { url, process, ended, lines } = await start({ upstream: { url: to }, routes: [route] })
	// A caller who has said the half of a request is not idle.
	const half = dial(testScope, url)
	half.socket.write('GET /readyz HTTP/1.1\r\nhost: x\r\n')
	const slow = call(`${url}/own`)
	await reached.promise
	process.kill(signal)
	// The signal takes its time to arrive; then new connections are refused.
	const ready = () => fetch(`${url}/readyz`).then(({ status }) => status, String)
	await expect.poll(ready).not.toBe(200)
	half.socket.write('\r\n')
	await expect.poll(half.received).toMatch(/^HTTP\/1\.1 503 .*^connection: close\r$/ims)
	released.resolve()
	const answer = await slow
	expect(await answer.json()).toMatchObject(says('Just in time'))
	expect(answer.headers.get('connection')).toBe('close')
	expect(await ended).toBe(0)
	expect(lines).toMatchObject([{ level: 'info', msg: 'turn', status: 200 }])
})

test.runIf(process.platform === 'linux')(
	'where the log cannot be written, turns go on, and it ends as always',
	async () => {
		const full = await open('/dev/full', 'w')
		onTestFinished(() => full.close())
		const { url, end } = await start(undefined, { output: full.fd })
		for (let i = 0; i < 3; i++) expect((await call(`${url}/canonical`)).status).toBe(200)
		expect(await end()).toBe(0)
	},
)
