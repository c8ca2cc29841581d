/** A call that comes to two Nodes at once. */
import { none, type Row } from '../row.ts'
import { sendPairs, startPair, withEach } from '../shared-state.ts'
import { heardOf, tally, unexpected } from '../turns.ts'

/** How often it is tried, when the machine is so busy that the state does not answer in time: then a turn goes on alone. */
const tries = 3

export const duplicatesAtTwo: Row = {
	id: 'E12',
	fault: 'A platform sends the same event to two Nodes at once, and again later',
	demand: '10,000 pairs with each store: the upstream is called once for each, and all callers get the same bytes',
	run: (trial) =>
		withEach(trial, async (kind) => {
			const { name } = kind
			const server = await kind.start(trial)
			const pair = await startPair(trial, kind, server, { pause: 5, timeout: 5000 })
			let sent = await sendPairs(trial, pair, trial.at(100, 3000, 10_000))
			for (let n = 1; n < tries && sent.away.length > 0; n++)
				sent = await sendPairs(trial, pair, trial.at(100, 3000, 10_000))
			const { events, turns, notOnce, differing, away } = sent
			return {
				reached: `${name}: ${events.length} events in ${turns.length} calls: ${notOnce} not called once, ${differing} with differing answers (${heardOf(turns)})`,
				broken: [
					...unexpected(turns, ['reply']),
					...none(notOnce, 'events did not come to the upstream once'),
					...none(differing, 'events had answers that differ'),
					...none(away.length, `lines of log about a state that was there: ${tally(away)}`),
					...pair.faults(),
				].map((sentence) => `${name}: ${sentence}`),
			}
		}),
}
