/** The State in Durable Objects: as on Node, and over restarts, within bounds, for a day, and when it cannot be reached. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { afterEach, expect, test, vi } from 'vitest'
import type { Beginning, LogLine, Settlement } from '../../src/runtime.ts'
import { createState } from '../../src/worker/remote-state.ts'
import { addReply, claim, closeChoices, openChoices, settle } from '../state-steps.ts'
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
	const claimed = await claim(state, name, call, 10_000)
	if ('fence' in claimed) await settle(state, name, call, claimed.fence, { ...answer, body })
}

test('answers, claims and choices outlive the object', async () => {
	await answered('restart', 'done')
	await addReply(state, 'restart', offered)
	const open = await claim(state, 'restart', 'open', 10_000)
	await evictDurableObject(objectOf('restart'))
	expect(await claim(state, 'restart', 'done', 10_000)).toEqual({ answer })
	expect(await openChoices(state, 'restart')).toEqual([offered])
	const waiting = claim(state, 'restart', 'open', 10_000)
	if ('fence' in open) await settle(state, 'restart', 'open', open.fence, answer)
	expect(await waiting).toEqual({ answer })
})

test('an object that knows nothing stores nothing', async () => {
	expect(await openChoices(state, 'nothing')).toEqual([])
	await addReply(state, 'nothing', { turnId: 't1', offers: [] })
	await closeChoices(state, 'nothing')
	expect(await rows('nothing')).toEqual({})
})

test('calls are forgotten beyond a number and a size, the oldest first', async () => {
	for (let i = 0; i < 105; i++) await answered('many', `call ${i}`)
	expect(await rows('many')).toMatchObject({ calls: 100 })
	expect(await claim(state, 'many', 'call 104', 0)).toEqual({ answer })
	expect(await claim(state, 'many', 'call 0', 0)).toEqual({ fence: expect.any(Number) })
	for (let i = 0; i < 10; i++) await answered('large', `call ${i}`, 'x'.repeat(300_000))
	expect(await rows('large')).toMatchObject({ calls: 6 })
	for (let i = 0; i < 10; i++) await answered('wide', `call ${i}`, 'ü'.repeat(150_000))
	expect(await rows('wide')).toMatchObject({ calls: 6 })
})

test('an answer that does not fit into a row is not stored, and no call waits for it', async () => {
	await answered('huge', 'call', 'ü'.repeat(1_000_000))
	expect(await claim(state, 'huge', 'call', 10)).toEqual({ fence: expect.any(Number) })
	const huge = { set: 'messages[0]', label: 'x'.repeat(2_000_000), choice: { title: 'x', value: 'x' } }
	await addReply(state, 'huge', { turnId: 't1', offers: [huge] })
	expect(await openChoices(state, 'huge')).toEqual([])
	expect(lines).toEqual([])
})

test('after a day everything is deleted, and the object stores nothing', async () => {
	await answered('day', 'call')
	await addReply(state, 'day', offered)
	const at = await runInDurableObject(objectOf('day'), (_object, { storage }) => storage.getAlarm())
	expect((at ?? 0) - Date.now()).toBeGreaterThan(23.9 * 3_600_000)
	expect((at ?? 0) - Date.now()).toBeLessThanOrEqual(24 * 3_600_000)
	await runInDurableObject(objectOf('day'), (_object, { storage: { sql } }) => {
		sql.exec('UPDATE calls SET at = at - ?', 24 * 3_600_000)
		sql.exec('UPDATE replies SET at = at - ?', 24 * 3_600_000)
	})
	expect(await openChoices(state, 'day')).toEqual([])
	expect(await claim(state, 'day', 'call', 0)).toEqual({ fence: expect.any(Number) })
	await runInDurableObject(objectOf('day'), (_object, { storage: { sql } }) => {
		sql.exec('UPDATE calls SET at = at - ?', 24 * 3_600_000)
	})
	expect(await runDurableObjectAlarm(objectOf('day'))).toBe(true)
	expect(await rows('day')).toEqual({})
	expect(await runDurableObjectAlarm(objectOf('day'))).toBe(false)
	await answered('day', 'call')
	expect(await claim(state, 'day', 'call', 0)).toEqual({ answer })
})

test('an alarm leaves younger entries, and is set again for them', async () => {
	await answered('young', 'call')
	expect(await runDurableObjectAlarm(objectOf('young'))).toBe(true)
	expect(await claim(state, 'young', 'call', 0)).toEqual({ answer })
	expect(await runInDurableObject(objectOf('young'), (_object, { storage }) => storage.getAlarm())).toEqual(
		expect.any(Number),
	)
})

test('very long names of conversations are distinguished', async () => {
	const long = 'x'.repeat(100_000)
	await answered(`${long}1`, 'call')
	expect(await claim(state, `${long}1`, 'call', 0)).toEqual({ answer })
	expect(await claim(state, `${long}2`, 'call', 0)).toEqual({ fence: expect.any(Number) })
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
			const methods = ['begin', 'beginNext', 'settle'].map((name) => [
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
	const first = await claim(other, 'restarts', 'call', 20_000)
	const waiting = [1, 2, 3].map(() => claim(other, 'restarts', 'call', 20_000))
	for (let times = 0; times < 2; times++) {
		await scheduler.wait(150)
		await restart('restarts')
	}
	await scheduler.wait(1000)
	if ('fence' in first) await settle(other, 'restarts', 'call', first.fence, answer)
	expect(await Promise.all(waiting)).toEqual([{ answer }, { answer }, { answer }])
	expect(new Set(told.map(({ did }) => did))).toEqual(new Set(['begin']))
	expect(told.length).toBeGreaterThanOrEqual(3)
})

test('if the first fails while its object restarts, exactly one of the waiting calls gets the claim', async () => {
	const { other } = stateWith(() => ({}))
	const first = await claim(other, 'fails', 'call', 20_000)
	const waiting = [1, 2].map(() => claim(other, 'fails', 'call', 20_000))
	await scheduler.wait(150)
	await restart('fails')
	if ('fence' in first) await settle(other, 'fails', 'call', first.fence, undefined)
	const next = await Promise.race(waiting)
	if ('fence' in next) await settle(other, 'fails', 'call', next.fence, answer)
	const all = await Promise.all(waiting)
	expect(all.filter((claim) => 'fence' in claim)).toHaveLength(1)
	expect(all).toContainEqual({ answer })
})

test('a claim whose result was lost is not waited for by the call that holds it', async () => {
	let lost = 0
	const { other } = stateWith((object) => ({
		async beginNext(beginning: Beginning, fence: number) {
			const result = await object.beginNext(beginning, fence)
			if (lost++ === 0) throw new Error('the object restarted')
			return result
		},
	}))
	const first = await claim(other, 'lost', 'call', 20_000)
	const second = claim(other, 'lost', 'call', 20_000)
	if ('fence' in first) await settle(other, 'lost', 'call', first.fence, undefined)
	const claimed = await second
	expect(lost).toBe(2)
	expect(claimed).toEqual({ fence: expect.any(Number) })
	if ('fence' in claimed) await settle(other, 'lost', 'call', claimed.fence, answer)
	expect(await claim(other, 'lost', 'call', 20_000)).toEqual({ answer })
})

test('an answer whose storage broke off is stored by a second try', async () => {
	let broken = 0
	const { told, other } = stateWith((object) => ({
		async settle(settlement: Settlement) {
			const whole = await object.settle(settlement)
			if (broken++ === 0) throw new Error('the object restarted')
			return whole
		},
	}))
	const claimed = await claim(other, 'settle', 'call', 20_000)
	if ('fence' in claimed) await settle(other, 'settle', 'call', claimed.fence, answer)
	expect(await claim(other, 'settle', 'call', 20_000)).toEqual({ answer })
	expect(told).toEqual([{ level: 'warn', msg: 'state', did: 'settle', failures: 1, cause: 'the object restarted' }])
})

test('a call that cannot wait goes on after some tries', async () => {
	let tries = 0
	const { told, other } = stateWith(() => ({
		beginNext() {
			tries++
			throw new Error('the object is gone')
		},
	}))
	await claim(other, 'gone', 'call', 20_000)
	expect(await claim(other, 'gone', 'call', 20_000)).toEqual({ held: false })
	expect(tries).toBe(4)
	expect(told.map(({ did, failures }) => [did, failures])).toEqual([1, 2, 3, 4].map((n) => ['begin', n]))
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
	expect(await openChoices(unreachable, 'c')).toEqual([])
	await addReply(unreachable, 'c', offered)
	expect(await claim(unreachable, 'c', 'call', 10)).toEqual({ held: false })
	expect(told).toEqual([
		{ level: 'warn', msg: 'state', did: 'begin', failures: 1, cause: 'overloaded' },
		{ level: 'warn', msg: 'state', did: 'settle', failures: 2, cause: 'overloaded' },
		{ level: 'warn', msg: 'state', did: 'begin', failures: 3, cause: 'overloaded' },
	])
})

/** A State of which every object is this one. */
function stateOf(object: object, told: LogLine[]) {
	// A namespace has more; the State uses no more.
	const namespace = { idFromName: () => '', get: () => object } as unknown as typeof CONVERSATIONS
	return createState(namespace, (line) => told.push(line))
}

