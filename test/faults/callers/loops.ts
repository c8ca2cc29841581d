/** A gateway whose upstream is the gateway: every loop ends after one extra call. */

import { setTimeout as wait } from 'node:timers/promises'
import { notifying, type Platform, platforms } from '../../harness/platforms.ts'
import { freePort } from '../../harness/sockets.ts'
import { until } from '../../until.ts'
import { atOnceThenEach, outboxOf } from '../accepting.ts'
import { type Row, type Trial, unless } from '../row.ts'
import { turnsWith } from '../turns.ts'

/** Milliseconds within which a call has gone round, however busy the machine is. */
const patience = 15_000

export const loops: Row = {
	id: 'D20',
	fault: "An upstream's URL leads back to the gateway: to the same route, through others, as a backup, stored first",
	demand: '≤ 1 extra hop, then 508',
	waits: 'idly',
	async run(trial) {
		const broken: string[] = []
		let calls = 0
		let turns = 0
		let ended = 0
		for (let round = 0; round < trial.at(1, 1, 10); round++) {
			const port = String(await freePort())
			const circles = platforms.flatMap((platform) => circlesOf(platform, `http://127.0.0.1:${port}`))
			const gateway = await trial.start({ routes: circles.flatMap(({ routes }) => routes) }, { env: { PORT: port } })
			const take = turnsWith(trial, gateway)
			const made = () => gateway.lines.filter(({ msg }) => msg === 'turn')
			for (const { platform, path, turns: wanted } of circles) {
				// Each failure counts against the upstream, whose circuit opens after five.
				for (let i = 0; i < trial.at(1, 3, 4) && broken.length < 10; i++) {
					calls++
					gateway.lines.length = 0
					const { heard } = await take(platform, path)
					// Waits a little longer, lest there come more.
					await until(() => made().length >= wanted, patience)
					await wait(5)
					turns += made().length
					// The innermost ends first: its upstream is the route that the call came through.
					const status = made()[0]?.upstreamStatus
					if (status === 508) ended++
					broken.push(
						...unless(heard !== 'reply' && !heard.startsWith('['), `${path}: heard ${heard}`),
						...unless(made().length === wanted, `${path}: ${made().length} turns of one call, not ${wanted}`),
						...unless(status === 508, `${path}: ended with ${status}, not 508`),
					)
				}
			}
			await gateway.end()
		}
		const stored = await storedFirst(trial)
		return {
			reached: `${calls} calls of every platform made ${turns} turns, one per route of each loop; ${ended} ended with 508; a stored event was delivered ${stored.statuses.length} times and accepted once`,
			broken: [
				...broken,
				...unless(
					stored.turns === 1 && stored.statuses.every((status) => status === 508),
					`a stored event made ${stored.turns} turns, and was delivered with ${stored.statuses}`,
				),
			],
		}
	},
}

/** Circles of a platform: to itself, as a backup, and by way of another route. A call makes as many turns as there are routes. */
function circlesOf(platform: Platform, origin: string) {
	const circle = (what: string, more: object, target = `${what}-${platform.name}`) => {
		const path = `${what}-${platform.name}`
		return { platform, path, turns: 1, routes: [platform.route({ upstream: to(target), ...more }, path)] }
	}
	const to = (path: string) => platform.upstream(`${origin}/${path}`)
	const again = `again-${platform.name}`
	const backup = {
		upstream: { ...platform.upstream('http://127.0.0.1:9/'), backup: `${origin}/other-${platform.name}` },
	}
	return [
		circle('self', {}),
		circle('query', { idempotent: true }, `query-${platform.name}?a=b`),
		circle('other', backup),
		{
			...{ platform, path: again, turns: 2 },
			routes: [
				platform.route({ upstream: to(`${again}-back`) }, again),
				platform.route({ upstream: to(again) }, `${again}-back`),
			],
		},
	]
}

/** An event that is acknowledged before it is delivered, to the route that accepted it. */
async function storedFirst(trial: Trial) {
	const port = String(await freePort())
	const upstream = notifying.upstream(`http://127.0.0.1:${port}/own`)
	const gateway = await trial.start(
		{
			outbox: outboxOf(trial, { schedule: atOnceThenEach('50ms', 2) }),
			routes: [notifying.route({ upstream }, 'own')],
		},
		{ env: { PORT: port } },
	)
	await turnsWith(trial, gateway)(notifying, 'own')
	const deliveries = () => gateway.lines.filter(({ msg }) => msg === 'delivery')
	await until(() => deliveries().some(({ dead }) => dead === true), patience)
	const turns = gateway.lines.filter(({ msg }) => msg === 'turn').length
	return { turns, statuses: deliveries().map(({ upstreamStatus }) => upstreamStatus) }
}
