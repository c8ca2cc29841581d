/** Deliveries that are made more than once: what the upstream can know them by. */
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { answer, replyTo, status } from '../behaviours.ts'
import { folder, startGateway } from '../gateway.ts'
import { faultsOf } from '../health.ts'
import { randomFrom } from '../random.ts'
import type { Row } from '../row.ts'
import { callerOf, each, nonces, speakers, unexpected } from '../turns.ts'
import { faultUpstream, type Reached } from '../upstream.ts'

/** Milliseconds until everything has to be delivered. */
const patience = 120_000

export const repeats: Row = {
	id: 'C2',
	fault: 'The outbox delivers an event again: refused, or its answer was lost',
	demand: '100 % of the copies have the same webhook-id and the same bytes; each attempt has its own number',
	async run(trial) {
		const random = randomFrom(trial.seed)
		const copies = new Map<string, Reached[]>()
		const refuses = status(429)
		const upstream = await faultUpstream(trial, {
			sometimes: {
				act(line, call) {
					const own = copies.get(call.nonce) ?? []
					copies.set(call.nonce, [...own, call])
					const chance = random()
					if (own.length > 3 || chance < 0.4) return line.write(answer(replyTo(call)))
					if (chance < 0.9) return refuses(line, call)
					// It was taken, and nobody gets to know.
					line.socket.resetAndDestroy()
				},
			},
		})
		const oneWay = speakers.filter((speaker) => speaker.oneWay)
		const gateway = await startGateway(
			trial,
			{
				outbox: { file: join(folder(trial), 'outbox.db'), schedule: ['0s', ...Array(30).fill('100ms')] },
				upstream: { url: upstream.at('sometimes'), sign: [{ env: 'SIGN' }] },
				routes: oneWay.map((speaker) => speaker.route(speaker.name)),
			},
			{ env: { SIGN: `whsec_${Buffer.alloc(32, 7).toString('base64')}` } },
		)
		const caller = callerOf(trial, gateway.url)
		const nonce = nonces(trial.seed)
		const count = trial.at(100, 1000, 5000)
		const heard = await each(count, 16, async (n) => {
			const speaker = oneWay[n % oneWay.length]
			if (!speaker) throw new Error('there are platforms that read no answer')
			const text = nonce()
			// Conversations of their own: none waits for another one's attempts.
			const event = speaker.event(text, { conversation: text })
			return (await caller.take(speaker, speaker.name, event)).heard
		})
		const attempts = () => gateway.lines.filter(({ msg }) => msg === 'delivery')
		const done = () => attempts().filter(({ level }) => level === 'info').length
		const from = performance.now()
		while (done() < count && performance.now() - from < patience) await wait(50)

		const numbers = new Map<unknown, unknown[]>()
		for (const { turn, attempt } of attempts()) numbers.set(turn, [...(numbers.get(turn) ?? []), attempt])
		const all = [...copies.values()]
		const repeated = all.filter(({ length }) => length > 1)
		const idOf = ({ headers }: Reached) => headers.get('webhook-id')
		const differing = repeated.filter(
			(own) => new Set(own.map(idOf)).size > 1 || new Set(own.map(({ body }) => body)).size > 1,
		).length
		const ids = new Set(all.flat().map(idOf))
		const miscounted = all.filter((own) => {
			const [first] = own
			const told = numbers.get(first && idOf(first)) ?? []
			return told.length !== own.length || told.some((number, i) => number !== i + 1)
		}).length

		const broken = [...faultsOf(gateway), ...unexpected(heard, ['accepted'])]
		if (all.length !== count) broken.push(`${count - all.length} accepted events were lost`)
		if (done() !== count) broken.push(`${count - done()} events were not delivered`)
		if (differing > 0) broken.push(`${differing} events had copies that differ`)
		if (ids.size !== count || ids.has(undefined)) broken.push(`${ids.size} webhook-ids for ${count} events`)
		if (miscounted > 0) broken.push(`${miscounted} events had attempts that were counted wrongly`)
		if (repeated.length === 0) broken.push('nothing was repeated')
		return {
			reached: `${count} events in ${all.flat().length} calls, ${repeated.length} of them repeated: ${differing} with differing copies, ${miscounted} with a wrong number in the log`,
			broken,
		}
	},
}
