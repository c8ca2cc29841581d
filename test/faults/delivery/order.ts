/** The order of a conversation while deliveries fail. */

import { json, says, statusOnly } from '../../harness/http.ts'
import { conversing } from '../../harness/platforms.ts'
import { atOnceThenEach, delivered, outboxOf } from '../accepting.ts'
import { faultsOf } from '../health.ts'
import { none, type Outcome, type Row, type Trial, together, unless } from '../row.ts'
import { each, nonceOf, turnsWith, unexpected } from '../turns.ts'
export const order: Row = {
	id: 'C3',
	fault: 'Events of one conversation while some of them fail',
	demand:
		'200 conversations for each setting: with "block" no event overtakes an earlier one, with "overtake" none overtakes one that never failed; 0 lost',
	async run(trial) {
		return together([await conversationsWith(trial, 'block'), await conversationsWith(trial, 'overtake')])
	},
}

/** Conversations to an upstream that refuses every fifth attempt, by chance. */
async function conversationsWith(trial: Trial, setting: 'block' | 'overtake'): Promise<Outcome> {
	const took: string[] = []
	const upstream = await trial.upstream((call) => {
		if (trial.random() < 0.2) return statusOnly(429)
		took.push(nonceOf(call))
		return json(says(''))
	})
	const gateway = await trial.start({
		outbox: outboxOf(trial, { schedule: atOnceThenEach('20ms', 50), order: setting }),
		upstream: { url: upstream.url },
		routes: [conversing.route()],
	})
	const take = turnsWith(trial, gateway)
	const [conversations, events] = [trial.at(10, 50, 200), 20]
	const said = await each(conversations, conversations, (n) =>
		each(events, 1, () => take(conversing, undefined, { conversation: `c${n}` })),
	)
	const turns = said.flat()
	const texts = turns.map(({ text }) => text)
	const { broken } = await delivered(texts, (without) => took.slice(without), 120_000)

	// Overtaken by those behind it is only what was tried before them.
	const came = setting === 'block' ? took : upstream.calls.map(nonceOf)
	const place = new Map<string, number>()
	for (const [i, text] of came.entries()) if (!place.has(text)) place.set(text, i)
	const disordered = said.filter((all) =>
		all.some(({ text }, i) => i > 0 && (place.get(text) ?? -1) <= (place.get(all[i - 1]?.text ?? '') ?? -1)),
	)
	const overtaken = texts.filter((text, i) => took.indexOf(text) < took.indexOf(texts[i - 1] ?? '')).length
	return {
		reached: `${conversations} conversations of ${events} events with "${setting}", every fifth attempt rejected: ${disordered.length} out of order`,
		broken: [
			...broken,
			...faultsOf(gateway),
			...unexpected(turns, ['accepted']),
			...none(disordered.length, `conversations were out of order with "${setting}"`),
			...unless(setting === 'block' || overtaken > 0, 'nothing was overtaken'),
		],
	}
}
