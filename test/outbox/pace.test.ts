/** How fast a backlog is drained, with a clock that the tests move. */
import { expect, test } from 'vitest'
import { createPace } from '../../src/node/outbox/pace.ts'
import type { RemoteStore } from '../../src/node/outbox/store-client.ts'
import { batchOf, delivery, entry, near, outboxOn, settingsOf, storeOf, type TestClock, testClock } from './parts.ts'

/** Milliseconds that the pause after a commit takes. */
async function pauseAfter(milliseconds: number): Promise<number> {
	let now = 1000
	const pace = createPace({ now: () => now })
	expect(pace.pausesUntil).toBeLessThan(now)
	await pace.measure(async () => {
		now += milliseconds
	})
	return pace.pausesUntil - now
}

test.each([
	[0, 0],
	[1, 6],
	[15, 90],
	[500, 100],
])('after a commit of %i ms there is a pause of %i ms', async (took, pause) => {
	expect(await pauseAfter(took)).toBe(pause)
})

test.each([
	[0, 0],
	[3, 3],
	[500, 5],
])('after a commit of %i ms a new event waits for others for %i ms at most', async (took, wait) => {
	let now = 1000
	const pace = createPace({ now: () => now })
	expect(pace.gathersUntil).toBeLessThan(now)
	await pace.measure(async () => {
		now += took
	})
	expect(pace.gathersUntil - now).toBe(wait)
})

test('a commit that fails begins no pause', async () => {
	let now = 1000
	const pace = createPace({ now: () => now })
	const failing = pace.measure(async () => {
		now += 20
		throw new Error('disk I/O error')
	})
	await expect(failing).rejects.toThrow('disk I/O error')
	expect(pace.pausesUntil).toBeLessThan(now)
})

/** A file whose commits take so long, and what they stored. */
function slow(store: RemoteStore, clock: TestClock, milliseconds: number) {
	const commits: { readonly at: number; readonly entries: number; readonly outcomes: number }[] = []
	const slowly: RemoteStore = {
		...store,
		async commit(batch) {
			commits.push({ at: clock.now(), entries: batch.entries.length, outcomes: batch.outcomes.length })
			await new Promise<void>((done) => void clock.after(milliseconds, done))
			return await store.commit(batch)
		},
	}
	return { slowly, commits }
}

/** An outbox in which so many events wait, and whose commits take so long; a delivery takes 1 ms. */
function outboxWith(waiting: number, milliseconds: number) {
	const clock = testClock()
	const settings = settingsOf({ concurrency: 4 })
	const store = storeOf(settings, clock.now())
	const entries = Array.from({ length: waiting }, (_, i) =>
		entry(`e${i}`, undefined, JSON.stringify(delivery(`e${i}`))),
	)
	store.commit(batchOf({ now: clock.now(), entries }))
	const { slowly, commits } = slow(near(store), clock, milliseconds)
	const answer = () => new Promise<number>((done) => void clock.after(1, () => done(200)))
	return { ...outboxOn(slowly, settings, answer, clock), clock, commits }
}

test.each([2, 10])('a backlog has a seventh of the time of a store whose commits take %i ms', async (took) => {
	const { clock, commits, attempts } = outboxWith(40, took)
	await clock.pass(10 * 7 * took - 1)
	expect(commits).toHaveLength(10)
	// As many as may be in progress are in each.
	expect(attempts).toHaveLength(40)
})

test('what has just come does not wait for the end of a pause, and takes the outcomes with it', async () => {
	const { outbox, clock, commits } = outboxWith(8, 10)
	await clock.pass(15)
	expect(commits).toHaveLength(1)
	void outbox.accept([delivery('new')])
	await clock.pass(1)
	expect(commits.slice(1)).toMatchObject([{ entries: 1, outcomes: 4 }])
})

/** Callers who come back with their next event so many milliseconds after each answer, for so many events each. */
function callers(rig: ReturnType<typeof outboxWith>, thinking: readonly number[], events: number): void {
	for (const [i, milliseconds] of thinking.entries()) {
		const call = async () => {
			for (let n = 0; n < events; n++) {
				await rig.outbox.accept([delivery(`${i}-${n}`)])
				await new Promise<void>((done) => void rig.clock.after(milliseconds, done))
			}
		}
		void call()
	}
}

test('callers who come back shortly after each other share a commit', async () => {
	const rig = outboxWith(0, 4)
	await rig.clock.pass(100)
	rig.commits.length = 0
	callers(rig, [1, 2, 3], 4)
	await rig.clock.pass(4 * (4 + 3) - 1)
	expect(rig.commits.map(({ entries }) => entries)).toEqual([3, 3, 3, 3])
})

test('who does not come back is not waited for any longer than the commit took', async () => {
	const rig = outboxWith(0, 4)
	await rig.clock.pass(100)
	rig.commits.length = 0
	const from = rig.clock.now()
	callers(rig, [1, 50], 3)
	await rig.clock.pass(15)
	expect(rig.commits.map(({ at, entries }) => [at - from, entries])).toEqual([
		[0, 2],
		[8, 1],
		[13, 1],
	])
})

test('a single caller is not waited for', async () => {
	const rig = outboxWith(0, 4)
	await rig.clock.pass(100)
	rig.commits.length = 0
	callers(rig, [1], 4)
	await rig.clock.pass(4 * (4 + 1) - 1)
	expect(rig.commits.map(({ entries }) => entries)).toEqual([1, 1, 1, 1])
})

test('an event without a backlog is delivered as soon as it is stored', async () => {
	const { outbox, clock, attempts } = outboxWith(0, 10)
	await clock.pass(100)
	void outbox.accept([delivery('one')])
	await clock.pass(10)
	expect(attempts).toMatchObject([{ text: 'one', at: clock.now() }])
})

test('who closes the outbox in a pause has the outcomes stored', async () => {
	const { outbox, clock, commits } = outboxWith(4, 10)
	await clock.pass(15)
	const closed = outbox.close(1000)
	await clock.pass(10)
	await closed
	expect(commits.map(({ outcomes }) => outcomes)).toEqual([0, 4])
})
