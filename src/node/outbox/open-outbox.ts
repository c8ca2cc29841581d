/** Opens the durable outbox on Node: one SQLite file in its own thread, or tables in PostgreSQL. */
import { randomUUID } from 'node:crypto'
import type { FileOutboxSettings, OutboxSettings, PostgresOutboxSettings } from '../../config/index.ts'
import type { Clock } from '../../delivery/index.ts'
import type { Route } from '../../route.ts'
import type { Runtime } from '../../runtime.ts'
import { createOutbox, type RunningOutbox } from './delivery-loop.ts'
import { openThread, type RemoteStore } from './store-client.ts'

export type { RunningOutbox }

/** Opens the outbox and starts to deliver. `routes` is called at each attempt. Rejects with an OutboxError or a DatabaseUnusable. */
export async function openOutbox(
	settings: OutboxSettings,
	routes: () => readonly Route[],
	runtime: Runtime,
): Promise<RunningOutbox> {
	const clock = steadyClock(runtime)
	const store = 'file' in settings ? await openFile(settings, clock) : await openTables(settings)
	return createOutbox({ store, settings, routes, runtime, clock })
}

function openFile(settings: FileOutboxSettings, clock: Clock): Promise<RemoteStore> {
	return openThread({ ...settings, owner: randomUUID(), now: clock.now() })
}

/** Loads the driver only when it is wanted. */
async function openTables(settings: PostgresOutboxSettings): Promise<RemoteStore> {
	const { openPostgresStore } = await import('./postgres/store.ts')
	return openPostgresStore(settings)
}

/**
 * A clock that starts at the wall clock's time and then counts elapsed time. The next process can read the stored times,
 * and setting the wall clock while this process runs moves no attempt.
 */
function steadyClock({ now, elapsed }: Runtime): Clock {
	const offset = now() - elapsed()
	return {
		now: () => Math.round(offset + elapsed()),
		after(milliseconds, run) {
			const timer = setTimeout(run, milliseconds)
			timer.unref()
			return () => clearTimeout(timer)
		},
	}
}
