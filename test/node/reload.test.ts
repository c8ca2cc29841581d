/** Another configuration while calls come: none fails, each sees one of them whole, and what is wrong changes nothing. */
import { type ChildProcess, execFileSync } from 'node:child_process'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { canonical } from '../../adapters/canonical/index.ts'
import { folder } from '../outbox/parts.ts'
import { call, gateway, header, json, oneWay, says, start, statusOnly, upstream } from '../servers.ts'

const route = { name: 'in', path: '/in', platform: 'canonical' }

/** A bounded number of calls at once, until `done`; what each of them came to. */
async function load<Result>(callers: number, done: () => boolean, one: () => Promise<Result>): Promise<Result[]> {
	const results: Result[] = []
	const caller = async () => {
		while (!done()) results.push(await one())
	}
	await Promise.all(Array.from({ length: callers }, caller))
	return results
}

/** Tells which configuration called it, by path and by header, when the next ones may have come already. */
async function tellingUpstream() {
	let delay = 0
	return upstream(async (call, { pause }) => {
		delay = (delay + 7) % 40
		await pause(delay)
		return json(says(`${call.path.slice(1)} ${header(call, 'x-generation')}`))
	})
}

/** Of each generation every part says its number: where it calls, what it adds, and, of odd ones, how it answers. */
const generation = (number: number, url: string, path = '/in') => ({
	upstream: { url: `${url}/${number}`, headers: { 'x-generation': String(number) } },
	routes: [{ ...route, path, debug: number % 2 === 1 }],
})

test('each call uses one whole configuration, however often it is replaced, and none fails', async () => {
	const { url: to } = await tellingUpstream()
	const { url, reload, lines } = await gateway(generation(0, to))
	const reloads = 100
	let done = false
	const calls = load(
		16,
		() => done,
		async () => {
			const answer = await call(`${url}/in`)
			const [said = '', again] = (await answer.json()).messages[0].text.split(' ')
			return { status: answer.status, said, again, debug: answer.headers.has('dragoman-changes') }
		},
	)
	for (let number = 1; number <= reloads; number++) {
		await wait(10)
		reload(generation(number, to))
	}
	done = true
	const results = await calls
	expect(results.length).toBeGreaterThan(reloads)
	for (const { status, said, again, debug } of results) {
		expect({ status, again, debug }).toEqual({ status: 200, again: said, debug: Number(said) % 2 === 1 })
	}
	// The load was there while they were replaced.
	expect(new Set(results.map(({ said }) => said)).size).toBeGreaterThan(reloads / 4)
	expect(lines.filter(({ msg }) => msg === 'reload')).toHaveLength(reloads)
})

test('a turn in progress finishes with its configuration; a removed path is gone immediately', async () => {
	const reached = Promise.withResolvers<void>()
	const released = Promise.withResolvers<void>()
	const { url: to } = await upstream(async () => {
		reached.resolve()
		await released.promise
		return json(says('As it was'))
	})
	const { url, reload } = await gateway(generation(1, to))
	const slow = call(`${url}/in`)
	await reached.promise
	reload(generation(2, to, '/elsewhere'))
	expect((await call(`${url}/in`)).status).toBe(404)
	released.resolve()
	const answer = await slow
	expect([answer.status, answer.headers.get('dragoman-changes')]).toEqual([200, 'none'])
	expect((await call(`${url}/elsewhere`)).status).toBe(200)
})

test('an invalid configuration is rejected with every mistake, and the old one stays', async () => {
	const { url: to } = await tellingUpstream()
	const { url, reload, routes, lines } = await gateway(generation(1, to))
	const wrong: readonly (readonly [config: unknown, mistakes: readonly string[]])[] = [
		[undefined, ['must be an object']],
		[{ routes: [] }, ['routes: must be a list of at least one route']],
		[
			{ upstream: { url: 'x' }, routes: [route, route] },
			[
				'upstream.url: must be an absolute http or https URL, or "builtin:demo"',
				'routes[1].name: is already the name of another route',
				'routes[1].path: is already the path of another route',
			],
		],
		[
			{ ...generation(2, to), outbox: { file: join(folder(), 'outbox.db') }, metrics: { port: 0 } },
			[
				'outbox: cannot be changed while the gateway runs; restart it',
				'metrics: cannot be changed while the gateway runs; restart it',
			],
		],
	]
	for (const [config, mistakes] of wrong) {
		expect(() => reload(config)).toThrow(expect.objectContaining({ name: 'ConfigError', mistakes }))
		expect(await (await call(`${url}/in`)).json()).toMatchObject(says('1 1'))
	}
	expect(routes).toHaveLength(1)
	expect(lines.filter(({ msg }) => msg !== 'turn')).toEqual([])
})

