/** The last turns, as the playground shows them, and the files that they are saved as. */
import { join } from 'node:path'
import * as v from 'valibot'
import { expect, test } from 'vitest'
import { canonical } from '../adapters/canonical/index.ts'
import { adapters } from '../adapters/index.ts'
import { conversationApis } from '../adapters/simulated-apis.ts'
import { CanonicalEvent } from '../src/model/index.ts'
import { replayTurns } from '../src/node/replay-turns.ts'
import { serve } from '../src/node/serve.ts'
import { sendCall } from '../src/node/simulate/send-call.ts'
import type { TurnOutcome } from '../src/observer/index.ts'
import { createLive } from '../src/playground/live.ts'
import { curlOf, resend } from '../src/playground/resend.ts'
import { recordedTurn } from '../src/playground/save-turn.ts'
import { type RecordedTurn, selectableOptions, simulate } from '../src/simulator/index.ts'
import { send } from './harness/http.ts'
import { withApi } from './harness/platforms.ts'
import { pushing } from './harness/pushing.ts'
import { folder } from './outbox/parts.ts'
import { call, json, oneWay, says, statusOnly, testScope, upstream } from './servers.ts'

const outcome: TurnOutcome = {
	...{ at: 5, platform: 'x', kind: 'message', status: 200, error: undefined, duplicate: false, held: false },
	...{ recalled: 0, changes: [], moreChanges: 0, notes: [] },
}

function fill(count: number) {
	const live = createLive(() => 0)
	for (let i = 1; i <= count; i++) {
		const begun = { id: `t${i}`, route: 'in', upstream: 'y', method: 'POST', limit: 1000, at: 0, trace: undefined }
		const turn = live.observer.turn?.(begun)
		turn?.step?.({ name: 'event', at: 1, show: () => ({ kind: 'message', text: `words ${i}`, attributes: {} }) })
		turn?.end?.(outcome)
	}
	return live
}

test('lines are followed from where one is', async () => {
	const live = fill(3)
	expect(live.after(0, 10).map(({ id, words }) => [id, words])).toEqual([
		['t1', 'words 1'],
		['t2', 'words 2'],
		['t3', 'words 3'],
	])
	expect(live.after(2, 10).map(({ number }) => number)).toEqual([3])
	expect(live.after(3, 10)).toEqual([])
	// Of a playground that was started before.
	expect(live.after(99, 10).length).toBe(3)
	const ended = new AbortController()
	const grown = live.grown(3, ended.signal)
	ended.abort()
	await grown
})

test('what is kept is bounded: lines, and still fewer whole turns', () => {
	const live = fill(25_000)
	expect(live.after(0, 100_000).map(({ number }) => number)).toEqual(
		Array.from({ length: 10_000 }, (_, i) => 15_001 + i),
	)
	expect(live.detail(25_000)?.steps[0]?.value).toMatchObject({ text: 'words 25000' })
	expect(live.detail(24_001)).toBeDefined()
	expect(live.detail(24_000)).toBeUndefined()
	expect(live.detail(1)).toBeUndefined()
	expect(live.detail(30_000)).toBeUndefined()
})

/** How a turn is saved for others. Ids are told apart by their length. */
const withoutWords = { keepWords: false, pseudonym: async (id: string) => `p${id.length}` }

test('a turn of a gateway is seen with all its steps, and saved without what it says of a person', async () => {
	const live = createLive(Date.now)
	const { url } = await upstream(() => json(says('Dear Ada Lovelace, you wrote: my secret wish')))
	const gateway = await serve({
		config: { upstream: { url }, routes: [{ name: 'in', path: '/in', platform: 'canonical' }] },
		adapters: [canonical],
		observer: live.observer,
		log() {},
	})
	testScope.after(() => gateway.close())
	const user = { id: 'user-4711', name: 'Ada Lovelace', email: 'ada@lovelace.example', attributes: { city: 'London' } }
	await call(`${gateway.url}/in`, { kind: 'message', text: 'my secret wish', conversation: 'c-0815', user })
	const [line] = live.after(0, 10)
	expect(line).toMatchObject({ route: 'in', platform: 'canonical', words: 'my secret wish', status: 200, losses: 0 })
	const detail = live.detail(line?.number ?? 0)
	const names = detail?.steps.map(({ name }) => name)
	expect(names).toEqual(['call', 'event', 'fitted-event', 'request', 'response', 'reply', 'fitted-reply', 'answer'])
	expect(detail?.calls).toMatchObject([{ status: 200 }])

	const file = detail && (await recordedTurn(detail, canonical.create(), withoutWords))
	const text = JSON.stringify(file)
	for (const personal of ['4711', 'Ada', 'lovelace', 'London', 'secret wish', '0815'])
		expect(text).not.toContain(personal)
	expect(file).toMatchObject({
		route: 'in',
		call: { json: { event: { text: 'words of the user', conversation: 'conversation-p6' } } },
		turnId: line?.id,
		upstream: { response: { json: says('Dear user-name, you wrote: words of the user') } },
		answer: { json: { messages: [{ text: 'Dear user-name, you wrote: words of the user' }] } },
	})
})

