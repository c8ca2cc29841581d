/** Opens the state that the configuration shares between Nodes. Loaded only by a gateway whose configuration has `"state"`. */
import type { StateSettings } from '../../config/index.ts'
import { type StateFailure, shield } from '../../observer/index.ts'
import type { Runtime, State } from '../../runtime.ts'
import { withTimeout } from '../../timeout.ts'
import { createTroubleLog } from '../trouble-log.ts'
import { openStore } from './open-store.ts'
import { createSharedState, type SharedState } from './shared-state.ts'

/** Milliseconds for which the start waits for a connection; then the gateway starts without one. */
const startPatience = 1000

/** Opens the state. It need not be reachable: then the log warns, and turns go on without it until it is. */
export async function openState(
	settings: StateSettings,
	{ log, elapsed, observer }: Pick<Runtime, 'log' | 'elapsed' | 'observer'>,
): Promise<SharedState> {
	const { timeout, store } = settings
	const line = { msg: 'state', store }
	const trouble = createTroubleLog(
		{ log, elapsed },
		{ failing: { level: 'warn', ...line }, recovered: { level: 'info', ...line, did: 'recovered' } },
	)

	function observe(did: StateFailure['did']): void {
		if (observer?.stateFailure) shield(log)(() => observer.stateFailure?.({ did }))
	}

	function failed(did: keyof State, cause: string): void {
		observe(did)
		trouble.failed({ did, cause })
	}

	let forgets = true
	/** Tables that nothing is deleted from grow until the disk is full, while no turn fails: the log says so once. */
	function forgot(failure: string | undefined): void {
		const works = failure === undefined
		if (!works) observe('forget')
		if (works === forgets) return
		forgets = works
		log({ level: forgets ? 'info' : 'warn', ...line, did: 'forget', cause: failure })
	}

	const shared = await createSharedState({
		open: ({ wake }) => openStore(settings, { wake, forgot }),
		timeout,
		failed,
		recovered: trouble.works,
	})
	const identified = shared.identify().catch((cause: unknown) => cause)
	const reached = await withTimeout(startPatience, identified)
	if (typeof reached !== 'string') {
		const cause = reached instanceof Error ? reached.message : `no answer within ${startPatience} ms`
		log({ level: 'warn', ...line, did: 'connect', cause })
	}
	return shared
}