test('remembered answers, open choices and connections to the upstream survive a reload', async () => {
	const choices = [{ title: 'Red', value: 'colour-1' }]
	const backend = await upstream(() => json({ messages: [{ type: 'choices', text: 'Which?', choices }] }))
	const { url: to, calls } = backend
	const { url, reload } = await gateway(generation(1, to))
	const asks = { id: 'e1', kind: 'message', conversation: 'c1', text: 'Hi' }
	const first = await (await call(`${url}/in`, asks)).text()
	reload(generation(2, to))
	expect(await (await call(`${url}/in`, asks)).text()).toBe(first)
	expect(calls).toHaveLength(1)
	await call(`${url}/in`, { kind: 'message', conversation: 'c1', text: 'red' })
	expect(JSON.parse(calls[1]?.body ?? '').event.choice).toEqual({ value: 'colour-1', label: 'Red' })
	expect(backend.connections).toBe(1)
})

test('events accepted before a reload go to the new upstream of their route', async () => {
	const broken = await upstream(() => statusOnly(500))
	const repaired = await upstream()
	const outbox = { file: join(folder(), 'outbox.db'), schedule: ['0s', '300ms', '300ms', '300ms', '300ms'] }
	const config = (url: string) => ({ outbox, upstream: { url }, routes: [{ ...route, platform: 'one-way' }] })
	const { url, reload } = await gateway(config(broken.url), [canonical, oneWay])
	expect((await call(`${url}/in`, { kind: 'message', text: 'Hi' })).status).toBe(200)
	await expect.poll(() => broken.calls.length).toBeGreaterThan(0)
	reload(config(repaired.url))
	await expect.poll(() => repaired.calls.length, { timeout: 10_000 }).toBe(1)
})

test('on SIGHUP the process reads its file again, and logs the result', async () => {
	const { url: to } = await tellingUpstream()
	const { url, process, configure, lines, end } = await start(generation(1, to))
	const reloads = () => lines.filter(({ msg }) => msg === 'reload')
	const heard = async (path: string) => (await (await call(url + path)).json()).messages?.[0].text
	const signal = async () => {
		const before = reloads().length
		process.kill('SIGHUP')
		await expect.poll(() => reloads().length).toBe(before + 1)
	}
	expect(await heard('/in')).toBe('1 1')
	configure({ ...generation(2, to), routes: [route, { ...route, name: 'more', path: '/more' }] })
	await signal()
	expect(await heard('/more')).toBe('2 2')
	configure({ ...generation(3, to), colour: 'red' })
	await signal()
	configure('{')
	await signal()
	expect(await heard('/in')).toBe('2 2')
	expect(reloads()).toMatchObject([
		{ level: 'info', routes: 2 },
		{ level: 'error', mistakes: ['colour: no such key'] },
		{ level: 'error', mistakes: [expect.stringContaining('is not JSON: line 1, column 2.')] },
	])
	expect(await end()).toBe(0)
})

test('a SIGHUP during the start neither ends the process nor is lost', async () => {
	const { url: to } = await tellingUpstream()
	const file = join(folder(), 'gateway.json')
	execFileSync('mkfifo', [file])
	let child: ChildProcess | undefined
	const starting = start(undefined, {
		env: { DRAGOMAN_CONFIG: file },
		spawned(process) {
			child = process
		},
	})
	const tell = async (config: object, meanwhile = () => {}) => {
		// Opens when somebody reads.
		const pipe = await open(file, 'w')
		meanwhile()
		await pipe.writeFile(JSON.stringify(config))
		await pipe.close()
	}
	await tell(generation(1, to), () => child?.kill('SIGHUP'))
	const { url, lines, end } = await starting
	await tell(generation(2, to))
	await expect.poll(() => lines).toMatchObject([{ msg: 'reload', level: 'info', routes: 1 }])
	expect(await (await call(`${url}/in`)).json()).toMatchObject(says('2 2'))
	expect(await end()).toBe(0)
})

test('a SIGHUP while the program loads its modules neither ends the process nor is lost', async () => {
	const { url: to } = await tellingUpstream()
	// Signals itself when the first adapter is loaded, and gives the signal time to arrive.
	const preload = `
		import { registerHooks } from 'node:module'
		const sleep = new Int32Array(new SharedArrayBuffer(4))
		registerHooks({
			load(url, context, next) {
				if (url.endsWith('/adapters/index.ts')) {
					process.kill(process.pid, 'SIGHUP')
					Atomics.wait(sleep, 0, 0, 100)
				}
				return next(url, context)
			},
		})
	`
	const { lines, end } = await start(generation(1, to), { preload })
	await expect.poll(() => lines).toMatchObject([{ msg: 'reload', level: 'info', routes: 1 }])
	expect(await end()).toBe(0)
})

test('the start names the process that takes SIGHUP', async () => {
	const { url: to } = await tellingUpstream()
	const { process, written } = await start(generation(1, to))
	await expect.poll(written).toContain(`\nReload the configuration: kill -HUP ${process.pid}\n`)
})
