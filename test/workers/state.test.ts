/** The State in Durable Objects: as on Node, and over restarts, within bounds, for a day, and when it cannot be reached. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { afterEach, expect, test, vi } from 'vitest'
import type { LogLine } from '../../src/runtime.ts'
import { createState } from '../../src/worker/remote-state.ts'
import { stateSuite } from '../state-suite.ts'
import { bindings } from './bindings.ts'

const { CONVERSATIONS } = bindings
const lines: LogLine[] = []
// Patient, for on a busy machine an object that is well may need longer than a platform would wait.
const state = createState(CONVERSATIONS, (line) => lines.push(line), 20_000)
const objectOf = (name: string) => CONVERSATIONS.get(CONVERSATIONS.idFromName(name))
const answer = { status: 200, headers: [], body: 'Hello' }
const offers = [{ set: 'messages[0]', label: 'Tea', choice: { title: 'Tea', value: 'x7' } }]
const offered = { turnId: 't1', offers }

afterEach(() => void vi.useRealTimers())

stateSuite('Workers', () => state)

/** The rows of an object, by table. */
function rows(name: string): Promise<{ [table: string]: number }> {
	return runInDurableObject(objectOf(name), (_object, { storage: { sql } }) => {
		const tables = sql.exec<{ name: string }>(
			"SELECT name FROM sqlite_master WHERE type = 'table' AND name IN ('calls', 'replies', 'deliveries')",
		)
		return Object.fromEntries(
			[...tables].map(({ name }) => [name, sql.exec<{ n: number }>(`SELECT count(*) AS n FROM ${name}`).one().n]),
		)
	})
}

/** Claims and settles. */
async function answered(name: string, call: string, body = answer.body): Promise<void> {
	const claim = await state.claim(name, call, 10_000)
	if ('fence' in claim) await state.settle(name, call, claim.fence, { ...answer, body })
}

test('answers, claims and choices outlive the object', async () => {
	await answered('restart', 'done')
	await state.addReply('restart', offered)
	const open = await state.claim('restart', 'open', 10_000)
	await evictDurableObject(objectOf('restart'))
	expect(await state.claim('restart', 'done', 10_000)).toEqual({ answer })
	expect(await state.openChoices('restart')).toEqual([offered])
	const waiting = state.claim('restart', 'open', 10_000)
	if ('fence' in open) await state.settle('restart', 'open', open.fence, answer)
	expect(await waiting).toEqual({ answer })
})

test('an object that knows nothing stores nothing', async () => {
	expect(await state.openChoices('nothing')).toEqual([])
	await state.addReply('nothing', { turnId: 't1', offers: [] })
	await state.closeChoices('nothing')
	expect(await rows('nothing')).toEqual({})
})

test('calls are forgotten beyond a number and a size, the oldest first', async () => {
	for (let i = 0; i < 105; i++) await answered('many', `call ${i}`)
	expect(await rows('many')).toMatchObject({ calls: 100 })
	expect(await state.claim('many', 'call 104', 0)).toEqual({ answer })
	expect(await state.claim('many', 'call 0', 0)).toEqual({ fence: expect.any(Number) })
	for (let i = 0; i < 10; i++) await answered('large', `call ${i}`, 'x'.repeat(300_000))
	expect(await rows('large')).toMatchObject({ calls: 6 })
	for (let i = 0; i < 10; i++) await answered('wide', `call ${i}`, 'ü'.repeat(150_000))
	expect(await rows('wide')).toMatchObject({ calls: 6 })
})

test('an answer that does not fit into a row is not stored, and no call waits for it', async () => {
	await answered('huge', 'call', 'ü'.repeat(1_000_000))
	expect(await state.claim('huge', 'call', 10)).toEqual({ fence: expect.any(Number) })
	const huge = { set: 'messages[0]', label: 'x'.repeat(2_000_000), choice: { title: 'x', value: 'x' } }
	await state.addReply('huge', { turnId: 't1', offers: [huge] })
	expect(await state.openChoices('huge')).toEqual([])
	expect(lines).toEqual([])
})

