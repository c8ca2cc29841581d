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
import { defaultSchedule } from '../../src/delivery/index.ts'
import type { EventDelivery, LogLine } from '../../src/runtime.ts'
import worker from '../../src/worker/index.ts'
import type { QueuedEvent } from '../../src/worker/queued-event.ts'
import { createOutbox } from '../../src/worker/worker-outbox.ts'
import { bindings } from './bindings.ts'

const { CONVERSATIONS, EVENTS, DEAD_EVENTS } = bindings
const attempts = defaultSchedule.schedule.length
const lines: LogLine[] = []
const parts = {
	log: (line: LogLine) => lines.push(line),
	background: () => {},
	attempt: () => Promise.reject(new Error('no answer is late here')),
}
const outbox = createOutbox(bindings, parts)
const objectOf = (name: string) => CONVERSATIONS.get(CONVERSATIONS.idFromName(name))

function event(id: string, conversation?: string, body = '{"event":1}'): EventDelivery {
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

/** As docs/deploy-workers.md has it. */
const putBack = 'UPDATE deliveries SET dead = 0, failed = 0, due = 0, accepted_at = unixepoch() * 1000 WHERE dead > 0'

test('events of a conversation are delivered in order, even if the first fails', async () => {
	statuses.push(400, 400)
	for (const n of [1, 2, 3]) await outbox.accept([event(`turn_${n}`, 'ordered', `{"n":${n}}`)])
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

test('the next attempt starts by itself when it is due', async () => {
	statuses.push(400)
	const before = Date.now()
	await outbox.accept([event('turn_1', 'again')])
	await expect.poll(() => pending('again')).toMatchObject([{ failed: 1 }])
	const after = Date.now()
	const [{ due } = { due: 0 }] = await pending('again')
	expect(await alarmOf('again')).toBe(due)
	expect(due).toBeGreaterThanOrEqual(before + 4000)
	expect(due).toBeLessThanOrEqual(after + 6000)
})

test('Retry-After of an upstream is honoured, without attempts meanwhile', async () => {
	statuses.push(503)
	// So long that even a slow machine looks twice before it is over.
	retryAfter = '6'
	await outbox.accept([event('turn_1', 'asked')])
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
	await outbox.accept([event('turn_1', 'for-good')])
	await expect.poll(() => pending('for-good')).toMatchObject([{ failed: 1, dead: expect.toSatisfy((at) => at > 0) }])
	expect(bodies).toHaveLength(1)
})

test('after the last attempt an event stays as a dead letter, and later ones are delivered', async () => {
	statuses.push(...Array.from({ length: attempts }, () => 400))
	await outbox.accept([event('turn_poison', 'poisoned')])
	await outbox.accept([event('turn_next', 'poisoned', '{"next":1}')])
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
	await outbox.accept([event('turn_dead', name)])
	for (let i = 0; i < attempts; i++) await alarm(name)
	expect(await pending(name)).toMatchObject([{ failed: attempts }])
	statuses.length = bodies.length = 0
}

test('a dead letter that was put back is delivered within a day', async () => {
	await withDeadLetter('redriven')
	const at = (await alarmOf('redriven')) ?? 0
	expect(at).toBeLessThanOrEqual(Date.now() + 24 * hour)
	await change('redriven', putBack)
	await runDurableObjectAlarm(objectOf('redriven'))
	expect(bodies).toHaveLength(1)
	expect(await pending('redriven')).toEqual([])
})

test('a dead letter that was put back is delivered before the next event', async () => {
	await withDeadLetter('revived')
	await change('revived', putBack)
	await outbox.accept([event('turn_1', 'revived', '{"next":1}')])
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

test('an event is delivered even if the alarm before it found nothing to do', async () => {
	await withDeadLetter('idle')
	vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 25 * hour })
	await runDurableObjectAlarm(objectOf('idle'))
	vi.setSystemTime(Date.now() + hour)
	await outbox.accept([event('turn_1', 'idle')])
	expect(await alarmOf('idle')).toBeLessThanOrEqual(Date.now())
})

test('an alarm starts no delivery after its time limit, and is set again immediately for the rest', async () => {
	vi.useFakeTimers({ toFake: ['Date'] })
	// An upstream that needs six minutes. The alarm is not to come by itself meanwhile.
	statuses.push(400)
	await outbox.accept([event('turn_1', 'slow')])
	await expect.poll(() => pending('slow')).toMatchObject([{ failed: 1 }])
	await outbox.accept([event('turn_2', 'slow')])
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

test('a delivered event leaves nothing behind', async () => {
	await outbox.accept([event('turn_1', 'clean')])
	await expect.poll(() => bodies).toHaveLength(1)
	await expect.poll(() => pending('clean')).toEqual([])
	await expect.poll(() => alarmOf('clean')).toBeNull()
})

test('an event of a removed route waits like any other', async () => {
	await outbox.accept([{ ...event('turn_1', 'gone'), route: 'no-such-route' }])
	await expect.poll(() => pending('gone')).toMatchObject([{ failed: 1, dead: 0 }])
	expect(bodies).toEqual([])
})

test('the number of events per conversation is limited', async () => {
	statuses.push(400)
	await outbox.accept([event('turn_0', 'full')])
	await expect.poll(() => pending('full')).toMatchObject([{ failed: 1 }])
	await runInDurableObject(objectOf('full'), (_object, { storage: { sql } }) => {
		const insert = "INSERT INTO deliveries (delivery, accepted_at, due, dead) VALUES ('{}', 0, 0, ?)"
		for (let i = 0; i < 999; i++) sql.exec(insert, Date.now())
	})
	await expect(outbox.accept([event('turn_1', 'full')])).rejects.toMatchObject({ code: 'outbox-full' })
})

/** An event with the holding reply, and the late answer that its Worker awaits for ever. */
const held = (id: string, conversation: string): EventDelivery => ({
	...event(id, conversation),
	answer: { address: {}, event: { kind: 'message', attributes: {}, conversation }, held: true },
})
const never = new Promise<never>(() => {})
const waiting = createOutbox(bindings, { ...parts, attempt: () => never })

test('a late answer whose Worker ended is lost with a dead letter, and asked for again when that is put back', async () => {
	const before = Date.now()
	await waiting.accept([held('turn_1', 'late')], never)
	const [{ due } = { due: 0 }] = await pending('late')
	expect(due).toBeGreaterThanOrEqual(before + 30_000)
	expect(await alarmOf('late')).toBe(due)
	await change('late', 'UPDATE deliveries SET due = 1')
	await runDurableObjectAlarm(objectOf('late'))
	expect(lines).toMatchObject([{ msg: 'delivery', turn: 'turn_1', dead: true, error: 'late-answer-lost' }])
	expect(bodies).toEqual([])
	await change('late', putBack)
	await runDurableObjectAlarm(objectOf('late'))
	expect(bodies).toHaveLength(1)
})

test('the pushes of a late answer take its place, once, before what came behind it', async () => {
	await waiting.accept([held('turn_1', 'placed')], never)
	await outbox.accept([event('turn_2', 'placed')])
	const { answer, request, ...about } = held('turn_1', 'placed')
	const call = { method: 'POST', path: '/', headers: [], body: '' }
	const pushes = [1, 2].map((n) => ({ ...about, id: `turn_1-${n}`, address: {}, call }))
	const outcome = JSON.stringify({ result: 'delivered', pushes })
	for (let times = 0; times < 2; times++) await objectOf('placed').settleDelivery('turn_1', outcome)
	const delivered = () => lines.filter(({ msg }) => msg === 'delivery').map(({ turn }) => turn)
	await expect.poll(delivered).toEqual(['turn_1-1', 'turn_1-2', 'turn_2'])
	// This platform has no API: they are dead letters.
	expect(await pending('placed')).toMatchObject([{ failed: 1 }, { failed: 1 }])
})

test('an event over the storage limit is rejected, by its bytes', async () => {
	const send = vi.spyOn(EVENTS, 'send').mockResolvedValue(undefined as never)
	const size = JSON.stringify(event('turn_1', undefined, '')).length
	await outbox.accept([event('turn_1', undefined, 'x'.repeat(127_800 - size))])
	expect(send).toHaveBeenCalledTimes(1)
	const over = { code: 'event-too-large', status: 413, context: { limit: 127_800 } }
	await expect(outbox.accept([event('turn_1', undefined, 'x'.repeat(127_801 - size))])).rejects.toMatchObject(over)
	await expect(outbox.accept([event('turn_1', undefined, 'ü'.repeat(64_000))])).rejects.toMatchObject(over)
	await expect(outbox.accept([event('turn_1', 'c', 'ü'.repeat(1_000_000))])).rejects.toMatchObject({
		code: 'event-too-large',
	})
	expect(send).toHaveBeenCalledTimes(1)
})

test('a failure of the queue or the object is reported to the platform, never acknowledged', async () => {
	const refusing = createOutbox(
		{
			EVENTS: { ...EVENTS, send: () => Promise.reject(new Error('the queue is gone')) },
			CONVERSATIONS: {
				idFromName: () => '',
				get: () => ({ enqueue: () => Promise.reject(new Error('overloaded')) }),
			} as never,
		},
		parts,
	)
	await expect(refusing.accept([event('turn_1')])).rejects.toMatchObject({ code: 'outbox-failed', status: 503 })
	await expect(refusing.accept([event('turn_2', 'c')])).rejects.toMatchObject({ code: 'outbox-failed', status: 503 })
	expect(lines).toMatchObject([
		{ level: 'error', msg: 'outbox', turn: 'turn_1', cause: 'the queue is gone' },
		{ level: 'error', msg: 'outbox', turn: 'turn_2', cause: 'overloaded' },
	])
})

/** What a message of the queue leads to. */
async function consume(event: QueuedEvent, deliveries = 1) {
	const message = { id: '1', timestamp: new Date(), attempts: deliveries, body: event }
	const batch = createMessageBatch<QueuedEvent>('dragoman-events', [message])
	const send = vi.spyOn(EVENTS, 'send').mockResolvedValue(undefined as never)
	const sendDead = vi.spyOn(DEAD_EVENTS, 'send').mockResolvedValue(undefined as never)
	await worker.queue(batch, bindings)
	const { explicitAcks, retryMessages } = await getQueueResult(batch, createExecutionContext())
	const [next, options] = send.mock.lastCall ?? []
	const [dead] = sendDead.mock.lastCall ?? []
	for (const spy of [send, sendDead]) spy.mockRestore()
	return { next, delay: options?.delaySeconds, dead, acknowledged: explicitAcks.length === 1, retried: retryMessages }
}

const queued = (failed: number, due = 0, acceptedAt = Date.now()): QueuedEvent => ({
	...event('turn_1'),
	history: { failed, acceptedAt, due },
})

test('the queue delivers what it was sent', async () => {
	expect(await consume(event('turn_1'))).toEqual({ acknowledged: true, retried: [] })
	expect(lines).toMatchObject([{ msg: 'delivery', turn: 'turn_1', attempt: 1, level: 'info' }])
})

test('a message whose attempt failed is followed by one that is delayed by the schedule', async () => {
	statuses.push(400)
	const { next, delay, ...rest } = await consume(queued(1))
	expect(rest).toEqual({ acknowledged: true, retried: [] })
	expect(next).toMatchObject({ id: 'turn_1', history: { failed: 2, acceptedAt: expect.any(Number) } })
	expect(delay).toBeGreaterThanOrEqual(240)
	expect(delay).toBeLessThanOrEqual(360)
})

test.each([
	['the last attempt failed', queued(attempts - 1), 400, attempts],
	['the event is older than its expiry', queued(2, 0, Date.now() - defaultSchedule.expiry), 400, 3],
	['the upstream is gone for good', event('turn_1'), 410, 1],
])('a message of which %s becomes a dead letter, with all attempts before it should it be put back', async (...row) => {
	const [, message, status, attempt] = row
	statuses.push(status)
	expect(await consume(message)).toEqual({ dead: event('turn_1'), acknowledged: true, retried: [] })
	expect(lines).toMatchObject([{ msg: 'delivery', level: 'error', turn: 'turn_1', attempt, dead: true }])
	expect(bodies).toHaveLength(1)
})

test('a message that arrives before it is due is sent again without an attempt', async () => {
	const day = 24 * hour
	const early = queued(3, Date.now() + day)
	expect(await consume(early)).toEqual({ next: early, delay: 43_200, acknowledged: true, retried: [] })
	expect([bodies, lines]).toEqual([[], []])
})

test('an upstream whose circuit is open for longer than all attempts makes no event a dead letter', async () => {
	statuses.push(503)
	retryAfter = '3'
	const route = 'in-trouble'
	expect((await consume({ ...event('turn_0'), route })).next).toMatchObject({ history: { failed: 1 } })
	let message: QueuedEvent = { ...queued(attempts - 1), route }
	vi.useFakeTimers({ toFake: ['Date'] })
	for (let i = 0; i < 3 * attempts; i++) {
		const { next, delay = 0, ...rest } = await consume(message)
		expect(rest).toEqual({ acknowledged: true, retried: [] })
		expect(next).toMatchObject({ ...message, history: { failed: attempts - 1 } })
		// Each of them is paid for.
		expect(delay).toBeGreaterThanOrEqual(5)
		vi.setSystemTime(Date.now() + 1000 * delay)
		message = next ?? message
	}
	expect(bodies).toHaveLength(1)
	expect(lines.filter(({ dead }) => dead)).toEqual([])
	vi.useRealTimers()
	const last = { ...message, ...(message.history && { history: { ...message.history, due: 0 } }) }
	await expect.poll(() => consume(last), { interval: 500 }).toEqual({ acknowledged: true, retried: [] })
	expect(bodies).toHaveLength(2)
})

test('a message is acknowledged once the queue has the next one, and retried if the queue does not accept it', async () => {
	const message = (id: string) => ({ id, timestamp: new Date(), attempts: 1, body: event(`turn_${id}`) })
	const batch = createMessageBatch<QueuedEvent>('dragoman-events', [message('1'), message('2')])
	const done: string[] = []
	for (const each of batch.messages) {
		vi.spyOn(each, 'ack').mockImplementation(() => void done.push(`ack ${each.id}`))
		vi.spyOn(each, 'retry').mockImplementation((options) => void done.push(`retry ${each.id} ${options?.delaySeconds}`))
	}
	statuses.push(400, 400)
	const EVENTS = {
		async send({ id }: EventDelivery) {
			await new Promise((sent) => setTimeout(sent, 50))
			if (id === 'turn_2') throw new Error('the queue is gone')
			done.push(`sent ${id}`)
		},
	}
	await worker.queue(batch, { ...bindings, EVENTS: EVENTS as never })
	expect(done).toEqual(['sent turn_1', 'ack 1', expect.stringMatching(/^retry 2 [4-7]$/)])
	expect(lines.filter(({ msg }) => msg === 'outbox')).toMatchObject([
		{ level: 'error', turn: 'turn_2', cause: 'the queue is gone' },
	])
})

test('an object does not call an upstream with an open circuit all the time', async () => {
	statuses.push(...Array.from({ length: 20 }, () => 500))
	for (let i = 0; i < 5; i++) await consume({ ...event('turn_1'), route: 'down' })
	const before = Date.now()
	await outbox.accept([{ ...event('turn_1', 'left-alone'), route: 'down' }])
	await expect.poll(() => alarmOf('left-alone').then((at) => (at ?? 0) > Date.now())).toBe(true)
	expect(await alarmOf('left-alone')).toBeGreaterThanOrEqual(before + 4000)
})

test('an event goes through the queue to the upstream', async () => {
	await outbox.accept([event('turn_1', undefined, '{"through":"the queue"}')])
	await expect.poll(() => bodies, { timeout: 10_000 }).toEqual(['{"through":"the queue"}'])
})

test('an event that failed is retried through the queue, and delivered', async () => {
	statuses.push(400)
	await outbox.accept([event('turn_again', undefined, '{"again":1}')])
	await expect.poll(() => bodies, { timeout: 20_000 }).toEqual(['{"again":1}', '{"again":1}'])
	expect(lines).toMatchObject([
		{ turn: 'turn_again', attempt: 1, error: 'upstream-status', level: 'warn' },
		{ turn: 'turn_again', attempt: 2, level: 'info' },
	])
})

test('how a late answer ended is written down by a second try if the first one broke off', async () => {
	let tries = 0
	const breaking = {
		idFromName: (name: string) => CONVERSATIONS.idFromName(name),
		get(id: DurableObjectId) {
			const object = CONVERSATIONS.get(id)
			return {
				enqueue: (deliveries: readonly string[], lease?: number) => object.enqueue(deliveries, lease),
				async settleDelivery(delivery: string, outcome: string) {
					await object.settleDelivery(delivery, outcome)
					if (tries++ === 0) throw new Error('the object restarted')
				},
			}
		},
	}
	const work: Promise<void>[] = []
	const failed = { result: 'failed', error: 'upstream-unreachable', nextAt: Date.now() + hour } as const
	const late = createOutbox(
		// A namespace has more; the outbox uses no more.
		{ EVENTS, CONVERSATIONS: breaking as unknown as typeof CONVERSATIONS },
		{ ...parts, background: (each) => work.push(each), attempt: async () => failed },
	)
	await late.accept([held('turn_1', 'broken')], never)
	await Promise.all(work)
	expect(tries).toBe(2)
	expect(await pending('broken')).toEqual([{ failed: 1, due: failed.nextAt, dead: 0 }])
	expect(lines).toEqual([])
})
