/** Events that come more than once: from their platform, and to the upstream. */

import { setTimeout as wait } from 'node:timers/promises'
import { header, json, says, statusOnly } from '../../harness/http.ts'
import { oneWay, platforms } from '../../harness/platforms.ts'
import { oneOf } from '../../harness/random.ts'
import type { Received } from '../../harness/upstream.ts'
import { until } from '../../until.ts'
import { atOnceThenEach, outboxOf } from '../accepting.ts'
import { replyTo } from '../behaviours.ts'
import { faultsOf } from '../health.ts'
import { none, type Row, unless } from '../row.ts'
import { countEach, each, heardOf, nonceOf, nth, turnsWith, unexpected } from '../turns.ts'

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

export const repeats: Row = {
	id: 'C2',
	fault: 'The outbox delivers an event again, because it was rejected or the answer was lost',
	demand: '100 % of the copies have the same webhook-id and the same bytes; each attempt has its own number',
	async run(trial) {
		const { random } = trial
		const upstream = await trial.upstream((call, { socket }) => {
			const before = upstream.calls.filter(({ body }) => body === call.body).length - 1
			const chance = random()
			if (before > 3 || chance < 0.4) return json(says(''))
			if (chance < 0.9) return statusOnly(429)
			// It was taken, and the gateway never gets to know.
			socket.resetAndDestroy()
		})
		const gateway = await trial.start(
			{
				outbox: outboxOf(trial, { schedule: atOnceThenEach('100ms', 30) }),
				upstream: { url: upstream.url, sign: [{ env: 'SIGN' }] },
				routes: oneWay.map((platform) => platform.route()),
			},
			{ env: { SIGN: `whsec_${Buffer.alloc(32, 7).toString('base64')}` } },
		)
		const take = turnsWith(trial, gateway)
		const count = trial.at(100, 1000, 5000)
		const turns = await each(count, 16, (n) => {
			const text = trial.nonce()
			// Conversations of their own: none waits for another one's attempts.
			return take(nth(oneWay, n), undefined, { text, conversation: text })
		})
		const attempts = () => gateway.lines.filter(({ msg }) => msg === 'delivery')
		const done = () => attempts().filter(({ level }) => level === 'info').length
		await until(() => done() >= count, 120_000)

		const idOf = (call: Received | undefined) => call && header(call, 'webhook-id')
		const copies = [...Map.groupBy(upstream.calls, nonceOf).values()]
		const repeated = copies.filter(({ length }) => length > 1)
		const differing = repeated.filter((own) => new Set(own.map((call) => `${idOf(call)} ${call.body}`)).size > 1).length
		const ids = new Set(upstream.calls.map(idOf))
		const numbers = Map.groupBy(attempts(), ({ turn }) => turn)
		const miscounted = copies.filter((own) => {
			const told = numbers.get(idOf(own[0])) ?? []
			return told.length !== own.length || told.some(({ attempt }, i) => attempt !== i + 1)
		}).length
		return {
			reached: `${count} events in ${upstream.calls.length} calls, ${repeated.length} of them repeated: ${differing} with differing copies, ${miscounted} with a wrong number in the log`,
			broken: [
				...faultsOf(gateway),
				...unexpected(turns, ['accepted']),
				...none(count - copies.length, 'accepted events were lost'),
				...none(count - done(), 'events were not delivered'),
				...none(differing, 'events had copies that differ'),
				...unless(ids.size === count && !ids.has(undefined), `${ids.size} webhook-ids for ${count} events`),
				...none(miscounted, 'events had attempts that were counted wrongly'),
				...unless(repeated.length > 0, 'nothing was repeated'),
			],
		}
	},
}
