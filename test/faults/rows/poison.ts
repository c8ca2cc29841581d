/** Events that no attempt delivers: what becomes of them, and of the others. */
import { runOutbox } from '../../../src/node/outbox/outbox-command.ts'
import { delivery, near, outboxRig } from '../../outbox/rig.ts'
import type { Row } from '../row.ts'

const [minute, hour] = [60_000, 3_600_000]
/** Milliseconds before each attempt, as the documents have them. */
const schedule = [0, 5000, 300_000, hour / 2, 2 * hour, 5 * hour, 10 * hour, 10 * hour]
/** Milliseconds by which the clock of the timers may be asked late. */
const late = 1000

export const poison: Row = {
	id: 'C4',
	fault: 'Events that the upstream never takes',
	demand:
		'after the schedule (0 s to 10 h, a fifth more or less) exactly one dead letter each; the others wait for at most one slot; put back, each is delivered once',
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
		// Every twentieth conversation has a poisonous event, and a fine one behind it.
		await Promise.all(ids.map((id, i) => outbox.accept(delivery(id, `c${i - (i % 2)}`))))
		await clock.pass(34 * hour)

		const broken: string[] = []
		const triesOf = (id: string) => attempts.filter(({ text }) => text === id)
		const poisons = ids.filter((id) => id.startsWith('poison'))
		const others = ids.filter((id) => !id.startsWith('poison'))
		const wrong = poisons.filter((id) => {
			const tries = triesOf(id).map(({ at }) => at)
			const waits = tries.map((at, i) => at - (tries[i - 1] ?? from))
			const kept = waits.every((wait, i) => {
				const asked = schedule[i] ?? Number.NaN
				return wait >= asked * 0.8 && wait <= asked * 1.2 + late
			})
			return tries.length !== schedule.length || !kept
		})
		const dead = lines.filter((line) => line.dead).map(({ turn }) => String(turn))
		const twice = others.filter((id) => triesOf(id).length !== 1)
		const behind = others.filter((id) => ids[ids.indexOf(id) - 1]?.startsWith('poison'))
		const waited = others.map((id) => {
			const poison = behind.includes(id) ? triesOf(ids[ids.indexOf(id) - 1] ?? '').at(-1)?.at : undefined
			return (triesOf(id)[0]?.at ?? Number.POSITIVE_INFINITY) - (poison ?? from)
		})
		const longest = Math.max(...waited)
		if (wrong.length > 0) broken.push(`${wrong.length} of ${poisons.length} were not tried as the schedule has it`)
		if (dead.toSorted().join() !== poisons.toSorted().join())
			broken.push(`${dead.length} dead letters for ${poisons.length}`)
		if (twice.length > 0) broken.push(`${twice.length} others were not delivered once`)
		if (longest > 5000) broken.push(`another event waited for ${longest} ms`)

		poisonous = false
		const told: string[] = []
		const redrive = () => runOutbox(['redrive', '--all'], settings, (line) => told.push(line))
		const before = attempts.length
		redrive()
		await clock.pass(minute)
		const delivered = attempts.slice(before).map(({ text }) => text)
		redrive()
		await clock.pass(minute)
		const again = attempts.length - before - delivered.length
		if (delivered.toSorted().join() !== poisons.toSorted().join())
			broken.push(`put back, ${delivered.length} of ${poisons.length} were delivered`)
		if (again > 0) broken.push(`${again} were delivered again`)
		await outbox.close(0)
		return {
			reached: `${poisons.length} of ${count} events poisonous: ${poisons.length - wrong.length} tried ${schedule.length} times on time, ${dead.length} dead letters; others waited ${longest} ms at most, ${behind.length} of them until the one before was dead; put back: ${delivered.length} delivered, ${again} twice`,
			broken,
		}
	},
}
