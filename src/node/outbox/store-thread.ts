/** The thread that has the outbox's file: it waits for the disk, so that the gateway's own thread never does. */
import { parentPort, workerData } from 'node:worker_threads'
import { OutboxError } from './outbox-error.ts'
import { openStore, type Round, type Store, type StoreOptions } from './store.ts'
import type { Answer } from './store-client.ts'

const port = parentPort
if (!port) throw new Error('must run as a worker thread')
const tell = (answer: Answer): void => port.postMessage(answer)

const options: StoreOptions = workerData
const store = open()
port.on('message', (round: Round | 'close') => {
	if (round !== 'close') return take(round)
	store?.close()
	port.close()
})

function open(): Store | undefined {
	try {
		const opened = openStore(options)
		tell({ routes: opened.routes })
		return opened
	} catch (thrown) {
		const { reason, message } =
			thrown instanceof OutboxError ? thrown : { reason: 'disk' as const, message: `${thrown}` }
		tell({ unusable: reason, message })
		port?.close()
		return undefined
	}
}

function take(round: Round): void {
	if (!store) return
	try {
		tell({ result: store.round(round) })
	} catch (thrown) {
		// After a failed write nobody knows what is on the disk: the file is opened again, and examined, or not used at all.
		tell({ failed: thrown instanceof Error ? thrown.message : String(thrown) })
		try {
			store.close()
		} finally {
			port?.close()
		}
	}
}
