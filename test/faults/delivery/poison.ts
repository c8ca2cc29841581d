/** Events that no attempt delivers: what becomes of them, and of the others. */

import { runOutbox } from '../../../src/node/outbox/outbox-command.ts'
import { delivery, near, outboxRig } from '../../outbox/rig.ts'
import { none, type Row, unless } from '../row.ts'

const [minute, hour] = [60_000, 3_600_000]
/** Milliseconds before each attempt, as the documents have them. */
const schedule = [0, 5000, 300_000, hour / 2, 2 * hour, 5 * hour, 10 * hour, 10 * hour]

export const poison: Row = {
	id: 'C4',
	fault: 'Events that the upstream never accepts',
	demand:
		'after the schedule (0 s to 10 h, ±20 %) exactly one dead letter each; the others wait for at most one slot; redriven, each is delivered once',
	except: 'in virtual time',
	async run(trial) {
		const count = trial.at(50, 300, 1000)
		const { settingsOf, storeOf, outboxOn } = outboxRig(trial.after)
		const settings = settingsOf({})
		let poisonous = true
		const { outbox, attempts, lines, clock } = outboxOn(near(storeOf(settings, 1_700_000_000_000)), settings, (text) =>
			poisonous && text.startsWith('poison') ? 500 : 200,
		)
		const from = clock.now()
		const ids = Array.from({ length: count }, (_, i) => `${i % 10 === 0 ? 'poison' : 'fine'} ${i}`)
		// Every fifth conversation has a poisonous event, and a fine one behind it.
		await Promise.all(ids.map((id, i) => outbox.accept(delivery(id, `c${i - (i % 2)}`))))
		await clock.pass(34 * hour)

		const isPoison = (id: string | undefined) => id?.startsWith('poison') ?? false
		const triesOf = (id: string | undefined) => attempts.filter(({ text }) => text === id).map(({ at }) => at)
		const [poisons, others] = [ids.filter(isPoison), ids.filter((id) => !isPoison(id))]
		const wrong = poisons.filter((id) => !keepsSchedule([from, ...triesOf(id)], schedule))
		const dead = lines.filter((line) => line.dead).map(({ turn }) => String(turn))
		const twice = others.filter((id) => triesOf(id).length !== 1)
		const before = (id: string) => ids[ids.indexOf(id) - 1]
		const behind = others.filter((id) => isPoison(before(id)))
		const waited = others.map((id) => {
			const since = behind.includes(id) ? triesOf(before(id)).at(-1) : from
			return (triesOf(id)[0] ?? Number.POSITIVE_INFINITY) - (since ?? from)
		})
		const longest = Math.max(...waited)

		poisonous = false
		const redriven = async (): Promise<string[]> => {
			const before = attempts.length
			runOutbox(['redrive', '--all'], settings, () => {})
			await clock.pass(minute)
			return attempts.slice(before).map(({ text }) => text)
		}
		const [put, again] = [await redriven(), await redriven()]
		await outbox.close(0)
		const same = (some: string[]) => some.toSorted().join() === poisons.toSorted().join()
		return {
			reached: `${poisons.length} of ${count} events never accepted: ${poisons.length - wrong.length} tried ${schedule.length} times on time, ${dead.length} dead letters; others waited at most ${longest} ms, ${behind.length} of them until the one before was dead; redriven: ${put.length} delivered, ${again.length} twice`,
			broken: [
				...none(wrong.length, `of ${poisons.length} were not tried as the schedule has it`),
				...unless(same(dead), `${dead.length} dead letters for ${poisons.length}`),
				...none(twice.length, 'others were not delivered once'),
				...unless(longest <= 5000, `another event waited for ${longest} ms`),
				...unless(same(put), `put back, ${put.length} of ${poisons.length} were delivered`),
				...none(again.length, 'were delivered again'),
			],
		}
	},
}

/** Whether attempts came at these moments after the one before, a fifth more or less; timers may be a second late. */
export function keepsSchedule([from = 0, ...tries]: readonly number[], schedule: readonly number[]): boolean {
	const waits = tries.map((at, i) => at - (tries[i - 1] ?? from))
	return (
		tries.length === schedule.length &&
		waits.every((wait, i) => {
			const wanted = schedule[i] ?? Number.NaN
			return wait >= wanted * 0.8 && wait <= wanted * 1.2 + 1000
		})
	)
}
