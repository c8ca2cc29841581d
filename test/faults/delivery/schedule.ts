/** When an event is tried, with the process starting anew in between. */

import { delivery, near, outboxRig, testClock } from '../../outbox/rig.ts'
import { none, type Row } from '../row.ts'
import { keepsSchedule } from './poison.ts'

const minute = 60_000

export const schedule: Row = {
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
				if (first) await outbox.accept(delivery('e'))
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
