/** The outbox's thread: what becomes of a batch when it has ended. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { DatabaseSync } from 'node:sqlite'
import { Worker } from 'node:worker_threads'
import { expect, onTestFinished, test } from 'vitest'
import { openThread } from '../../src/node/outbox/store-client.ts'
import { until } from '../until.ts'
import { batchOf, entry, settingsOf } from './parts.ts'

/** The threads that are started from now on. */
function threadsFromNow(): Worker[] {
	const threads: Worker[] = []
	const keep = (message: unknown) => {
		if (typeof message === 'object' && message && 'worker' in message && message.worker instanceof Worker) {
			threads.push(message.worker)
		}
	}
	subscribe('worker_threads', keep)
	onTestFinished(() => void unsubscribe('worker_threads', keep))
	return threads
}

test('after the idle thread ended, the next commit fails, and the one after it reopens the file', async () => {
	const threads = threadsFromNow()
	const store = await openThread({ ...settingsOf({}), owner: 'owner', now: 0 })
	onTestFinished(() => store.close())
	expect(await store.commit(batchOf({ entries: [entry('1')] }))).toMatchObject({ entries: [undefined] })

	expect(threads).toHaveLength(1)
	await threads[0]?.terminate()
	await expect(store.commit(batchOf({ entries: [entry('2')] }))).rejects.toThrow('the outbox thread ended')
	expect(await store.commit(batchOf({ entries: [entry('3')] }))).toMatchObject({ entries: [undefined] })
})

test('what a lost answer had claimed is claimed again, and what is being delivered is not', async () => {
	const threads = threadsFromNow()
	const settings = settingsOf({})
	const store = await openThread({ ...settings, owner: 'owner', now: 0 })
	onTestFinished(() => store.close())
	const room = { in: 10 }
	const known = await store.commit(batchOf({ entries: [entry('known')], room }))
	expect(known.claimed.map(({ id }) => id)).toEqual(['known'])

	threads[0]?.removeAllListeners('message')
	const lost = store.commit(batchOf({ entries: [entry('lost')], room }))
	const file = new DatabaseSync(settings.file, { readOnly: true })
	onTestFinished(() => file.close())
	await until(() => file.prepare('SELECT count(*) AS count FROM events').get()?.count === 2)
	await threads[0]?.terminate()
	await expect(lost).rejects.toThrow('the outbox thread ended')

	const again = await store.commit(batchOf({ room }))
	expect(again.claimed).toMatchObject([{ id: 'lost', failed: 0, interrupted: false }])
	const outcomes = ['known', 'lost'].map((id) => ({ id, result: 'delivered' }) as const)
	await store.commit(batchOf({ outcomes }))
	expect(file.prepare('SELECT id FROM events').all()).toEqual([])
})
