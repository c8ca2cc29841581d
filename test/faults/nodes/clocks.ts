/** The clocks of two Nodes are apart. */
import { setTimeout as wait } from 'node:timers/promises'
import { conversing, own } from '../../harness/platforms.ts'
import { startPostgres } from '../../harness/postgres.ts'
import { has } from '../../tools.ts'
import { atOnceThenEach, delivered } from '../accepting.ts'
import { repliesAfter } from '../behaviours.ts'
import { none, over, type Row, unless, untried } from '../row.ts'
import { preparedDatabase, startNodes } from '../shared-outbox.ts'
import { countEach, each, nonceOf, nth, turnsWith, unexpected } from '../turns.ts'

/** Minutes by which one clock is behind, and the other one ahead. */
const minutes = 5
/** Milliseconds between two attempts, which vary by a fifth. */
const every = 1000
/** Events of a conversation. */
const length = 4

export const clocks: Row = {
	id: 'E13',
	fault: `The clock of one Node is ${minutes} minutes behind, and that of another one as many ahead`,
	demand:
		'conversations keep their order; no attempt is earlier than scheduled, and none is put off; nothing expires or is deleted early; a call that comes to both is claimed by one, and its lease holds',
	waits: 'busily',
	async run(trial) {
		if (!has('postgres')) return untried('postgres', 'PostgreSQL is not there')
		if (!has('faketime')) return untried('faketime', 'faketime is not there')
		const server = await startPostgres(trial)
		const url = await preparedDatabase(server)
		/** When each attempt came, by events. */
		const attempts = new Map<string, number[]>()
		const gone = new Set<string>()
		const cluster = await startNodes(trial, url, {
			// Both are shorter than the clocks are apart.
			outbox: { schedule: atOnceThenEach(`${every}ms`), expiry: '4m', retention: { dead: '4m' } },
			more: { state: { postgres: { env: 'DATABASE_URL' }, timeout: '5s' } },
			turn: repliesAfter(1000),
			status(nonce) {
				const own = attempts.get(nonce) ?? []
				attempts.set(nonce, [...own, performance.now()])
				if (gone.has(nonce)) return 410
				return own.length === 0 ? 400 : 200
			},
			options: (place) => ({ before: ['faketime', '-f', `${place === 0 ? '-' : '+'}${minutes}m`] }),
		})
		const takes = cluster.nodes.map((node) => turnsWith(trial, node))
		const dead = await each(2, 1, (n) => {
			const text = trial.nonce()
			gone.add(text)
			return nth(takes, n)(conversing, undefined, { text, conversation: `gone ${n}` })
		})
		const said = await each(trial.at(8, 50, 500), 16, (conversation) =>
			each(length, 1, (n) => nth(takes, conversation + n)(conversing, undefined, { conversation: `c${conversation}` })),
		)
		const pairs = await each(trial.at(4, 50, 500), 8, async () => {
			const text = trial.nonce()
			const send = (take: (typeof takes)[number]) => take(own, undefined, { text, id: text, conversation: text })
			const [first, second] = takes
			if (!first || !second) throw new Error('there are two')
			const early = send(first)
			await wait(200 * trial.random())
			return [await send(second), await early, await send(first), await send(second)]
		})
		const offs = cluster.nodes.map(({ lines }) => (Date.parse(String(lines.at(-1)?.time)) - Date.now()) / 60_000)
		const texts = said.map((turns) => turns.map((turn) => turn.text))
		const came = (without = 0) => cluster.taken.slice(without).map(({ nonce }) => nonce)
		const { lost, broken } = await delivered(texts.flat(), came, 60_000)
		// Until both have looked for what is old.
		await wait(trial.at(11_000, 21_000, 60_000))
		const rows = await server.query(`SELECT count(*)::int AS count FROM dragoman.events WHERE state = 'dead'`, url)
		const kept = Number(rows[0]?.count)
		const disordered = texts.filter((own) => {
			const places = own.map((text) => came().indexOf(text))
			return places.some((place, i) => place < (places[i - 1] ?? -1))
		}).length
		const gaps = texts.flat().map((text) => {
			const [first = Number.NaN, second = Number.NaN] = attempts.get(text) ?? []
			return second - first
		})
		const [least, most] = [Math.min(...gaps), Math.max(...gaps)]
		const calls = countEach(cluster.upstream.calls.map(nonceOf))
		const notOnce = pairs.filter(([turn]) => calls.get(turn?.text ?? '') !== 1).length
		const differing = pairs.filter((turns) => new Set(turns.map(({ answer }) => answer.body)).size !== 1).length
		return {
			reached: `clocks off by ${offs.map((off) => off.toFixed(1)).join(' and ')} min; ${texts.flat().length} events: ${lost} lost, ${disordered} conversations out of order, second attempts after ${(least / 1000).toFixed(1)} to ${(most / 1000).toFixed(1)} s of ${every / 1000}; ${kept} of ${dead.length} dead letters kept; ${pairs.length} calls at both: ${notOnce} not called once`,
			broken: [
				...broken,
				...unexpected([...dead, ...said.flat()], ['accepted']),
				...unexpected(pairs.flat(), ['reply']),
				...none(disordered, 'conversations were out of order'),
				...unless(least >= 0.79 * every, `an attempt came ${least.toFixed(0)} ms after the one before`),
				...unless(most < 60_000, `an attempt came ${most.toFixed(0)} ms after the one before`),
				...unless(kept === dead.length, `${kept} of ${dead.length} dead letters were kept`),
				...none(notOnce, 'calls did not come to the upstream once'),
				...none(differing, 'calls had answers that differ'),
				...unless(
					offs.every((off) => Math.abs(off) > minutes - 1),
					'the clocks were not apart',
				),
				...cluster.faults(),
			],
			missed: over(most / 1000, 2 + (1.2 * every) / 1000, (figure) => `an attempt came after ${figure} s`),
		}
	},
}