test('after a day everything is deleted, and the object stores nothing', async () => {
	await answered('day', 'call')
	await state.addReply('day', offered)
	const at = await runInDurableObject(objectOf('day'), (_object, { storage }) => storage.getAlarm())
	expect((at ?? 0) - Date.now()).toBeGreaterThan(23.9 * 3_600_000)
	expect((at ?? 0) - Date.now()).toBeLessThanOrEqual(24 * 3_600_000)
	await runInDurableObject(objectOf('day'), (_object, { storage: { sql } }) => {
		sql.exec('UPDATE calls SET at = at - ?', 24 * 3_600_000)
		sql.exec('UPDATE replies SET at = at - ?', 24 * 3_600_000)
	})
	expect(await state.openChoices('day')).toEqual([])
	expect(await state.claim('day', 'call', 0)).toEqual({ fence: expect.any(Number) })
	await runInDurableObject(objectOf('day'), (_object, { storage: { sql } }) => {
		sql.exec('UPDATE calls SET at = at - ?', 24 * 3_600_000)
	})
	expect(await runDurableObjectAlarm(objectOf('day'))).toBe(true)
	expect(await rows('day')).toEqual({})
	expect(await runDurableObjectAlarm(objectOf('day'))).toBe(false)
	await answered('day', 'call')
	expect(await state.claim('day', 'call', 0)).toEqual({ answer })
})

test('an alarm leaves younger entries, and is set again for them', async () => {
	await answered('young', 'call')
	expect(await runDurableObjectAlarm(objectOf('young'))).toBe(true)
	expect(await state.claim('young', 'call', 0)).toEqual({ answer })
	expect(await runInDurableObject(objectOf('young'), (_object, { storage }) => storage.getAlarm())).toEqual(
		expect.any(Number),
	)
})

test('very long names of conversations are distinguished', async () => {
	const long = 'x'.repeat(100_000)
	await answered(`${long}1`, 'call')
	expect(await state.claim(`${long}1`, 'call', 0)).toEqual({ answer })
	expect(await state.claim(`${long}2`, 'call', 0)).toEqual({ fence: expect.any(Number) })
})

/** Ends the object as a deployment does: what waits in it breaks off. */
async function restart(name: string): Promise<void> {
	const ended = runInDurableObject(objectOf(name), (_object, object) => object.abort('restart'))
	await expect(ended).rejects.toThrow()
}

/** A State whose objects are the real ones, except for these methods, and what it logged. */
function stateWith(replace: (object: ReturnType<typeof objectOf>) => object) {
	const told: LogLine[] = []
	const namespace = {
		idFromName: (name: string) => CONVERSATIONS.idFromName(name),
		get(id: DurableObjectId) {
			const object = CONVERSATIONS.get(id)
			const replaced = replace(object)
			const methods = ['claim', 'claimNext', 'settle'].map((name) => [
				name,
				Reflect.get(replaced, name) ?? ((...given: unknown[]) => Reflect.get(object, name)(...given)),
			])
			return Object.fromEntries(methods)
		},
	}
	// A namespace has more; the State uses no more.
	return { told, other: createState(namespace as unknown as typeof CONVERSATIONS, (line) => told.push(line), 20_000) }
}

test('calls that wait while their object restarts get the answer of the first', async () => {
	const { told, other } = stateWith(() => ({}))
	const first = await other.claim('restarts', 'call', 20_000)
	const waiting = [1, 2, 3].map(() => other.claim('restarts', 'call', 20_000))
	for (let times = 0; times < 2; times++) {
		await scheduler.wait(150)
		await restart('restarts')
	}
	await scheduler.wait(1000)
	if ('fence' in first) await other.settle('restarts', 'call', first.fence, answer)
	expect(await Promise.all(waiting)).toEqual([{ answer }, { answer }, { answer }])
	expect(new Set(told.map(({ did }) => did))).toEqual(new Set(['claim']))
	expect(told.length).toBeGreaterThanOrEqual(3)
})

test('if the first fails while its object restarts, exactly one of the waiting calls gets the claim', async () => {
	const { other } = stateWith(() => ({}))
	const first = await other.claim('fails', 'call', 20_000)
	const waiting = [1, 2].map(() => other.claim('fails', 'call', 20_000))
	await scheduler.wait(150)
	await restart('fails')
	if ('fence' in first) await other.settle('fails', 'call', first.fence, undefined)
	const next = await Promise.race(waiting)
	if ('fence' in next) await other.settle('fails', 'call', next.fence, answer)
	const all = await Promise.all(waiting)
	expect(all.filter((claim) => 'fence' in claim)).toHaveLength(1)
	expect(all).toContainEqual({ answer })
})

test('a claim whose result was lost is not waited for by the call that holds it', async () => {
	let lost = 0
	const { other } = stateWith((object) => ({
		async claimNext(call: string, lease: number, fence: number) {
			const result = await object.claimNext(call, lease, fence)
			if (lost++ === 0) throw new Error('the object restarted')
			return result
		},
	}))
	const first = await other.claim('lost', 'call', 20_000)
	const second = other.claim('lost', 'call', 20_000)
	if ('fence' in first) await other.settle('lost', 'call', first.fence, undefined)
	const claim = await second
	expect(lost).toBe(2)
	expect(claim).toEqual({ fence: expect.any(Number) })
	if ('fence' in claim) await other.settle('lost', 'call', claim.fence, answer)
	expect(await other.claim('lost', 'call', 20_000)).toEqual({ answer })
})

