/** What a gateway with an outbox promises over every store: what platforms are answered, and what an operator sees. */
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { canonical } from '../../adapters/canonical/index.ts'
import type { OutboxSettings } from '../../src/config/index.ts'
import { runOutbox } from '../../src/node/outbox/outbox-command.ts'
import { call, gateway, header, json, oneWay, says, start, statusOnly, upstream } from '../servers.ts'
import { keyOne } from './rig.ts'
import type { StoreKind } from './store-suite.ts'

const canary = 'canary-of-a-secret'
const signingKey = `whsec_${Buffer.alloc(32, 7).toString('base64')}`

const idOf = (call: Parameters<typeof header>[0] | undefined) => call && header(call, 'webhook-id')
const event = (text: string, conversation = 'c1') => ({ kind: 'message', text, conversation })

/** A command of the operator: its exit code and what it said. */
async function operator(settings: OutboxSettings, ...args: string[]): Promise<{ code: number; said: string }> {
	const lines: string[] = []
	const code = await runOutbox(args, settings, (line) => lines.push(line))
	return { code, said: lines.join('\n') }
}

/** Registers the tests for a kind of store. */
export function gatewaySuite(kind: StoreKind): void {
	/** What a configuration says of the outbox, with the environment that it needs. */
	function placeOf(settings: OutboxSettings): [place: object, env: { readonly [name: string]: string }] {
		if ('file' in settings) return [{ file: settings.file }, {}]
		return [{ postgres: { env: 'DATABASE_URL' } }, { DATABASE_URL: settings.postgres.url }]
	}

	/** A gateway whose route `/in` reads no answer. */
	async function gatewayWith(url: string, given: object) {
		const settings = await kind.settingsOf(given)
		const [store, env] = placeOf(settings)
		const config = {
			outbox: { ...store, ...given },
			upstream: { url, sign: [{ env: 'SIGN' }] },
			routes: [{ name: 'in', path: '/in', platform: 'one-way' }],
		}
		const started = gateway(config, [canonical, oneWay], { SIGN: signingKey, ONE: keyOne, ...env })
		return { started, settings }
	}

	test(`${kind.name}: a one-way event is acknowledged immediately, and reaches a backend that was down`, async () => {
		let status = 503
		const backend = await upstream(() => json({ messages: [] }, status))
		const { started } = await gatewayWith(backend.url, { schedule: ['0s', '300ms', '300ms', '300ms'] })
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

	test(`${kind.name}: with a full outbox the platform gets a 503, and a 200 again once events are delivered`, async () => {
		let open = false
		const backend = await upstream(() => (open ? json(says('')) : statusOnly(503)))
		const { started } = await gatewayWith(backend.url, {
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

	test(`${kind.name}: an operator lists, shows, redrives and drops dead letters while the gateway runs`, async () => {
		let status = 500
		const backend = await upstream(() => json({ messages: [] }, status))
		const { started, settings } = await gatewayWith(backend.url, { schedule: ['0s'], key: { env: 'ONE' } })
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

	test(`${kind.name}: a conversation is erased while the gateway runs, and the others stay`, async () => {
		const { started, settings } = await gatewayWith('http://127.0.0.1:9/', { schedule: ['1h'] })
		const { url } = await started
		for (const text of ['one', 'two']) await call(`${url}/in`, event(text, 'forget me'))
		await call(`${url}/in`, event('stays', 'other'))
		const erased = await operator(settings, 'erase', '--conversation', 'forget me')
		expect(erased).toEqual({ code: 0, said: expect.stringMatching(/^(?:.+\n)?2 events erased\.$/) })
		expect((await operator(settings, 'list')).said).toMatch(/^1 waiting$/m)
		expect((await call(`${url}/in`, event('again', 'forget me'))).status).toBe(200)
	})

	test(`${kind.name}: a late answer whose process was killed is asked for again, or the user is told that none comes`, async () => {
		let answers = false
		const api = await upstream(() => json({ success: true }))
		const backend = await upstream(async ({ body }, { gone }) => {
			if (!answers) await gone
			return json(says(`late: ${JSON.parse(body).event.text}`))
		})
		const [place, env] = placeOf(await kind.settingsOf({}))
		const late = { after: 200, reply: says('One moment'), answer: 'push' }
		const options = { api: api.url, twoWay: true }
		const route = (name: string, idempotent: boolean) => ({
			...{ name, path: `/${name}`, platform: 'pushing', options, late, idempotent, failure: says('Sorry') },
		})
		const config = {
			...{ adapters: [fileURLToPath(new URL('../harness/pushing.ts', import.meta.url))], outbox: place },
			upstream: { url: backend.url, timeout: 60_000, sign: [{ env: 'SIGN' }] },
			routes: [route('again', true), route('once', false)],
		}
		const run = () => start(config, { as: 'process', env: { SIGN: signingKey, ...env } })
		const first = await run()
		for (const name of ['again', 'once']) {
			const body = JSON.stringify({ version: 1, event: event(name, name) })
			const held = await first.send({ path: `/${name}?token=t`, body })
			expect(JSON.parse(held.body)).toMatchObject(says('One moment'))
		}
		expect(api.calls).toEqual([])
		await first.end('SIGKILL')
		answers = true
		const second = await run()
		await expect.poll(() => second.lines.filter(({ msg }) => msg === 'delivery').length, { timeout: 15_000 }).toBe(4)
		const said = api.calls.map(({ path, body }) => [path, JSON.parse(body).text])
		expect(said.toSorted()).toEqual([
			['/talks/again/messages', 'late: again'],
			['/talks/once/messages', 'Sorry'],
		])
		const idsOf = (name: string) => backend.calls.filter(({ body }) => JSON.parse(body).event.text === name).map(idOf)
		const [id, ...others] = idsOf('again')
		expect([others, idsOf('once').length]).toEqual([[id], 1])
		expect(second.lines.filter(({ dead }) => dead)).toMatchObject([{ route: 'once', error: 'late-answer-lost' }])
	}, 30_000)
}
