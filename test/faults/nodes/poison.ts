/** One conversation whose events the backend never takes, among many others on several Nodes. */

import { conversing } from '../../harness/platforms.ts'
import { startPostgres } from '../../harness/postgres.ts'
import { has } from '../../tools.ts'
import { atOnceThenEach, delivered } from '../accepting.ts'
import { none, type Row, unless, untried } from '../row.ts'
import { preparedDatabase, startNodes } from '../shared-outbox.ts'
import { each, nth, turnsWith, unexpected } from '../turns.ts'

/** Events of each conversation. */
const length = 10

export const poison: Row = {
	id: 'E11',
	fault: 'The backend rejects every event of one conversation, among those of many others on three Nodes',
	demand:
		'10,000 events of 1,000 conversations: all others are delivered in order while it fails, and none of its own is overtaken; when the backend takes them, they come in order',
	async run(trial) {
		if (!has('postgres')) return untried('postgres', 'PostgreSQL is not there')
		const poisonous = new Set<string>()
		let heals = false
		const cluster = await startNodes(trial, await preparedDatabase(await startPostgres(trial)), {
			count: 3,
			outbox: { schedule: atOnceThenEach('200ms', 5000) },
			status: (nonce) => (poisonous.has(nonce) && !heals ? 400 : 200),
		})
		const takes = cluster.nodes.map((node) => turnsWith(trial, node))
		const conversations = trial.at(100, 1000, 1000)
		const said = await each(conversations, 32, (conversation) =>
			each(length, 1, (n) => {
				const text = trial.nonce()
				if (conversation === 0) poisonous.add(text)
				return nth(takes, conversation + n)(conversing, undefined, { text, conversation: `c${conversation}` })
			}),
		)
		const came = (without = 0) => cluster.taken.slice(without).map(({ nonce }) => nonce)
		const [own = [], ...others] = said.map((turns) => turns.map(({ text }) => text))
		const { lost, seconds, broken: late } = await delivered(others.flat(), came, 60_000)
		const tries = () => cluster.upstream.calls.filter(({ body }) => own.some((text) => body.includes(`"${text}"`)))
		const overtook = new Set(tries().map(({ body }) => own.findIndex((text) => body.includes(`"${text}"`)))).size - 1
		const [attempts, early] = [tries().length, came().filter((nonce) => poisonous.has(nonce)).length]
		heals = true
		const healed = await delivered(own, came, 60_000)
		const disordered = [own, ...others].filter((texts) => {
			const places = texts.map((text) => came().indexOf(text))
			return places.some((place, i) => place < (places[i - 1] ?? -1))
		}).length
		return {
			reached: `${others.flat().length} events of ${others.length} other conversations: ${lost} not delivered, the last ${seconds.toFixed(1)} s after it was accepted; the poisonous one was tried ${attempts} times meanwhile, and ${early} of its conversation were delivered; then ${own.length - healed.lost} of ${own.length}; ${disordered} conversations out of order`,
			broken: [
				...unexpected(said.flat(), ['accepted']),
				...late,
				...healed.broken,
				...none(early, 'events were delivered although the backend rejected them'),
				...none(overtook, 'events of the poisonous conversation were tried before their turn'),
				...none(disordered, 'conversations were out of order'),
				...unless(attempts > 1, 'it was not tried again'),
				...cluster.faults(),
			],
		}
	},
}
