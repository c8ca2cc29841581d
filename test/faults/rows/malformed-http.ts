/** Messages that one parser may read otherwise than the next: refused, and never more calls than were sent, with or without a proxy in front. */
import { setTimeout as wait } from 'node:timers/promises'
import { startEcho } from '../echo.ts'
import { startGateway } from '../gateway.ts'
import { markOf, messages, plain } from '../messages.ts'
import { type Front, startProxies } from '../proxies.ts'
import type { Row, Trial } from '../row.ts'
import { type Exchanged, exchange } from '../sockets.ts'
import { each } from '../turns.ts'

/** Milliseconds for which no call may have come before they are counted. */
const settled = 300

export const malformedHttp: Row = {
	id: 'D7',
	fault: 'HTTP that is malformed, or that two parsers read in two ways; direct, and behind the proxies that are there',
	demand:
		'200 of them: never more calls than were sent, 0 crashes, 0 hangs; direct, all that can be read in two ways is refused',
	async run(trial) {
		const upstream = await startEcho(trial)
		const gateway = await startGateway(trial, {
			upstream: { url: upstream.url },
			routes: [{ name: 'own', path: '/own', platform: 'canonical' }],
		})
		const { proxies, missing } = await startProxies(trial, new URL(gateway.url).port)
		upstream.heard.length = 0
		const taken: string[] = []
		const broken: string[] = []
		const missed = missing.map((name) => `not behind ${name}, which is not installed`)
		for (const front of [{ name: 'direct', url: gateway.url }, ...proxies]) {
			const found = await tryAll(front, trial)
			await quiet(upstream.heard)
			const heard = new Map<string, number>()
			for (const { body } of upstream.heard.splice(0)) heard.set(markOf(body), (heard.get(markOf(body)) ?? 0) + 1)
			taken.push(`${heard.size} ${front.name}`)
			for (const [i, { what, mark, calls, refused }] of messages.entries()) {
				const came = heard.get(mark) ?? 0
				const { statuses, hung } = found[i] ?? { statuses: [], hung: true }
				const wrong = (how: string) => broken.push(`${front.name}, ${what}: ${how}`)
				if (came > calls) wrong(`${came} calls of ${calls}`)
				if (front.name !== 'direct') continue
				if (hung) wrong('no answer, and no end')
				if (refused && (came > 0 || statuses.some((status) => status < 400))) wrong(`taken, ${statuses.join()}`)
				if (!refused && came !== calls) wrong(`${came} calls of ${calls}, ${statuses.join()}`)
				if (statuses.some((status) => status >= 500 && status !== 501 && status !== 505)) wrong(statuses.join())
			}
			const { statuses } = await exchange(front.url, plain, { quiet: 20 })
			if (statuses[0] !== 200) broken.push(`${front.name}: a call after them gets ${statuses.join() || 'no answer'}`)
			await quiet(upstream.heard)
			upstream.heard.length = 0
		}
		if (gateway.process.exitCode !== null || gateway.process.signalCode !== null) broken.push('the gateway ended')
		for (const { msg, error, cause } of gateway.lines)
			if (msg === 'uncaught' || error === 'internal') broken.push(`a fault of the gateway's own: ${cause}`)
		return {
			reached: `${messages.length} messages, of which some call was taken from ${taken.join(', ')}: ${broken.length} not as demanded`,
			...{ broken: broken.slice(0, 20), missed },
		}
	},
}

/** Sends them all, some at a time, each on a connection of its own. */
function tryAll({ name, url }: Front, { scale }: Trial): Promise<Exchanged[]> {
	// A proxy keeps what it got only a part of for a while; and who says that they are done is done with.
	const patience = name === 'direct' ? 10_000 : scale === 'short' ? 500 : 1500
	return each(messages.length, 8, (n) => {
		const { bytes = '', refused } = messages[n] ?? {}
		return exchange(url, bytes, { quiet: 60, patience, ends: name === 'direct' && refused })
	})
}

/** Waits until nothing more comes. */
async function quiet(heard: readonly unknown[]): Promise<void> {
	for (let before = -1; before !== heard.length; ) {
		before = heard.length
		await wait(settled)
	}
}
