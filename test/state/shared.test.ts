/** What several gateways remember together, and what becomes of turns when the server of their state is in trouble. */
import { setTimeout as wait } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { StateFailure } from '../../src/observer/index.ts'
import { json, says, statusOnly } from '../harness/http.ts'
import { stateKinds } from '../harness/state-servers.ts'
import { testScope, upstream } from '../servers.ts'
import { has } from '../tools.ts'
import { eventually, node, nodeProcess, remembersAgain, say, stateLines } from './rig.ts'

/** An upstream that numbers its answers, some time after it was asked. */
const numbering = (pause = 100) => {
	let asked = 0
	return upstream(async (_, connection) => {
		const answer = json(says(`Answer ${++asked}`))
		await connection.pause(pause)
		return answer
	})
}

describe.each(stateKinds)('$name', (kind) => {
	// A machine that does other things as well takes its time. No claim ends within it, so that who waits was woken.
	describe.skipIf(!kind.isInstalled)('two gateways', { timeout: 180_000 }, () => {
		const rig = async (given: { readonly pause?: number; readonly timeout?: string } = {}) => {
			const server = await kind.start(testScope)
			const { url, calls } = await numbering(given.pause)
			const use = { kind, server, upstream: url, ...given }
			return { server, calls, use, one: await node(use), other: await node(use) }
		}

		test('answer a call that comes to both at once with the same bytes, and call the upstream once', async () => {
			const { one, other, calls } = await rig()
			const answers = await Promise.all([one, other, one, other].map((each) => say(each, 'm1')))
			answers.push(await say(other, 'm1'), await say(one, 'm1'))
			expect(new Set(answers.map((answer) => JSON.stringify([answer.status, answer.body]))).size).toBe(1)
			expect(answers[0]?.status).toBe(200)
			expect(calls).toHaveLength(1)
		})

		test('pass a call on when the first one failed', async () => {
			const server = await kind.start(testScope)
			let asked = 0
			const { url, calls } = await upstream(async (_, { pause }) => {
				const first = ++asked === 1
				await pause(100)
				return first ? statusOnly(500) : json(says('Hello'))
			})
			const use = { kind, server, upstream: url }
			const [one, other] = [await node(use), await node(use)]
			const answers = await Promise.all([say(one, 'm1'), say(other, 'm1'), say(other, 'm1')])
			expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 502])
			expect(calls).toHaveLength(2)
		})

		test('end a call that was answered while the server refused to store, once it stores again', async () => {
			const { server, calls, one, other } = await rig({ pause: 600 })
			const first = say(one, 'm1')
			await eventually(() => calls.length === 1)
			await server.setReadOnly(true)
			const answer = await first
			expect(stateLines(one)).toMatchObject([{ did: 'settle' }])
			await server.setReadOnly(false)
			expect(await remembersAgain(one, other, calls)).toBe(true)
			const before = calls.length
			// No claim lapses within the time of a test.
			expect((await say(other, 'm1')).body).toBe(answer.body)
			expect(calls).toHaveLength(before)
		})

		test('know the choices that the other one offered', async () => {
			const server = await kind.start(testScope)
			const choices = [{ title: 'Green tea', value: 'tea-7' }]
			const { url, calls } = await upstream(() => json({ messages: [{ type: 'choices', text: 'Which?', choices }] }))
			const use = { kind, server, upstream: url }
			const [one, other] = [await node(use), await node(use)]
			await say(one, 'm1')
			await say(other, 'm2', 'green tea')
			expect(JSON.parse(calls[1]?.body ?? '').event).toMatchObject({ kind: 'choice', choice: { value: 'tea-7' } })
		})

		test('put a late reply before the next one, whichever of them it came to', async () => {
			const server = await kind.start(testScope)
			let asked = 0
			const { url } = await upstream(async (_, { pause }) => {
				const first = ++asked === 1
				if (first) await pause(500)
				return json(says(first ? 'late' : 'next'))
			})
			const lateAfter = (after: number) =>
				node({ kind, server, upstream: url, route: { late: { after, reply: says('Wait') } } })
			const [one, other] = [await lateAfter(100), await lateAfter(300_000)]
			expect((await say(one, 'm1')).body).toContain('Wait')
			await eventually(() => one.lines.some(({ msg, did }) => msg === 'late' && did === 'kept'))
			const { messages } = JSON.parse((await say(other, 'm2')).body)
			expect(messages.map(({ text }: { text: string }) => text)).toEqual(['late', 'next'])
		})

		test('take over the call of one that was killed, when its lease has run out', async () => {
			const server = await kind.start(testScope)
			let asked = 0
			const { url, calls } = await upstream(async (_, connection) => {
				if (++asked === 1) await connection.gone
				return json(says('Hello'))
			})
			const use = { kind, server, upstream: url }
			const [killed, other] = [await nodeProcess(use), await node(use)]
			const lost = say(killed, 'm1').catch(() => 'no answer')
			await eventually(() => calls.length === 1)
			await killed.end('SIGKILL')
			expect(await lost).toBe('no answer')
			// The claim lasts for as long as the first call had, some nine seconds.
			expect((await say(other, 'm1')).status).toBe(200)
			expect(calls).toHaveLength(2)
			expect(stateLines(other)).toEqual([])
		})

		test.skipIf(!has('faketime'))('agree although their clocks are ten minutes apart', async () => {
			const server = await kind.start(testScope)
			const { url, calls } = await numbering(1500)
			const use = { kind, server, upstream: url }
			const before = (shift: string) => ({ before: ['faketime', '-f', shift] })
			const [one, other] = await Promise.all([nodeProcess(use, before('-5m')), nodeProcess(use, before('+5m'))])
			const early = say(one, 'm1')
			await eventually(() => calls.length === 1)
			const answers = await Promise.all([early, say(other, 'm1')])
			answers.push(await say(other, 'm1'), await say(one, 'm1'))
			expect(new Set(answers.map(({ body }) => body)).size).toBe(1)
			expect(calls).toHaveLength(1)
		})

		test('go on while the server is restarted, and remember together afterwards', async () => {
			const { server, one, other, calls } = await rig({ pause: 0 })
			expect(await remembersAgain(one, other, calls)).toBe(true)
			await server.kill()
			const from = performance.now()
			const away = await Promise.all(Array.from({ length: 40 }, (_, n) => say(n % 2 ? one : other, `away ${n}`)))
			expect(away.every(({ status }) => status === 200)).toBe(true)
			expect(stateLines(one)[0]).toMatchObject({ level: 'warn', store: kind.name, failures: 1 })
			// At once, and then every ten seconds.
			expect(stateLines(one).length).toBeLessThanOrEqual(1 + (performance.now() - from) / 10_000)
			await server.start()
			expect(await remembersAgain(one, other, calls)).toBe(true)
			expect(stateLines(one).at(-1)).toMatchObject({ level: 'info', did: 'recovered' })
		})

		test('wait for a server that hangs no longer than a few turns, and remember together afterwards', async () => {
			const { server, one, other, calls } = await rig({ pause: 0, timeout: '1s' })
			expect(await remembersAgain(one, other, calls)).toBe(true)
			server.hang()
			const from = performance.now()
			const turns = 40
			for (let n = 0; n < turns; n++) expect((await say(one, `hung ${n}`)).status).toBe(200)
			// If each waited, it would be two timeouts a turn.
			expect(performance.now() - from).toBeLessThan(turns * 1000)
			expect(stateLines(one).length).toBeLessThan(8)
			server.resume()
			expect(await remembersAgain(one, other, calls)).toBe(true)
		})

		test('wait for a server that hangs for less than their time limit, as if it were only slow', async () => {
			const { server, one, other, calls } = await rig({ pause: 0, timeout: '8s' })
			expect(await remembersAgain(one, other, calls)).toBe(true)
			const before = calls.length
			server.hang()
			const answers = [say(one, 'm1'), say(other, 'm1')]
			// Longer than the store may take where nobody waits for it.
			await wait(2500)
			server.resume()
			expect(new Set((await Promise.all(answers)).map(({ body }) => body)).size).toBe(1)
			expect(calls).toHaveLength(before + 1)
			expect([...stateLines(one), ...stateLines(other)]).toEqual([])
		})

		test('start while the server is away, say so, and use it once it is there', async () => {
			const server = await kind.start(testScope)
			await server.kill()
			const { url, calls } = await numbering(0)
			const use = { kind, server, upstream: url }
			const [one, other] = [await node(use), await node(use)]
			expect(stateLines(one)).toMatchObject([
				{ level: 'warn', did: 'connect', cause: expect.stringMatching(/ECONNREFUSED|no answer within 1000 ms/) },
			])
			expect((await say(one, 'm1')).status).toBe(200)
			await server.start()
			expect(await remembersAgain(one, other, calls)).toBe(true)
		})

		test('tell an observer of each step that went without the state', async () => {
			const server = await kind.start(testScope)
			const { url } = await numbering(0)
			const seen: string[] = []
			const observer = { stateFailure: ({ did }: StateFailure) => void seen.push(did) }
			const one = await node({ kind, server, upstream: url, observer })
			await say(one, 'm1')
			expect(seen).toEqual([])
			await server.kill()
			for (let n = 0; n < 3; n++) await say(one, `away ${n}`)
			// It may be time to forget what is old as well.
			const ofTurns = seen.filter((did) => did !== 'forget')
			expect(ofTurns).toEqual(['begin', 'settle', 'begin', 'settle', 'begin', 'settle'])
		})
	})
})
