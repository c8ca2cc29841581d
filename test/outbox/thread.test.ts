/** The outbox's thread: what becomes of a batch when it has ended. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { Worker } from 'node:worker_threads'
import { expect, onTestFinished, test } from 'vitest'
import { openThread } from '../../src/node/outbox/store-client.ts'
import { batchOf, entry, settingsOf } from './parts.ts'

test('after the idle thread ended, the next commit fails, and the one after it reopens the file', async () => {
	const threads: Worker[] = []
	const keep = (message: unknown) => {
		if (typeof message === 'object' && message && 'worker' in message && message.worker instanceof Worker) {
			threads.push(message.worker)
		}
	}
	subscribe('worker_threads', keep)
	onTestFinished(() => void unsubscribe('worker_threads', keep))
	const store = await openThread({ ...settingsOf({}), owner: 'owner', now: 0 })
	onTestFinished(() => store.close())
	expect(await store.commit(batchOf({ entries: [entry('1')] }))).toMatchObject({ entries: [undefined] })

	expect(threads).toHaveLength(1)
	await threads[0]?.terminate()
	await expect(store.commit(batchOf({ entries: [entry('2')] }))).rejects.toThrow('the outbox thread ended')
	expect(await store.commit(batchOf({ entries: [entry('3')] }))).toMatchObject({ entries: [undefined] })
})
