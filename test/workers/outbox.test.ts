/** Events nobody waits for on Workers: stored before they are acknowledged, tried again, never lost. */
import {
	createExecutionContext,
	createMessageBatch,
	getQueueResult,
	listDurableObjectIds,
	runDurableObjectAlarm,
	runInDurableObject,
} from 'cloudflare:test'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Delivery, LogLine } from '../../src/runtime.ts'
import worker from '../../src/worker/index.ts'
import { attempts, waitAfter } from '../../src/worker/schedule.ts'
import { createOutbox } from '../../src/worker/worker-outbox.ts'
import { bindings } from './bindings.ts'

const { CONVERSATIONS, EVENTS } = bindings
const lines: LogLine[] = []
const outbox = createOutbox(bindings, (line) => lines.push(line))
const objectOf = (name: string) => CONVERSATIONS.get(CONVERSATIONS.idFromName(name))

function event(id: string, conversation?: string, body = '{"event":1}'): Delivery {
	return {
		...{ id, route: 'in', platform: 'canonical', receivedAt: '2026-01-01T00:00:00.000Z' },
		...(conversation !== undefined && { conversation }),
		request: { method: 'POST', query: [], headers: [['content-type', 'application/json']], body },
	}
}

/** Statuses that the upstream answers next; then 200. */
const statuses: number[] = []
const bodies: string[] = []
let retryAfter = ''
beforeEach(() => {
	retryAfter = ''
	statuses.length = bodies.length = lines.length = 0
	vi.spyOn(console, 'log').mockImplementation((line) => lines.push(JSON.parse(line)))
	vi.spyOn(globalThis, 'fetch').mockImplementation(async (_url, init) => {
		bodies.push(String(init?.body))
		const status = statuses.shift() ?? 200
		return new Response(status === 200 ? '{}' : null, { status, headers: { 'retry-after': retryAfter } })
	})
})
afterEach(async () => {
	vi.useRealTimers()
	// Else what one test leaves is delivered in the midst of another, on a machine slow enough.
	for (const id of await listDurableObjectIds(CONVERSATIONS)) {
		await runInDurableObject(CONVERSATIONS.get(id), (_object, { storage }) => storage.deleteAlarm())
	}
	vi.restoreAllMocks()
})

/** What an object holds; one that has nothing left has no tables either. */
const pending = (name: string) =>
	runInDurableObject(objectOf(name), (_object, { storage: { sql } }) => {
		const [table] = sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'deliveries'")
		const rows = 'SELECT failed, due, dead FROM deliveries ORDER BY seq'
		return table ? sql.exec<{ failed: number; due: number; dead: number }>(rows).toArray() : []
	})

/** Makes what waits due, and runs the alarm. */
async function alarm(name: string): Promise<void> {
	await change(name, 'UPDATE deliveries SET due = 0')
	await runDurableObjectAlarm(objectOf(name))
}

const change = (name: string, sql: string, ...values: number[]) =>
	runInDurableObject(objectOf(name), (_object, { storage }) => void storage.sql.exec(sql, ...values))

const alarmOf = (name: string) => runInDurableObject(objectOf(name), (_object, { storage }) => storage.getAlarm())

const hour = 3_600_000

test('events of a conversation are delivered in their order, though the first fails', async () => {
	statuses.push(400, 400)
	for (const n of [1, 2, 3]) await outbox.accept(event(`turn_${n}`, 'ordered', `{"n":${n}}`))
	await expect.poll(() => bodies.length).toBeGreaterThan(0)
	while ((await pending('ordered')).length > 0) await alarm('ordered')
	expect(bodies).toEqual(['{"n":1}', '{"n":1}', '{"n":1}', '{"n":2}', '{"n":3}'])
	expect(
		lines.filter(({ msg }) => msg === 'delivery').map(({ turn, attempt, error }) => [turn, attempt, error]),
	).toEqual([
		['turn_1', 1, 'upstream-status'],
		['turn_1', 2, 'upstream-status'],
		['turn_1', 3, undefined],
		['turn_2', 1, undefined],
		['turn_3', 1, undefined],
	])
})

