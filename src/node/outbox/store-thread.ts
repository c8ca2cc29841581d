/** The thread that owns the outbox's file. It waits for the disk, so that the main thread never does. */
import { parentPort, workerData } from 'node:worker_threads'
import { OutboxError } from './outbox-error.ts'
import { type Batch, openStore, type Store, type StoreOptions } from './store.ts'
import type { Answer } from './store-client.ts'

const port = parentPort
if (!port) throw new Error('must run as a worker thread')
const send = (answer: Answer): void => port.postMessage(answer)

const options: StoreOptions = workerData
const store = open()
port.on('message', (batch: Batch | 'close') => {
	if (batch !== 'close') return commit(batch)
	store?.close()
	port.close()
})

function open(): Store | undefined {
	try {
		const opened = openStore(options)
		send({ routes: opened.routes })
		return opened
	} catch (thrown) {
		const { reason, message } =
			thrown instanceof OutboxError ? thrown : { reason: 'disk' as const, message: `${thrown}` }
		send({ unusable: reason, message })
		port?.close()
		return undefined
	}
}

function commit(batch: Batch): void {
	if (!store) return
	try {
		send({ committed: store.commit(batch) })
	} catch (thrown) {
		// After a failed write it is unknown what is on the disk, so the file must be opened and examined again.
		send({ failed: thrown instanceof Error ? thrown.message : String(thrown) })
		try {
			store.close()
		} finally {
			port?.close()
		}
	}
}
