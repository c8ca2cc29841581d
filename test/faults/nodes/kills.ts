/** One of several Nodes is killed, again and again, with events in hand. */
import { startPostgres } from '../../harness/postgres.ts'
import { has } from '../../tools.ts'
import { until } from '../../until.ts'
import { none, type Row, unless, untried } from '../row.ts'
import { arrived, concurrency, preparedDatabase, startNodes, tellEvents } from '../shared-outbox.ts'
import { tally, unexpected } from '../turns.ts'

/** Calls in progress at the same time, at all Nodes together. */
const callers = 32

export const nodeKills: Row = {
	id: 'E1',
	fault: 'SIGKILL of one of three Nodes that share an outbox, repeatedly, while events arrive that are sent only once',
	demand:
		'20 kills during 10,000 events: 0 acknowledged events lost; conversations keep their order, whichever Node accepts and delivers them; duplicates ≤ kills × concurrent deliveries (16), with the same id and body; broken ≤ kills × callers, each of whom has one call in progress',
	async run(trial) {
		if (!has('postgres')) return untried('postgres', 'PostgreSQL is not there')
		const url = await preparedDatabase(await startPostgres(trial))
		const cluster = await startNodes(trial, url, { count: 3 })
		const [kills, events] = [trial.at(2, 20, 20), trial.at(600, 10_000, 10_000)]
		const telling = tellEvents(trial, cluster, callers)
		const sent = () => telling.said.reduce((sum, { length }) => sum + length, 0)
		let inHand = 0
		for (let n = 0; n < kills; n++) {
			if (!(await until(() => sent() > (events * (n + trial.random())) / kills, 120_000)))
				throw new Error('the load has come to a standstill')
			const place = Math.floor(cluster.nodes.length * trial.random())
			inHand += telling.underWay()
			await cluster.nodes[place]?.end('SIGKILL')
			await cluster.replace(place)
		}
		await until(() => sent() >= events, 120_000)
		await telling.stop()
		const { reached, broken, duplicates, repeated } = await arrived(cluster, telling.said)
		const turns = telling.said.flat()
		const unanswered = turns.filter(({ answer }) => answer.status === 0)
		// Nobody takes a Node out of the list of callers until another one has taken its place.
		const refused = unanswered.filter(({ heard }) => heard.includes('ECONNREFUSED')).length
		const cut = unanswered.length - refused
		const bound = kills * concurrency
		return {
			reached: `${kills} kills, ${turns.length} events offered, ${cut} calls broken (about ${inHand} in progress); ${reached} (bound ${bound}); answers: ${tally(turns.map(({ heard }) => heard))}`,
			broken: [
				...broken,
				...none(repeated, 'events were sent more than once by the same process'),
				...unexpected(
					turns.filter(({ answer }) => answer.status !== 0),
					['accepted'],
				),
				...unless(duplicates <= bound, `${duplicates} duplicates, and no more than ${bound} explain`),
				// The calls in progress are counted a moment before the process ends.
				...unless(cut <= kills * callers, `${cut} calls broke, and no more than ${kills * callers} were in progress`),
				...none(Math.max(0, events - turns.length), 'events were not offered'),
			],
		}
	},
}