test('it comes again by itself, at its time', async () => {
	statuses.push(400)
	const before = Date.now()
	await outbox.accept(event('turn_1', 'again'))
	await expect.poll(() => pending('again')).toMatchObject([{ failed: 1 }])
	const after = Date.now()
	const [{ due } = { due: 0 }] = await pending('again')
	expect(await alarmOf('again')).toBe(due)
	expect(due).toBeGreaterThanOrEqual(before + 4000)
	expect(due).toBeLessThanOrEqual(after + 6000)
})

test('an upstream that asks for time gets it, and meanwhile nothing is tried nor any attempt used up', async () => {
	statuses.push(503)
	// So long that even a slow machine looks twice before it is over.
	retryAfter = '6'
	await outbox.accept(event('turn_1', 'asked'))
	await expect.poll(() => pending('asked')).toMatchObject([{ failed: 1 }])
	await alarm('asked')
	await alarm('asked')
	expect(await pending('asked')).toMatchObject([{ failed: 1 }])
	expect(bodies).toHaveLength(1)
	// The other tests have the same upstream.
	await expect.poll(() => alarm('asked').then(() => pending('asked')), { timeout: 15_000, interval: 200 }).toEqual([])
	expect(bodies).toHaveLength(2)
})

test('an upstream that is gone for good gets no second attempt', async () => {
	statuses.push(410)
	await outbox.accept(event('turn_1', 'for-good'))
	await expect.poll(() => pending('for-good')).toMatchObject([{ failed: 1, dead: expect.toSatisfy((at) => at > 0) }])
	expect(bodies).toHaveLength(1)
})

test('after the last attempt it is kept as a dead letter, and those behind it go on', async () => {
	statuses.push(...Array.from({ length: attempts }, () => 400))
	await outbox.accept(event('turn_poison', 'poisoned'))
	await outbox.accept(event('turn_next', 'poisoned', '{"next":1}'))
	for (let i = 0; i < attempts; i++) await alarm('poisoned')
	expect(await pending('poisoned')).toMatchObject([{ failed: attempts, dead: expect.toSatisfy((at) => at > 0) }])
	expect(bodies.filter((body) => body === '{"next":1}')).toHaveLength(1)
	expect(bodies).toHaveLength(attempts + 1)
	// The log has all it takes to find it.
	expect(lines.filter(({ dead }) => dead)).toMatchObject([
		{
			level: 'error',
			msg: 'delivery',
			turn: 'turn_poison',
			attempt: attempts,
			object: objectOf('poisoned').id.toString(),
		},
	])
	// It stays when the rest is forgotten.
	await runDurableObjectAlarm(objectOf('poisoned'))
	expect(await pending('poisoned')).toHaveLength(1)
})

/** An object that has given up an event, and knows nothing else. */
async function withDeadLetter(name: string): Promise<void> {
	statuses.push(...Array.from({ length: attempts }, () => 400))
	await outbox.accept(event('turn_dead', name))
	for (let i = 0; i < attempts; i++) await alarm(name)
	expect(await pending(name)).toMatchObject([{ failed: attempts }])
	statuses.length = bodies.length = 0
}

test('a dead letter that somebody put back is delivered within a day', async () => {
	await withDeadLetter('redriven')
	const at = (await alarmOf('redriven')) ?? 0
	expect(at).toBeLessThanOrEqual(Date.now() + 24 * hour)
	await change('redriven', 'UPDATE deliveries SET dead = 0, failed = 0, due = 0')
	await runDurableObjectAlarm(objectOf('redriven'))
	expect(bodies).toHaveLength(1)
	expect(await pending('redriven')).toEqual([])
})

test('a dead letter that somebody put back goes before the event that comes next', async () => {
	await withDeadLetter('revived')
	await change('revived', 'UPDATE deliveries SET dead = 0, failed = 0, due = 0')
	await outbox.accept(event('turn_1', 'revived', '{"next":1}'))
	await expect.poll(() => bodies).toEqual(['{"event":1}', '{"next":1}'])
})

test('a dead letter is kept for thirty days, and then the object stores nothing', async () => {
	await withDeadLetter('old')
	await change('old', 'UPDATE deliveries SET dead = dead - ?', 29 * 24 * hour)
	await runDurableObjectAlarm(objectOf('old'))
	expect(await pending('old')).toHaveLength(1)
	await change('old', 'UPDATE deliveries SET dead = dead - ?', 24 * hour)
	await runDurableObjectAlarm(objectOf('old'))
	expect(await pending('old')).toEqual([])
	expect(await alarmOf('old')).toBeNull()
})