/** A State whose objects never answer. */
function silentState(told: LogLine[]) {
	const never = () => new Promise(() => {})
	return stateOf({ begin: never, settle: never }, told)
}

test('every call to an unresponsive object times out after a second', async () => {
	vi.useFakeTimers()
	const told: LogLine[] = []
	const state = silentState(told)
	const answers: unknown[] = []
	openChoices(state, 'c1').then((open) => answers.push(open))
	addReply(state, 'c2', offered).then((nothing) => answers.push(nothing))
	claim(state, 'c3', 'call', 9000).then((claim) => answers.push(claim))
	settle(state, 'c4', 'call', 1, answer).then((nothing) => answers.push(nothing))
	// What is hashed before is not of the clock that stands still here.
	while (vi.getTimerCount() < 4) await scheduler.wait(1)
	await vi.advanceTimersByTimeAsync(999)
	expect(answers).toEqual([])
	await vi.advanceTimersByTimeAsync(1)
	expect(answers).toHaveLength(4)
	expect(answers).toEqual(expect.arrayContaining([[], { held: false }, true, undefined]))
	expect(told.map(({ cause }) => cause)).toEqual(Array.from({ length: 4 }, () => 'no answer within 1000 ms'))
})

test('a turn waits once for an unresponsive object, not at every step', async () => {
	vi.useFakeTimers()
	const told: LogLine[] = []
	const state = silentState(told)
	const first = openChoices(state, 'c')
	await vi.advanceTimersByTimeAsync(1000)
	expect(await first).toEqual([])
	// The clock stands still: these end without it.
	expect(await claim(state, 'c', 'call', 9000)).toEqual({ held: false })
	await addReply(state, 'c', offered)
	expect(told.map(({ did, cause, failures }) => [did, cause, failures])).toEqual([
		['begin', 'no answer within 1000 ms', 1],
		['begin', 'no answer a moment ago', 2],
		['settle', 'no answer a moment ago', 3],
	])
	await vi.advanceTimersByTimeAsync(10_000)
	const later = openChoices(state, 'c')
	await vi.advanceTimersByTimeAsync(1000)
	expect(await later).toEqual([])
	expect(told.at(-1)).toMatchObject({ did: 'begin', cause: 'no answer within 1000 ms' })
})

test('an answer whose storage broke off several times is stored within the second, and the object is called again', async () => {
	vi.useFakeTimers()
	const told: LogLine[] = []
	let tries = 0
	const object = {
		begin: async () => ({ open: [] }),
		async settle() {
			if (++tries < 4) throw new Error('the object restarts')
			return true
		},
	}
	const state = stateOf(object, told)
	const settled = settle(state, 'c', 'call', 1, answer).then(() => Date.now())
	const from = Date.now()
	// What is hashed before is not of the clock that stands still here.
	while (vi.getTimerCount() < 1) await scheduler.wait(1)
	await vi.advanceTimersByTimeAsync(2000)
	expect((await settled) - from).toBeLessThan(1000)
	expect(await openChoices(state, 'c')).toEqual([])
	expect(told.map(({ cause }) => cause)).toEqual(Array.from({ length: 3 }, () => 'the object restarts'))
})
