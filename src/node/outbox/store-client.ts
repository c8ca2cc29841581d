/** The main thread's side of the store thread, which is started again after a failure. */
import { startThread } from '../start-thread.ts'
import { OutboxError, type OutboxErrorReason } from './outbox-error.ts'
import type { Batch, Committed, StoreOptions } from './store.ts'

/** What the thread sends: one message at its start, then one for each batch. */
export type Answer =
	| { readonly routes: readonly string[] }
	| { readonly unusable: OutboxErrorReason; readonly message: string }
	| { readonly committed: Committed }
	| { readonly failed: string }

/** A store in another thread. */
export interface RemoteStore {
	/** The routes that had waiting events when the store was opened. */
	readonly routes: readonly string[]
	/** One batch at a time. After a rejection it is unknown what was stored; the next commit opens and examines the file again. */
	commit(batch: Batch): Promise<Committed>
	close(): Promise<void>
	/** Sets what is called when another process has stored or released what is due. Absent: no other process can. */
	onNews?(run: () => void): void
}

/** Opens the outbox in a thread. Rejects with an OutboxError. */
export async function openThread(options: StoreOptions): Promise<RemoteStore> {
	let thread: Thread | undefined = await start(options)
	/** The events that this process has claimed, as far as it knows. */
	const held = new Set<string>()

	function remember({ entries, outcomes }: Batch, committed: Committed): Committed {
		const unstored = new Set(committed.unstored)
		for (const outcome of outcomes) if (!unstored.has(outcome)) held.delete(outcome.id)
		for (const { id } of committed.claimed) held.add(id)
		for (const [i, { rows, underWay }] of entries.entries()) {
			if (underWay && committed.entries[i] === undefined) for (const { id } of rows) held.add(id)
		}
		return committed
	}

	return {
		routes: thread.routes,
		async commit(batch) {
			thread ??= await start({
				...options,
				now: batch.now,
				held: [...held, ...batch.outcomes.map(({ id }) => id)],
			})
			try {
				const answer = await thread.ask(batch)
				if ('committed' in answer) return remember(batch, answer.committed)
				throw new Error('failed' in answer ? answer.failed : 'the outbox thread sent an unexpected answer')
			} catch (thrown) {
				const ended = thread
				thread = undefined
				// The next thread can only take the locks once this one has released them.
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
	ask(batch: Batch): Promise<Answer>
	close(): void
	readonly ended: Promise<void>
}

async function start(options: StoreOptions): Promise<Thread> {
	const worker = startThread('outbox/store-thread', 'outbox', options)
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
		ask(batch) {
			waiting = Promise.withResolvers<Answer>()
			// A thread that has ended never answers.
			if (over) lost()
			else worker.postMessage(batch)
			return waiting.promise
		},
		close: () => worker.postMessage('close'),
		ended,
	}
}
