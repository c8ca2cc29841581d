/** Deliveries that are made more than once: what the upstream can know them by. */

import { header, json, says, statusOnly } from '../../harness/http.ts'
import { oneWay } from '../../harness/platforms.ts'
import type { Received } from '../../harness/upstream.ts'
import { until } from '../../until.ts'
import { atOnceThenEach, outboxOf } from '../accepting.ts'
import { faultsOf } from '../health.ts'
import { none, type Row, unless } from '../row.ts'
import { each, nonceOf, nth, turnsWith, unexpected } from '../turns.ts'
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
