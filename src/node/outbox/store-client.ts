/** The store in a thread of its own, started anew after a failure. */
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { OutboxError, type OutboxErrorReason } from './outbox-error.ts'
import type { Round, RoundResult, StoreOptions } from './store.ts'

/** What the thread says: once at its start, then once a round. */
export type Answer =
	| { readonly routes: readonly string[] }
	| { readonly unusable: OutboxErrorReason; readonly message: string }
	| { readonly result: RoundResult }
	| { readonly failed: string }

/** A store that is somewhere else. */
export interface RemoteStore {
	/** The routes that had events waiting when it was opened. */
	readonly routes: readonly string[]
	/** One at a time. Rejects when nothing is known of what it did; the next one finds the file examined, or rejects. */
	round(round: Round): Promise<RoundResult>
	close(): Promise<void>
}

// Beside the sources as in the package.
const program = new URL(`./store-thread${extname(import.meta.url)}`, import.meta.url)

/** Opens the outbox in a thread. Rejects with OutboxUnusable. */
export async function openThread(options: StoreOptions): Promise<RemoteStore> {
	let thread: Thread | undefined = await start(options)
	return {
		routes: thread.routes,
		async round(round) {
			thread ??= await start({ ...options, now: round.now })
			try {
				const answer = await thread.ask(round)
				if ('result' in answer) return answer.result
				throw new Error('failed' in answer ? answer.failed : 'the outbox thread sent an unexpected answer')
			} catch (thrown) {
				const ended = thread
				thread = undefined
				// Only when its locks are gone can the next one take them.
				await ended?.ended
				throw thrown
			}
		},
		async close() {
			thread?.close()
			await thread?.ended
			thread = undefined
		},
	}
}

interface Thread {
	readonly routes: readonly string[]
	ask(round: Round): Promise<Answer>
	close(): void
	readonly ended: Promise<void>
}

async function start(options: StoreOptions): Promise<Thread> {
	// It needs nothing of our environment, where the secrets are.
	const worker = new Worker(program, { workerData: options, env: {}, execArgv: [], name: 'outbox' })
	let waiting = Promise.withResolvers<Answer>()
	let over = false
	const { promise: ended, resolve: end } = Promise.withResolvers<void>()
	worker.on('message', (answer: Answer) => waiting.resolve(answer))
	worker.on('error', (cause) => waiting.reject(cause))
	const lost = () => waiting.reject(new Error('the outbox thread ended'))
	worker.on('exit', () => {
		over = true
		lost()
		end()
	})
	const opened = await waiting.promise
	if ('unusable' in opened) {
		await ended
		throw new OutboxError(opened.unusable, opened.message)
	}
	return {
		routes: 'routes' in opened ? opened.routes : [],
		ask(round) {
			waiting = Promise.withResolvers<Answer>()
			// Nobody would ever answer.
			if (over) lost()
			else worker.postMessage(round)
			return waiting.promise
		},
		close: () => worker.postMessage('close'),
		ended,
	}
}
