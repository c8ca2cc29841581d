/** Events that their platform sends more than once, at the same time or later. */

import { setTimeout as wait } from 'node:timers/promises'
import { json, statusOnly } from '../../harness/http.ts'
import { platforms } from '../../harness/platforms.ts'
import { oneOf } from '../../harness/random.ts'
import { replyTo } from '../behaviours.ts'
import { faultsOf } from '../health.ts'
import { none, type Row } from '../row.ts'
import { countEach, each, heardOf, nonceOf, turnsWith, unexpected } from '../turns.ts'

export const duplicates: Row = {
	id: 'C1',
	fault: 'A platform sends the same event twice, or several times at once',
	demand:
		'10,000 events sent 1 to 5 times concurrently, on every platform with an event id: each succeeds once at the upstream, and all callers get the same bytes; equal content alone never counts as a duplicate',
	except: 'the 24 h for which answers are remembered are not awaited; answers in memory are lost with the process',
	async run(trial) {
		const { random } = trial
		/** How often the upstream took each. */
		const taken = new Map<string, number>()
		const failed = new Set<string>()
		const upstream = await trial.upstream(async (call, connection) => {
			const nonce = nonceOf(call)
			await connection.pause(20 * random())
			// A failed first try must not poison the next.
			if (!failed.has(nonce) && random() < 0.1) {
				failed.add(nonce)
				return statusOnly(400)
			}
			const count = (taken.get(nonce) ?? 0) + 1
			taken.set(nonce, count)
			// Each answer differs, so that the same bytes are the same answer.
			return json({ ...JSON.parse(replyTo(call)), attributes: { session: { count: `${count}` } } })
		})
		const known = platforms.filter(({ event }) => event('Hi', { id: 'i' }).id !== undefined)
		const nameless = platforms.filter((platform) => !known.includes(platform))
		const gateway = await trial.start({
			upstream: { url: upstream.url },
			routes: platforms.map((platform) => platform.route()),
		})
		const take = turnsWith(trial, gateway)

		const events = await each(trial.at(300, 5000, 10_000), 32, async () => {
			const platform = oneOf(known, random)
			const text = trial.nonce()
			const send = () => take(platform, undefined, { text, id: text, conversation: text })
			const copies = 1 + Math.floor(5 * random())
			const turns = await Promise.all(Array.from({ length: copies }, () => wait(10 * random()).then(send)))
			// Platforms that got a failure send again; those that got an answer may, too.
			turns.push(await send(), await send())
			return { text, turns, well: turns.filter(({ heard }) => heard !== 'upstream-status') }
		})
		const pairs = await each(trial.at(50, 500, 2000), 32, async () => {
			const platform = oneOf(nameless, random)
			const text = trial.nonce()
			await Promise.all([1, 2].map(() => take(platform, undefined, { text })))
			return text
		})

		const turns = events.flatMap((event) => event.turns)
		const copies = countEach(upstream.calls.map(nonceOf))
		const notOnce = events.filter(({ text }) => taken.get(text) !== 1).length
		const differing = events.filter(({ well }) => new Set(well.map(({ answer }) => answer.body)).size !== 1).length
		const spread = events.filter((event) => event.turns.length > event.well.length + 1).length
		const takenForOne = pairs.filter((text) => copies.get(text) !== 2).length
		return {
			reached: `${events.length} events of ${known.map(({ name }) => name).join(', ')} in ${turns.length} calls: ${notOnce} not accepted exactly once, ${differing} with differing answers (${heardOf(turns)}); ${pairs.length} pairs of equal texts without an id: ${takenForOne} treated as duplicates`,
			broken: [
				...faultsOf(gateway),
				...unexpected(turns, ['reply', 'accepted', 'upstream-status']),
				...none(notOnce, 'events were not taken once'),
				...none(differing, 'events had answers that differ'),
				...none(spread, 'failures were told to more than one caller'),
				...none(takenForOne, 'events without an id were taken for one'),
			],
		}
	},
}
