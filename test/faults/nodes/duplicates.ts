/** A call that comes to two Nodes at once. */
import { own } from '../../harness/platforms.ts'
import { none, type Row } from '../row.ts'
import { startPair, withEach } from '../shared-state.ts'
import { countEach, each, heardOf, nonceOf, turnsWith, unexpected } from '../turns.ts'

export const duplicatesAtTwo: Row = {
	id: 'E12',
	fault: 'A platform sends the same event to two Nodes at once, and again later',
	demand: '10,000 pairs with each store: the upstream is called once for each, and all callers get the same bytes',
	run: (trial) =>
		withEach(trial, async (kind) => {
			const pair = await startPair(trial, kind, await kind.start(trial), { pause: 5, timeout: 5000 })
			const takes = pair.nodes.map((node) => turnsWith(trial, node))
			const events = await each(trial.at(200, 3000, 10_000), 16, async () => {
				const text = trial.nonce()
				const send = (take: (typeof takes)[number]) => take(own, undefined, { text, id: text, conversation: text })
				const turns = await Promise.all(takes.map(send))
				turns.push(...(await Promise.all(takes.map(send))))
				return { text, turns }
			})
			const calls = countEach(pair.upstream.calls.map(nonceOf))
			const notOnce = events.filter(({ text }) => calls.get(text) !== 1).length
			const differing = events.filter(({ turns }) => new Set(turns.map(({ answer }) => answer.body)).size !== 1).length
			const turns = events.flatMap((event) => event.turns)
			const alone = pair.nodes.flatMap(({ lines }) => lines.filter(({ msg }) => msg === 'state'))
			return {
				reached: `${kind.name}: ${events.length} events in ${turns.length} calls: ${notOnce} not called once, ${differing} with differing answers (${heardOf(turns)})`,
				broken: [
					...unexpected(turns, ['reply']),
					...none(notOnce, 'events did not come to the upstream once'),
					...none(differing, 'events had answers that differ'),
					...none(alone.length, 'lines of log about a state that was there'),
					...pair.faults(),
				].map((sentence) => `${kind.name}: ${sentence}`),
			}
		}),
}