test('an event is delivered though the alarm before it found nothing to do', async () => {
	await withDeadLetter('idle')
	vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 25 * hour })
	await runDurableObjectAlarm(objectOf('idle'))
	vi.setSystemTime(Date.now() + hour)
	await outbox.accept(event('turn_1', 'idle'))
	expect(await alarmOf('idle')).toBeLessThanOrEqual(Date.now())
})

test('an alarm begins no delivery after its time, and comes again at once for the rest', async () => {
	vi.useFakeTimers({ toFake: ['Date'] })
	// An upstream that needs six minutes. The alarm is not to come by itself meanwhile.
	statuses.push(400)
	await outbox.accept(event('turn_1', 'slow'))
	await expect.poll(() => pending('slow')).toMatchObject([{ failed: 1 }])
	await outbox.accept(event('turn_2', 'slow'))
	vi.mocked(fetch).mockImplementation(async (_url, init) => {
		bodies.push(String(init?.body))
		vi.setSystemTime(Date.now() + 6 * 60_000)
		return new Response('{}')
	})
	bodies.length = 0
	await alarm('slow')
	expect(bodies).toHaveLength(1)
	expect(await pending('slow')).toHaveLength(1)
	expect(await alarmOf('slow')).toBeLessThanOrEqual(Date.now())
})

test('what was delivered leaves nothing behind', async () => {
	await outbox.accept(event('turn_1', 'clean'))
	await expect.poll(() => bodies).toHaveLength(1)
	await expect.poll(() => pending('clean')).toEqual([])
	await expect.poll(() => alarmOf('clean')).toBeNull()
})

test('an event of a route that is gone waits like any other', async () => {
	await outbox.accept({ ...event('turn_1', 'gone'), route: 'no-such-route' })
	await expect.poll(() => pending('gone')).toMatchObject([{ failed: 1, dead: 0 }])
	expect(bodies).toEqual([])
})

test('a conversation takes so many events, and then no more', async () => {
	statuses.push(400)
	await outbox.accept(event('turn_0', 'full'))
	await expect.poll(() => pending('full')).toMatchObject([{ failed: 1 }])
	await runInDurableObject(objectOf('full'), (_object, { storage: { sql } }) => {
		const insert = "INSERT INTO deliveries (delivery, due, dead) VALUES ('{}', 0, ?)"
		for (let i = 0; i < 999; i++) sql.exec(insert, Date.now())
	})
	await expect(outbox.accept(event('turn_1', 'full'))).rejects.toMatchObject({ code: 'outbox-full' })
})

test('an event over what the storage takes is refused, by its bytes', async () => {
	const send = vi.spyOn(EVENTS, 'send').mockResolvedValue(undefined as never)
	const size = JSON.stringify(event('turn_1', undefined, '')).length
	await outbox.accept(event('turn_1', undefined, 'x'.repeat(127_900 - size)))
	expect(send).toHaveBeenCalledTimes(1)
	const over = { code: 'event-too-large', status: 413, context: { limit: 127_900 } }
	await expect(outbox.accept(event('turn_1', undefined, 'x'.repeat(127_901 - size)))).rejects.toMatchObject(over)
	await expect(outbox.accept(event('turn_1', undefined, 'ü'.repeat(64_000)))).rejects.toMatchObject(over)
	await expect(outbox.accept(event('turn_1', 'c', 'ü'.repeat(1_000_000)))).rejects.toMatchObject({
		code: 'event-too-large',
	})
	expect(send).toHaveBeenCalledTimes(1)
})

test('a queue or an object that refuses is told to the platform, and never taken for done', async () => {
	const refusing = createOutbox(
		{
			EVENTS: { ...EVENTS, send: () => Promise.reject(new Error('the queue is gone')) },
			CONVERSATIONS: {
				idFromName: () => '',
				get: () => ({ enqueue: () => Promise.reject(new Error('overloaded')) }),
			} as never,
		},
		(line) => lines.push(line),
	)
	await expect(refusing.accept(event('turn_1'))).rejects.toMatchObject({ code: 'outbox-failed', status: 503 })
	await expect(refusing.accept(event('turn_2', 'c'))).rejects.toMatchObject({ code: 'outbox-failed', status: 503 })
	expect(lines).toMatchObject([
		{ level: 'error', msg: 'outbox', turn: 'turn_1', cause: 'the queue is gone' },
		{ level: 'error', msg: 'outbox', turn: 'turn_2', cause: 'overloaded' },
	])
})

