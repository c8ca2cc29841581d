/** Calls of this Node that wait until another call, of any Node, has been settled. */
import { withTimeout } from '../../timeout.ts'

/** Claims that this Node may have to wait for, by their names. */
export interface Waiting {
	/** Begins to listen: before the store is asked, for what it tells may come before its answer does. */
	watch(claim: string): Watch
	/** The claim was settled. Undefined: any claim may have been. */
	wake(claim: string | undefined): void
}

interface Watch {
	/** Waits until the claim is settled, or its lease has run out. */
	settled(lease: number): Promise<void>
	end(): void
}

/** Nothing waits yet. */
export function createWaiting(): Waiting {
	const watched = new Map<string, Set<PromiseWithResolvers<void>>>()

	function wakeOne(claim: string): void {
		for (const { resolve } of watched.get(claim) ?? []) resolve()
	}

	return {
		watch(claim) {
			const settled = Promise.withResolvers<void>()
			const all = watched.get(claim) ?? new Set()
			watched.set(claim, all.add(settled))
			return {
				async settled(lease) {
					// The store's clock counts whole milliseconds.
					await withTimeout(lease + 1, settled.promise)
				},
				end() {
					all.delete(settled)
					if (all.size === 0 && watched.get(claim) === all) watched.delete(claim)
				},
			}
		},
		wake(claim) {
			if (claim !== undefined) wakeOne(claim)
			else for (const each of watched.keys()) wakeOne(each)
		},
	}
}
