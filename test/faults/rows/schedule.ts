/** When an event is tried: for every schedule, every chance, and with the process starting anew in between. */
import fc from 'fast-check'
import { keepsItsTimes } from '../../outbox/attempts.ts'
import { delivery, near, outboxRig, testClock } from '../../outbox/rig.ts'
import { randomFrom } from '../random.ts'
import type { Row } from '../row.ts'

const minute = 60_000
/** Milliseconds by which the clock of the timers may be asked late. */
const late = 1000

export const schedule: Row = {
	id: 'C5',
	fault: 'The arithmetic of the schedule, with restarts',
	demand: '100,000 random histories: each attempt after the one before, within its jitter; a restart moves none',
	except: 'restarts in virtual time',
	async run(trial) {
		const numRuns = trial.at(5000, 100_000, 200_000)
		const { failed, numRuns: lived, counterexample } = fc.check(keepsItsTimes, { numRuns, seed: trial.seed })
		const broken = failed ? [`not so for ${JSON.stringify(counterexample)}`] : []

		const random = randomFrom(trial.seed)
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
			const waits = tries.slice(1).map((at, n) => at - (tries[n] ?? 0))
			const kept = waits.every((wait, n) => {
				const asked = (minutes[n] ?? Number.NaN) * minute
				return wait >= asked * 0.8 && wait <= asked * 1.2 + late
			})
			if (!kept || tries.length !== 1 + minutes.length) moved++
		}
		if (moved > 0) broken.push(`${moved} of ${count} histories with restarts lost or moved an attempt`)
		return {
			reached: `${lived} histories of arithmetic; ${count} events through ${restarts} processes: ${moved} with an attempt lost or moved`,
			broken,
		}
	},
}
