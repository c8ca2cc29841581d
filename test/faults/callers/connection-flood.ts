/** More connections than a process accepts: existing ones keep working, the rest are rejected, and everything recovers. */

import { setTimeout as wait } from 'node:timers/promises'
import { type ClientOptions, message, send } from '../../harness/http.ts'
import { open } from '../../harness/load.ts'
import { ownTo } from '../../harness/platforms.ts'
import { dial, type Line } from '../../harness/sockets.ts'
import { until } from '../../until.ts'
import { faultsOf, heldBy } from '../health.ts'
import { none, over, type Row, unless } from '../row.ts'

/** Connections that the gateway takes: docs/deploy-node.md. */
const most = 2000
/** Milliseconds. */
const limits = { others: 100, back: 2000 }
/** Those that are being turned away: they are there for a moment. */
const passing = 250
/** Milliseconds for which they all stay. */
const stay = 3000

export const connectionFlood: Row = {
	id: 'D1',
	fault: 'Five thousand clients connect and send nothing, or half of a line',
	demand: `≤ ${most} connections held, the others rejected; p99 of clients that were already connected ≤ ${limits.others} ms; back to normal ≤ ${limits.back / 1000} s after`,
	async run(trial) {
		const count = trial.at(2500, 5000, 5000)
		const upstream = await trial.upstream()
		const gateway = await trial.start(ownTo(upstream.url))
		const { url } = gateway
		const call = { path: '/own', body: message('Hi') }
		const calling = (seconds: number, more: ClientOptions = {}) =>
			open(url, { rate: 50, seconds, call: () => call, ...more })
		// One connection, which was there before.
		const others = calling(1 + (count / 5000) * 2 + stay / 1000, { connections: 1 })
		await wait(1000)

		let held = 0
		const watch = setInterval(() => {
			held = Math.max(held, heldBy(gateway))
		}, 200)
		trial.after(() => clearInterval(watch))
		const lines: Line[] = []
		while (lines.length < count) {
			for (let n = 0; n < 50; n++) {
				const line = dial(trial, url)
				if (n % 2 === 0) line.socket.write('POST /own HT')
				lines.push(line)
			}
			await wait(10)
		}
		await wait(stay)
		const refused = lines.filter((line) => line.closedAfter() !== undefined).length
		clearInterval(watch)
		const answered = await others

		for (const { socket } of lines) socket.resetAndDestroy()
		const gone = performance.now()
		let tried = 0
		let back: number | undefined
		while (back === undefined && performance.now() - gone < 15_000) {
			tried++
			const got = await send(url, call).catch(() => undefined)
			if (got?.status === 200) back = performance.now() - gone
			else await wait(20)
		}
		const after = await calling(1)
		const left = await until(() => heldBy(gateway) <= 64, 10_000)

		const lost = answered.sent - answered.count(200)
		const p99 = answered.took(0.99)
		return {
			reached: `${held} of ${count} held, ${refused} rejected; others: p99 ${p99.toFixed(0)} ms, ${lost} of ${answered.sent} lost; the next accepted after ${back?.toFixed(0)} ms, at try ${tried}; p99 then ${after.took(0.99).toFixed(0)} ms`,
			broken: [
				...faultsOf(gateway),
				...unless(held >= most / 4, `only ${held} connections were held: nothing was tried`),
				...unless(held <= most + passing, `${held} connections were held`),
				...unless(refused >= count - most, `${refused} of ${count} were turned away`),
				...none(lost, `of ${answered.sent} calls on a connection that was there were not answered`),
				...unless(back !== undefined, 'no caller was taken any more'),
				...none(after.sent - after.count(200), 'calls afterwards were not answered'),
				...unless(left, `${heldBy(gateway)} connections are left`),
			],
			missed: [
				...over(most, held, () => `${held} were held at the same time: the machine was too busy for more`),
				...over(p99, limits.others, (it) => `p99 of the others ${it} ms, on cores shared with ${count} clients`),
				...over(back ?? 0, limits.back, (it) => `back after ${it} ms`),
			],
		}
	},
}
