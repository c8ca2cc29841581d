/** Which changes are losses, and the order in which changes are named: in every list that is cut, the worst stand first. */
import type { Change } from '../model/index.ts'

const ranks: { readonly [did in Change['did']]: 0 | 1 | 2 } = {
	dropped: 0,
	shortened: 0,
	converted: 1,
	split: 1,
	merged: 1,
	escaped: 1,
	added: 2,
}

/** Whether something of what the author said is gone or altered; what fit added takes nothing from it. */
export function isLoss({ did }: Change): boolean {
	return did !== 'added'
}

/** What was dropped or shortened, then what was altered, then what was added; each in its order. */
export function lossesFirst(changes: readonly Change[]): readonly Change[] {
	if (areInOrder(changes)) return changes
	const ranked: [Change[], Change[], Change[]] = [[], [], []]
	for (const change of changes) ranked[ranks[change.did]].push(change)
	const [lost, altered, added] = ranked
	return lost.concat(altered, added)
}

function areInOrder(changes: readonly Change[]): boolean {
	let last = 0
	for (const { did } of changes) {
		if (ranks[did] < last) return false
		last = ranks[did]
	}
	return true
}
