/** The claims of a process of which it knows nothing, because the answer to the batch that made them was lost. */
import type { StoredOutcome } from '../stored-outcomes.ts'
import { storable } from './batch-values.ts'
import type { Session } from './session.ts'

/**
 * Releases them, for no process delivers these events. The claims on events whose outcome is among `outcomes` stay, and their
 * lanes are added to `lanes`, which has those of all claims that the process knows.
 */
export async function settleLostClaims(
	{ client, node }: Session,
	lanes: Map<string, Uint8Array | null>,
	outcomes: readonly StoredOutcome[],
): Promise<void> {
	const { rows } = await client.query<{ id: string; lane: Buffer | null }>(
		`SELECT id, lane FROM dragoman.events WHERE state = 'waiting' AND owner = $1`,
		[node],
	)
	const ending = new Set(outcomes.map(({ id }) => storable(id)))
	const lost = rows.filter(({ id }) => !lanes.has(id))
	for (const { id, lane } of lost) if (ending.has(id)) lanes.set(id, lane)
	const released = lost.map(({ id }) => id).filter((id) => !ending.has(id))
	if (released.length === 0) return
	await client.query(
		`UPDATE dragoman.events SET owner = NULL WHERE state = 'waiting' AND owner = $1 AND id = ANY ($2)`,
		[node, released],
	)
}