test('an answer whose storage broke off is stored by a second try', async () => {
	let broken = 0
	const { told, other } = stateWith((object) => ({
		async settle(call: string, fence: number, given: typeof answer) {
			if (broken++ === 0) throw new Error('the object restarted')
			await object.settle(call, fence, given)
		},
	}))
	const claim = await other.claim('settle', 'call', 20_000)
	if ('fence' in claim) await other.settle('settle', 'call', claim.fence, answer)
	expect(await other.claim('settle', 'call', 20_000)).toEqual({ answer })
	expect(told).toEqual([{ level: 'warn', msg: 'state', did: 'settle', failures: 1, cause: 'the object restarted' }])
})

test('a call that cannot wait goes on after some tries', async () => {
	let tries = 0
	const { told, other } = stateWith(() => ({
		claimNext() {
			tries++
			throw new Error('the object is gone')
		},
	}))
	await other.claim('gone', 'call', 20_000)
	expect(await other.claim('gone', 'call', 20_000)).toEqual({ fence: 0 })
	expect(tries).toBe(4)
	expect(told.map(({ did, failures }) => [did, failures])).toEqual([1, 2, 3, 4].map((n) => ['claim', n]))
})

test('an unreachable state returns nothing, and the log counts each failure', async () => {
	const broken = {
		idFromName: () => {
			throw new Error('overloaded')
		},
	}
	const told: LogLine[] = []
	// A namespace has more; the State uses no more.
	const unreachable = createState(broken as unknown as typeof CONVERSATIONS, (line) => told.push(line))
	expect(await unreachable.openChoices('c')).toEqual([])
	await unreachable.addReply('c', offered)
	const claim = await unreachable.claim('c', 'call', 10)
	expect(claim).toEqual({ fence: 0 })
	await unreachable.settle('c', 'call', 0, answer)
	expect(told).toEqual([
		{ level: 'warn', msg: 'state', did: 'openChoices', failures: 1, cause: 'overloaded' },
		{ level: 'warn', msg: 'state', did: 'addReply', failures: 2, cause: 'overloaded' },
		{ level: 'warn', msg: 'state', did: 'claim', failures: 3, cause: 'overloaded' },
	])
})

/** A State whose objects never answer. */
function silentState(told: LogLine[]) {
	const never = () => new Promise(() => {})
	const object = { openChoices: never, addReply: never, claim: never, settle: never }
	// A namespace has more; the State uses no more.
	const silent = { idFromName: () => '', get: () => object } as unknown as typeof CONVERSATIONS
	return createState(silent, (line) => told.push(line))
}

test('every call to an unresponsive object times out after a second', async () => {
	vi.useFakeTimers()
	const told: LogLine[] = []
	const state = silentState(told)
	const answers: unknown[] = []
	state.openChoices('c1').then((open) => answers.push(open))
	state.addReply('c2', offered).then((nothing) => answers.push(nothing))
	state.claim('c3', 'call', 9000).then((claim) => answers.push(claim))
	state.settle('c4', 'call', 1, answer).then((nothing) => answers.push(nothing))
	// What is hashed before is not of the clock that stands still here.
	while (vi.getTimerCount() < 4) await scheduler.wait(1)
	await vi.advanceTimersByTimeAsync(999)
	expect(answers).toEqual([])
	await vi.advanceTimersByTimeAsync(1)
	expect(answers).toHaveLength(4)
	expect(answers).toEqual(expect.arrayContaining([[], { fence: 0 }, undefined]))
	expect(told.map(({ cause }) => cause)).toEqual(Array.from({ length: 4 }, () => 'no answer within 1000 ms'))
})

test('a turn waits once for an unresponsive object, not at every step', async () => {
	vi.useFakeTimers()
	const told: LogLine[] = []
	const state = silentState(told)
	const first = state.openChoices('c')
	await vi.advanceTimersByTimeAsync(1000)
	expect(await first).toEqual([])
	// The clock stands still: these end without it.
	expect(await state.claim('c', 'call', 9000)).toEqual({ fence: 0 })
	await state.addReply('c', offered)
	expect(told.map(({ did, cause, failures }) => [did, cause, failures])).toEqual([
		['openChoices', 'no answer within 1000 ms', 1],
		['claim', 'no answer a moment ago', 2],
		['addReply', 'no answer a moment ago', 3],
	])
	await vi.advanceTimersByTimeAsync(10_000)
	const later = state.openChoices('c')
	await vi.advanceTimersByTimeAsync(1000)
	expect(await later).toEqual([])
	expect(told.at(-1)).toMatchObject({ did: 'openChoices', cause: 'no answer within 1000 ms' })
})