test.each(adapters.map(({ name }) => name))(
	'a turn of %s is sent again, and replayed from its file without a difference',
	async (name) => {
		const live = createLive(Date.now)
		const factory = adapters.find((each) => each.name === name)
		if (!factory) throw new Error('There is no adapter of this name.')
		const config = {
			upstream: { url: 'builtin:demo' },
			routes: [{ name: 'in', path: '/in', platform: name, options: factory.examples[0] }],
		}
		const gateway = await serve({ config, adapters, observer: live.observer, log() {} })
		testScope.after(() => gateway.close())
		const runtime = { ...gateway.runtime, send: sendCall }
		const [platform] = gateway.routes[0]?.platforms ?? []
		if (!platform) throw new Error('There is no route.')
		const url = `${gateway.url}/in`
		await simulate(platform.adapter, { ...runtime, url, text: 'a story of mine', handshake: false })
		const [line] = live.after(0, 10)
		const detail = live.detail(line?.number ?? 0)
		const file = detail && (await recordedTurn(detail, platform.adapter, withoutWords))
		if (!file) throw new Error('The turn cannot be saved.')
		expect(JSON.stringify(file)).not.toContain('a story of mine')
		expect(await replayTurns([file], { adapters, config })).toEqual([[]])

		const event = v.parse(CanonicalEvent, detail.steps.find((step) => step.name === 'event')?.value)
		const request = { route: 'in', platform: name, event: { ...event, text: 'once more' } }
		const talking = { url: gateway.url, routes: gateway.routes, runtime }
		expect(await resend(talking, request)).toBe('Sent; answered with 200.')
		expect(live.after(1, 10)).toMatchObject([{ words: 'once more', status: 200 }])
		expect(await curlOf(talking, request)).toContain(`curl '${url}`)
		expect(await resend(talking, { ...request, route: 'gone' })).toBeUndefined()
	},
)

test.each(adapters.map(({ name }) => name))(
	'two turns of a conversation of %s are replayed from their files, also against the backend, and the second picks from the first',
	async (name) => {
		const live = createLive(Date.now)
		const factory = adapters.find((each) => each.name === name)
		const config = {
			upstream: { url: 'builtin:demo' },
			routes: [{ name: 'in', path: '/in', platform: name, options: factory?.examples[0] }],
		}
		const gateway = await serve({ config, adapters, observer: live.observer, log() {} })
		testScope.after(() => gateway.close())
		const adapter = gateway.routes[0]?.platforms[0].adapter
		if (!adapter) throw new Error('There is no route.')
		const common = { ...gateway.runtime, send: sendCall, url: `${gateway.url}/in`, handshake: false }
		const { event, reply } = await simulate(adapter, { ...common, text: 'choices' })
		const [option] = reply ? selectableOptions(reply) : []
		// Without buttons, the choices are numbered.
		const pick = option && 'value' in option ? { choice: { value: option.value, label: option.title } } : { text: '1' }
		const { conversation, user } = event
		const same = { ...common, ...(conversation && { conversation }), ...(user?.id && { user: user.id }) }
		await simulate(adapter, { ...same, ...pick })
		const files: RecordedTurn[] = []
		for (const { number } of live.after(0, 10)) {
			const detail = live.detail(number)
			const file = detail && (await recordedTurn(detail, adapter, { ...withoutWords, keepWords: number === 1 }))
			if (file) files.push(file)
		}
		expect(JSON.stringify(files[1]?.answer)).toContain(reply ? 'You chose Red' : '200')
		expect(files[0]?.note).toMatch(/: choices(?:$|; 1 part is lost or altered$)/)
		expect(await replayTurns(files, { adapters, config })).toEqual([[], []])
		expect(await replayTurns(files, { adapters, config, backend: { env: {} } })).toEqual([[], []])
	},
)

