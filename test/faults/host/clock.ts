/** The wall clock jumps while events wait for their next attempt, and while turns are under way. */

import { globSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { notifying, own } from '../../harness/platforms.ts'
import { folder } from '../../harness/scope.ts'
import { has } from '../../tools.ts'
import { atOnceThenEach, delivered, startAccepting, startTaking } from '../accepting.ts'
import { faultsOf } from '../health.ts'
import { over, type Row, unless, untried } from '../row.ts'
import { each, slowest, type Turn, turnsWith, unexpected } from '../turns.ts'

/** How far the clock is off, in seconds, one after the other: hours, days, a leap second, and beyond an event's expiry. */
const jumps = [3600, -86_400, 0, -3600, 86_400, 86_401, 4 * 86_400] as const
/** Milliseconds between two attempts of an event. */
const every = 1000
/** Milliseconds that the upstream of the turns has. */
const timeout = 1500

export const clock: Row = {
	id: 'B10',
	fault: 'The wall clock jumps by hours, days and a second, forward and back',
	demand:
		'0 events lost, dead or delivered twice; attempts continue after each jump, at most twice as many as before; timeouts stay exact',
	waits: 'idly',
	async run(trial) {
		const [library] = globSync('/usr/lib/*/faketime/libfaketimeMT.so.1')
		if (!has('faketime') || library === undefined) return untried('faketime', 'libfaketime is not there')
		const home = folder(trial)
		const offset = join(home, 'offset')
		const set = (seconds: number): void => writeFileSync(offset, `${seconds < 0 ? '' : '+'}${seconds}`)
		set(0)
		const env = {
			...{ LD_PRELOAD: library, FAKETIME_TIMESTAMP_FILE: offset, FAKETIME_NO_CACHE: '1' },
			FAKETIME_DONT_FAKE_MONOTONIC: '1',
		}
		let status = 400
		const upstream = await startTaking(trial, () => status)
		const silent = await trial.upstream((_, { gone }) => gone.then(() => undefined))
		const accepting = {
			outbox: { file: join(home, 'outbox.db'), schedule: atOnceThenEach(`${every}ms`, 1000) },
			routes: [own.route({ upstream: { url: silent.url, timeout } })],
		}
		let gateway = await startAccepting(trial, upstream.url, accepting, { env })
		const take = turnsWith(trial, gateway)
		const events = await each(40, 1, () => take(notifying))

		const window = trial.at(2, 2, 20) * every
		const attemptsIn = async (): Promise<number> => {
			const before = upstream.calls.length
			await wait(window)
			return upstream.calls.length - before
		}
		await wait(every)
		const before = await attemptsIn()
		const broken: string[] = []
		const seen: number[] = []
		const turns: Turn[] = []
		for (const seconds of jumps.slice(0, trial.at(3, jumps.length, jumps.length))) {
			const turn = take(own)
			await wait(100)
			set(seconds)
			const count = await attemptsIn()
			turns.push(await turn)
			seen.push(count)
			const off = (Date.parse(String(gateway.lines.at(-1)?.time)) - Date.now()) / 1000
			broken.push(
				...unless(
					Math.abs(off - seconds) <= 30,
					`the gateway’s clock did not jump: it is off by ${off} s of ${seconds}`,
				),
				...unless(
					count <= 2 * before && count >= before / 4,
					`${count} attempts after a jump to ${seconds} s, ${before} before`,
				),
			)
		}
		// A day back, while no process runs: what waits for a moment that is far ahead now.
		await gateway.end()
		broken.push(...unexpected(events, ['accepted']), ...unexpected(turns, ['upstream-timeout']))
		set(-86_400)
		gateway = await startAccepting(trial, upstream.url, accepting, { env })
		status = 200
		const texts = events.map(({ text }) => text)
		const { lost, twice, broken: undelivered } = await delivered(texts, (without) => upstream.taken.slice(without))
		const quickest = Math.min(...turns.map(({ ms }) => ms))
		return {
			reached: `${before} attempts in ${window / 1000} s before, ${seen.join(', ')} after the jumps; ${lost} of ${events.length} lost, ${twice} twice; turns timed out after at most ${slowest(turns).toFixed(0)} ms, with a timeout of ${timeout}`,
			broken: [
				...broken,
				...faultsOf(gateway),
				...undelivered,
				...unless(quickest >= timeout - 100, `a turn was given up after ${quickest.toFixed(0)} ms of ${timeout}`),
			],
			missed: over(slowest(turns), timeout + 500, (figure) => `a turn took ${figure} ms, with a timeout of ${timeout}`),
		}
	},
}
