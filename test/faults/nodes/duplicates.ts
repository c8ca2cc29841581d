/** A call that comes to two Nodes at once. */
import { own } from '../../harness/platforms.ts'
import { none, type Row, type Trial } from '../row.ts'
import { type Pair, startPair, withEach } from '../shared-state.ts'
import { countEach, each, heardOf, nonceOf, tally, turnsWith, unexpected } from '../turns.ts'

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
			let sent = await sendPairs(trial, pair)
			for (let n = 1; n < tries && sent.away.length > 0; n++) sent = await sendPairs(trial, pair)
			const { count, turns, notOnce, differing, away } = sent
			return {
				reached: `${name}: ${count} events in ${turns.length} calls: ${notOnce} not called once, ${differing} with differing answers (${heardOf(turns)})`,
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

/** Sends each event to both Nodes at once, and then to both again. */
async function sendPairs(trial: Trial, { nodes, upstream }: Pair) {
	const before = nodes.map(({ lines }) => lines.length)
	const takes = nodes.map((node) => turnsWith(trial, node))
	const events = await each(trial.at(100, 3000, 10_000), 16, async () => {
		const text = trial.nonce()
		const send = (take: (typeof takes)[number]) => take(own, undefined, { text, id: text, conversation: text })
		const turns = await Promise.all(takes.map(send))
		turns.push(...(await Promise.all(takes.map(send))))
		return { text, turns }
	})
	const calls = countEach(upstream.calls.map(nonceOf))
	const away = nodes.flatMap(({ lines }, i) => lines.slice(before[i]).filter(({ msg }) => msg === 'state'))
	return {
		count: events.length,
		turns: events.flatMap((event) => event.turns),
		notOnce: events.filter(({ text }) => calls.get(text) !== 1).length,
		differing: events.filter(({ turns }) => new Set(turns.map(({ answer }) => answer.body)).size !== 1).length,
		/** Why the state was not asked. */
		away: away.map(({ cause, did }) => String(cause ?? did)),
	}
}