test.each([
	['made for tests', pushing],
	['with an API', undefined],
])('a turn of a platform %s is saved with the calls that push its reply, and replayed', async (_, own) => {
	const live = createLive(Date.now)
	const api = await upstream(() => json({}))
	const backend = await upstream(() =>
		json({ messages: ['my secret wish?', 'Bye'].map((text) => ({ type: 'text', text })) }),
	)
	const platform = own ? undefined : withApi(api.url, true)
	const config = {
		upstream: { url: backend.url },
		outbox: { file: join(folder(), 'outbox.db') },
		routes: [platform?.route({}, 'in') ?? { name: 'in', path: '/in', platform: 'pushing', options: { api: api.url } }],
	}
	const all = [...adapters, pushing]
	const gateway = await serve({ config, adapters: all, observer: live.observer, log() {} })
	testScope.after(() => gateway.close())
	const user = { id: 'user-4711', name: 'Ada Lovelace', attributes: {} }
	const event = { kind: 'message', text: 'my secret wish', conversation: 'group-0815', user }
	if (platform) {
		const about = { conversation: 'support-group-p1-0815', bot: { id: 'b1', name: 'Bot', project: 'p1' } }
		const wire = platform.adapter.event.encode(platform.event('my secret wish', about))
		const [api] = Object.values(conversationApis)
		await send(gateway.url, { ...api?.().admit(wire), path: '/in' })
	} else await call(`${gateway.url}/in?token=canary-of-a-token`, event)
	await expect.poll(() => live.after(0, 10).length).toBe(4)
	const [line] = live.after(0, 10).filter(({ words }) => !words?.startsWith('Outbox'))
	const detail = live.detail(line?.number ?? 0)
	const adapter = gateway.routes[0]?.platforms[0].adapter
	const file = detail && adapter && (await recordedTurn(detail, adapter, withoutWords))
	if (!file) throw new Error('The turn cannot be saved.')
	expect(file.pushes).toHaveLength(2)
	for (const personal of ['4711', 'Ada', '0815', 'secret wish', 'canary', 'admitted'])
		expect(JSON.stringify(file)).not.toContain(personal)
	expect(await replayTurns([file], { adapters: all, config })).toEqual([[]])
	const [first, ...others] = file.pushes ?? []
	const less = { ...file, pushes: [{ ...first, path: '/elsewhere' }, ...others] }
	expect(await replayTurns([less], { adapters: all, config })).toMatchObject([[{ path: 'pushes[0].path' }]])
})

test('an event that the outbox delivers is saved with the status of the upstream, and replayed', async () => {
	const live = createLive(Date.now)
	const { url } = await upstream(() => statusOnly(202))
	const config = {
		upstream: { url },
		outbox: { file: join(folder(), 'outbox.db') },
		routes: [{ name: 'in', path: '/in', platform: 'one-way' }],
	}
	const both = [canonical, oneWay]
	const gateway = await serve({ config, adapters: both, observer: live.observer, log() {} })
	testScope.after(() => gateway.close())
	await call(`${gateway.url}/in`)
	await expect.poll(() => live.after(0, 10).length).toBe(2)
	const detail = live.after(0, 10).map(({ number }) => live.detail(number))
	const turn = detail.find((each) => each?.steps.some(({ name }) => name === 'call'))
	const file = turn && (await recordedTurn(turn, oneWay.create({}), withoutWords))
	expect(file).toMatchObject({ upstream: { response: { status: 202 } } })
	expect(file && (await replayTurns([file], { adapters: both, config }))).toEqual([[]])
})

test('each attempt of the outbox is a line: where it went, and what came of it', async () => {
	const live = createLive(Date.now)
	const statuses = [503, 200]
	const backend = await upstream(() => json(says('Pushed')))
	const api = await upstream(() => statusOnly(statuses.shift() ?? 500))
	const gateway = await serve({
		config: {
			upstream: { url: backend.url },
			outbox: { file: join(folder(), 'outbox.db'), schedule: ['0s', '10ms'] },
			routes: [{ name: 'in', path: '/in', platform: 'pushing', options: { api: api.url } }],
		},
		adapters: [canonical, pushing],
		observer: live.observer,
		log() {},
	})
	testScope.after(() => gateway.close())
	await call(`${gateway.url}/in?token=canary-of-a-token`, { kind: 'message', text: 'Hi', conversation: 'c' })
	await expect.poll(() => live.after(0, 10).length).toBe(4)
	const attempts = live.after(0, 10).filter(({ words }) => words?.startsWith('Outbox'))
	expect(attempts).toMatchObject([
		{ words: 'Outbox, to the upstream, attempt 1', status: 200, route: 'in', platform: 'pushing' },
		{ words: 'Outbox, to the platform’s API, attempt 1', status: 503, error: 'push-failed' },
		{ words: 'Outbox, to the platform’s API, attempt 2', status: 200 },
	])
	const details = attempts.map(({ number }) => live.detail(number))
	expect(details.map((detail) => detail?.notes)).toEqual([
		['Attempt 1: delivered.'],
		['Attempt 1: failed; there will be another.'],
		['Attempt 2: delivered.'],
	])
	expect(details[1]?.calls).toEqual([{ origin: api.url, status: 503, error: 'push-failed' }])
	expect(JSON.stringify(details)).not.toContain('canary')
})

test('a turn with the holding reply cannot be saved: in a replay, nothing is late', async () => {
	const detail = fill(1).detail(1)
	if (!detail) throw new Error('There is a turn.')
	const steps = (['call', 'answer'] as const).map((name) => ({ name, at: 1, value: {} }))
	const saved = (held: boolean) => recordedTurn({ ...detail, steps, held }, canonical.create(), withoutWords)
	expect([await saved(false), await saved(true)]).toEqual([expect.objectContaining({ route: 'in' }), undefined])
})

test('a refused call is a line, too', () => {
	const live = createLive(() => 0)
	live.observer.refusal?.({ error: 'not-found', route: undefined })
	expect(live.after(0, 1)).toMatchObject([{ error: 'not-found', status: 0 }])
})
