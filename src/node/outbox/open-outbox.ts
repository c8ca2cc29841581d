/** The durable outbox on Node: one SQLite file, in a thread of its own. */
import { randomUUID } from 'node:crypto'
import type { OutboxSettings } from '../../config/index.ts'
import type { Clock } from '../../delivery/index.ts'
import type { Route } from '../../route.ts'
import type { Runtime } from '../../runtime.ts'
import { createOutbox, type RunningOutbox } from './delivery-loop.ts'
import { openThread } from './store-client.ts'

export type { RunningOutbox }

/** Opens the outbox and delivers what is in it. `routes` are asked for at each attempt. Rejects with OutboxUnusable. */
export async function openOutbox(
	settings: OutboxSettings,
	routes: () => readonly Route[],
	runtime: Runtime,
): Promise<RunningOutbox> {
	const clock = steadyClock(runtime)
	const store = await openThread({ ...settings, owner: randomUUID(), now: clock.now() })
	return createOutbox({ store, settings, routes, runtime, clock })
}

/**
 * The wall clock's time at the start, and from there on the time that has passed: what is stored can be read by the next
 * process, and a wall clock that is set while this one runs brings no event forward and holds none back.
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