test('the queue delivers what it was sent, and puts off what fails', async () => {
	statuses.push(200, 400)
	const messages = [1, 8].map((attempts) => ({
		id: `${attempts}`,
		timestamp: new Date(),
		attempts,
		body: event(`turn_${attempts}`),
	}))
	const batch = createMessageBatch<Delivery>('dragoman-events', messages)
	await worker.queue(batch, bindings)
	const result = await getQueueResult(batch, createExecutionContext())
	expect(result.explicitAcks).toEqual(['1'])
	// After the last attempt the queue itself puts it into its dead-letter queue.
	expect(result.retryMessages).toEqual([{ msgId: '8' }])
	expect(lines.map(({ msg, turn, dead }) => [msg, turn, dead]).toSorted()).toEqual([
		['delivery', 'turn_1', undefined],
		['delivery', 'turn_8', true],
	])
})

/** What the queue is told when the how-manieth attempt for that route is made. */
async function retryOf(route: string, number: number): Promise<QueueRetryOptions | undefined> {
	const batch = createMessageBatch<Delivery>('dragoman-events', [
		{ id: '1', timestamp: new Date(), attempts: number, body: { ...event('turn_1'), route } },
	])
	const [message] = batch.messages
	if (!message) throw new Error('the batch is empty')
	const retry = vi.spyOn(message, 'retry')
	await worker.queue(batch, bindings)
	expect(retry).toHaveBeenCalledTimes(1)
	return retry.mock.lastCall?.[0]
}

test('a message that failed waits as the schedule says', async () => {
	statuses.push(400)
	const { delaySeconds = 0 } = (await retryOf('in', 2)) ?? {}
	expect(delaySeconds).toBeGreaterThanOrEqual(240)
	expect(delaySeconds).toBeLessThanOrEqual(360)
})

test('a message for an upstream that rests waits as the schedule says, for the queue counts it as tried', async () => {
	statuses.push(503)
	retryAfter = '3000'
	expect((await retryOf('in-trouble', 1))?.delaySeconds).toBe(3000)
	bodies.length = lines.length = 0
	// Longer than the upstream asked for.
	const { delaySeconds = 0 } = (await retryOf('in-trouble', 5)) ?? {}
	expect(delaySeconds).toBeGreaterThanOrEqual(14_400)
	expect(delaySeconds).toBeLessThanOrEqual(21_600)
	expect(lines).toEqual([])
	// The last one goes into the dead-letter queue, and the log says so though nothing was tried.
	expect(await retryOf('in-trouble', attempts)).toBeUndefined()
	expect(lines).toMatchObject([{ msg: 'delivery', level: 'error', turn: 'turn_1', attempt: attempts, dead: true }])
	expect(bodies).toEqual([])
})

test('an object does not come back every moment to an upstream that is left alone', async () => {
	statuses.push(...Array.from({ length: 20 }, () => 500))
	for (let i = 0; i < 5; i++) await retryOf('down', 1)
	const before = Date.now()
	await outbox.accept({ ...event('turn_1', 'left-alone'), route: 'down' })
	await expect.poll(() => alarmOf('left-alone').then((at) => (at ?? 0) > Date.now())).toBe(true)
	expect(await alarmOf('left-alone')).toBeGreaterThanOrEqual(before + 4000)
})

test('an event goes through the queue to the upstream', async () => {
	await outbox.accept(event('turn_1', undefined, '{"through":"the queue"}'))
	await expect.poll(() => bodies, { timeout: 10_000 }).toEqual(['{"through":"the queue"}'])
})

test('waits grow, within a fifth of the schedule', () => {
	const seconds = [5, 300, 1800, 7200, 18_000, 36_000, 36_000]
	for (const [i, wait] of seconds.entries()) {
		expect(waitAfter(i + 1, 0)).toBe(wait * 800)
		expect(waitAfter(i + 1, 1)).toBe(wait * 1200)
	}
	expect(waitAfter(attempts)).toBeUndefined()
})
