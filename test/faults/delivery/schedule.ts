/** When an event is tried, and what becomes of one that no attempt delivers: in virtual time. */

import { runOutbox } from '../../../src/node/outbox/outbox-command.ts'
import { delivery, near, outboxRig, testClock } from '../../outbox/rig.ts'
import { none, type Row, unless } from '../row.ts'

const [minute, hour] = [60_000, 3_600_000]
/** Milliseconds before each attempt, as the documents have them. */
const documented = [0, 5000, 300_000, hour / 2, 2 * hour, 5 * hour, 10 * hour, 10 * hour]

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
		await Promise.all(ids.map((id, i) => outbox.accept([delivery(id, `c${i - (i % 2)}`)])))
		await clock.pass(34 * hour)

		const isPoison = (id: string | undefined) => id?.startsWith('poison') ?? false
		const triesOf = (id: string | undefined) => attempts.filter(({ text }) => text === id).map(({ at }) => at)
		const [poisons, others] = [ids.filter(isPoison), ids.filter((id) => !isPoison(id))]
		const wrong = poisons.filter((id) => !keepsSchedule([from, ...triesOf(id)], documented))
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
			await runOutbox(['redrive', '--all'], settings, () => {})
			await clock.pass(minute)
			return attempts.slice(before).map(({ text }) => text)
		}
		const [put, again] = [await redriven(), await redriven()]
		await outbox.close(0)
		const same = (some: string[]) => some.toSorted().join() === poisons.toSorted().join()
		return {
			reached: `${poisons.length} of ${count} events never accepted: ${poisons.length - wrong.length} tried ${documented.length} times on time, ${dead.length} dead letters; others waited at most ${longest} ms, ${behind.length} of them until the one before was dead; redriven: ${put.length} delivered, ${again.length} twice`,
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
function keepsSchedule([from = 0, ...tries]: readonly number[], schedule: readonly number[]): boolean {
	const waits = tries.map((at, i) => at - (tries[i - 1] ?? from))
	return (
		tries.length === schedule.length &&
		waits.every((wait, i) => {
			const wanted = schedule[i] ?? Number.NaN
			return wait >= wanted * 0.8 && wait <= wanted * 1.2 + 1000
		})
	)
}

export const restarted: Row = {
	id: 'C5',
	fault: 'The process restarts again and again while an event waits for its attempts',
	demand: '100 random schedules: each attempt after the one before, within its jitter; a restart moves none',
	except: 'in virtual time',
	async run(trial) {
		const { random } = trial
		let restarts = 0
		let moved = 0
		const count = trial.at(3, 6, 100)
		for (let i = 0; i < count; i++) {
			// Hundreds of processes are more than fits into this one, unless each ends with its event.
			const ends: (() => unknown)[] = []
			const { settingsOf, storeOf, outboxOn } = outboxRig((end) => ends.push(end))
			const minutes = Array.from({ length: 6 }, () => 1 + Math.floor(10 * random()))
			const settings = settingsOf({ schedule: ['0s', ...minutes.map((each) => `${each}m`)], expiry: '30d' })
			const clock = testClock()
			const from = clock.now()
			const tries: number[] = []
			for (let first = true; clock.now() < from + 75 * minute; first = false) {
				const { outbox, attempts } = outboxOn(near(storeOf(settings, clock.now())), settings, () => 500, clock)
				if (first) await outbox.accept([delivery('e')])
				await clock.pass(Math.ceil(15 * minute * random()))
				await outbox.close(0)
				tries.push(...attempts.map(({ at }) => at))
				restarts++
			}
			for (const end of ends.reverse()) await end()
			if (!keepsSchedule([from, ...tries], [0, ...minutes.map((each) => each * minute)])) moved++
		}
		return {
			reached: `${count} events through ${restarts} processes: ${moved} with an attempt lost or moved`,
			broken: none(moved, `of ${count} histories lost or moved an attempt`),
		}
	},
}
