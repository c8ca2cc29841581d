/** The wall clock jumps while events wait for their next attempt, and while turns are in hand. */
import { globSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { send } from '../../runtime/http.ts'
import { has } from '../../tools.ts'
import { until } from '../../until.ts'
import { message } from '../calls.ts'
import { startEcho } from '../echo.ts'
import { folder } from '../gateway.ts'
import { faultsOf, over } from '../health.ts'
import { offer, startAccepting, startTaking, untried } from '../notices.ts'
import type { Row } from '../row.ts'

/** How far the clock is off, in seconds, one after the other: hours, days, a leap second, and beyond an event's expiry. */
const jumps = [3600, -86_400, 0, -3600, 86_400, 86_401, 4 * 86_400] as const
/** Milliseconds between two attempts of an event. */
const every = 1000
/** Milliseconds that the upstream of the turns in hand has. */
const timeout = 1500

export const clock: Row = {
	id: 'B10',
	fault: 'The wall clock jumps by hours and days, forth and back, and by a second',
	demand:
		'0 events lost, given up or delivered twice; after each jump attempts go on, at most twice as many as before; limits of time are kept',
	waits: 'idly',
	async run(trial) {
		const [library] = globSync('/usr/lib/*/faketime/libfaketimeMT.so.1')
		if (!has('faketime') || library === undefined) return untried('faketime', 'libfaketime is not there')
		const home = folder(trial)
		const [offset, file] = [join(home, 'offset'), join(home, 'outbox.db')]
		const set = (seconds: number): void => writeFileSync(offset, `${seconds < 0 ? '' : '+'}${seconds}`)
		set(0)
		const env = {
			...{ LD_PRELOAD: library, FAKETIME_TIMESTAMP_FILE: offset, FAKETIME_NO_CACHE: '1' },
			FAKETIME_DONT_FAKE_MONOTONIC: '1',
		}
		let attempts = 0
		let status = 400
		const upstream = await startTaking(trial, () => {
			attempts++
			return status
		})
		const silent = await startEcho(trial, () => new Promise(() => {}))
		const routes = [{ name: 'own', path: '/own', platform: 'canonical', upstream: { url: silent.url, timeout } }]
		const outbox = { schedule: ['0s', ...Array.from({ length: 1000 }, () => `${every}ms`)] }
		const accepting = { url: upstream.url, file, outbox, routes }
		let gateway = await startAccepting(trial, accepting, { env })
		const events = Array.from({ length: 40 }, (_, n) => n)
		for (const n of events) await offer(gateway, n)

		const window = trial.at(2, 2, 20) * every
		const attemptsIn = async (): Promise<number> => {
			const before = attempts
			await wait(window)
			return attempts - before
		}
		await wait(every)
		const usual = await attemptsIn()
		const broken: string[] = []
		const seen: string[] = []
		const turns: number[] = []
		for (const seconds of jumps.slice(0, trial.at(3, jumps.length, jumps.length))) {
			const from = performance.now()
			const turn = send(gateway.url, { path: '/own', body: message('Hi') })
			await wait(100)
			set(seconds)
			const [count] = await Promise.all([attemptsIn(), turn.then(() => turns.push(performance.now() - from))])
			const off = (Date.parse(String(gateway.lines.at(-1)?.time)) - Date.now()) / 1000
			if (Math.abs(off - seconds) > 30)
				broken.push(`the gateway’s clock did not jump: it is off by ${off} s of ${seconds}`)
			if (count > 2 * usual) broken.push(`${count} attempts after a jump to ${seconds} s, ${usual} before`)
			if (count < usual / 4) broken.push(`only ${count} attempts after a jump to ${seconds} s, ${usual} before`)
			seen.push(`${count}`)
		}
		// A day back, while nobody runs: what waits for a moment that is far ahead now.
		await gateway.end()
		set(-86_400)
		gateway = await startAccepting(trial, accepting, { env })
		status = 200
		await until(() => upstream.missing(events).length === 0)
		const lost = upstream.missing(events).length
		const twice = [...upstream.copies().values()].filter((copies) => copies > 1).length
		const quickest = Math.min(...turns)
		broken.push(...faultsOf(gateway))
		if (lost > 0) broken.push(`${lost} of ${events.length} events were lost`)
		if (twice > 0) broken.push(`${twice} events were delivered twice`)
		if (quickest < timeout - 100) broken.push(`a turn was given up after ${quickest.toFixed(0)} ms of ${timeout}`)
		return {
			reached: `${usual} attempts in ${window / 1000} s before, ${seen.join(', ')} after the jumps; ${lost} of ${events.length} lost, ${twice} twice; turns given up after ${Math.max(...turns).toFixed(0)} ms of ${timeout} at most`,
			broken,
			missed: over(Math.max(...turns), timeout + 500, (figure) => `a turn took ${figure} ms of ${timeout}`),
		}
	},
}
