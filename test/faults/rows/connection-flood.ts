/** More connections than a process takes: those it has go on, the rest is turned away, and all is well when they are gone. */
import { setTimeout as wait } from 'node:timers/promises'
import { send } from '../../runtime/http.ts'
import { until } from '../../until.ts'
import { message } from '../calls.ts'
import { says, startEcho } from '../echo.ts'
import { startGateway } from '../gateway.ts'
import { faultsOf, heldBy, over } from '../health.ts'
import { open } from '../load.ts'
import type { Row } from '../row.ts'
import { dial, type Line } from '../sockets.ts'

/** Connections that the gateway takes: docs/deploy-node.md. */
const most = 2000
/** Milliseconds. */
const limits = { others: 100, back: 2000 }
/** Milliseconds for which they all stay. */
const stay = 3000

export const connectionFlood: Row = {
	id: 'D1',
	fault: 'Five thousand callers connect, and say nothing or the half of a line',
	demand: `≤ ${most} connections held, the others refused; who was connected: p99 ≤ ${limits.others} ms; back to normal ≤ ${limits.back / 1000} s after`,
	async run(trial) {
		const count = trial.at(2500, 5000, 5000)
		const upstream = await startEcho(trial, () => says('Hi'))
		const gateway = await startGateway(trial, {
			upstream: { url: upstream.url },
			routes: [{ name: 'own', path: '/own', platform: 'canonical' }],
		})
		const { url } = gateway
		const call = { path: '/own', body: message('Hi') }
		const seconds = 1 + (count / 5000) * 2 + stay / 1000
		// One connection, which was there before.
		const others = open({ url, rate: 50, seconds, connections: 1, call: () => call })
		await wait(1000)

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
		// One that is turned away is there for a moment.
		const seen: number[] = []
		for (let n = 0; n < 5; n++) {
			seen.push(heldBy(gateway))
			await wait(100)
		}
		const held = Math.min(...seen)
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
		const after = await open({ url, rate: 50, seconds: 1, call: () => call })
		const left = await until(() => heldBy(gateway) <= 64, 10_000)

		const lost = answered.sent - (answered.statuses.get(200) ?? 0)
		const broken = faultsOf(gateway)
		if (Math.max(...seen) < most) broken.push(`only ${Math.max(...seen)} connections were held: nothing was tried`)
		if (held > most) broken.push(`${held} connections were held`)
		if (refused < count - most) broken.push(`${refused} of ${count} were turned away`)
		if (lost > 0) broken.push(`${lost} of ${answered.sent} calls on a connection that was there were not answered`)
		if (back === undefined) broken.push('nobody was taken any more')
		if (after.statuses.get(200) !== after.sent) broken.push(`${after.sent} calls afterwards: not all were answered`)
		if (!left) broken.push(`${heldBy(gateway)} connections are left`)
		const p99 = answered.took(0.99)
		return {
			reached: `${held} of ${count} held, ${refused} turned away; others: p99 ${p99.toFixed(0)} ms, ${lost} of ${answered.sent} lost; the next taken after ${back?.toFixed(0)} ms, at try ${tried}; p99 then ${after.took(0.99).toFixed(0)} ms`,
			broken,
			missed: [
				...over(p99, limits.others, (it) => `p99 of the others ${it} ms, on cores shared with ${count} callers`),
				...over(back ?? 0, limits.back, (it) => `back after ${it} ms`),
			],
		}
	},
}
