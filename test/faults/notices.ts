/** A gateway that accepts events whose answer nobody reads, and each of them told by its number. */

import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { type Got, send } from '../runtime/http.ts'
import { type Echo, says, startEcho } from './echo.ts'
import { folder, type Started, type StartOptions, startGateway } from './gateway.ts'
import type { Outgoing } from './load.ts'
import type { Outcome, Trial } from './row.ts'
import { speaker } from './turns.ts'

const platform = speaker('snatchbot-webhook')

/** The `n`-th event; `more` makes it longer. */
export function notice(n: number, more = ''): Outgoing {
	return platform.call(platform.name, platform.event(`event ${n} ${more}`))
}

/** Sends the `n`-th event on a connection of its own. */
export function offer({ url }: Started, n: number, more?: string): Promise<Got> {
	const { path, body = '' } = notice(n, more)
	return send(url, { path, body })
}

/** What reached the upstream, by the events' numbers. */
export interface Taken extends Echo {
	/** Copies of each event that were taken. */
	copies(): ReadonlyMap<number, number>
	/** Those of these events that were never taken. */
	missing(events: Iterable<number>): number[]
}

/** An upstream that takes events, or answers with a status. It ends with the row. */
export async function startTaking(trial: Trial, status: () => number = () => 200): Promise<Taken> {
	const taken: number[] = []
	const echo = await startEcho(trial, ({ body }) => {
		const code = status()
		if (code !== 200) return code
		taken.push(Number(/event (\d+) /.exec(JSON.parse(body).event.text)?.[1]))
		return says('')
	})
	const copies = () => {
		const counts = new Map<number, number>()
		for (const n of taken) counts.set(n, (counts.get(n) ?? 0) + 1)
		return counts
	}
	return {
		...echo,
		copies,
		missing(events) {
			const counts = copies()
			return [...events].filter((n) => !counts.has(n))
		},
	}
}

/** The configuration's key of an outbox. */
const key = randomBytes(32).toString('base64')

/** What a gateway that accepts is told. */
interface Accepting {
	/** The upstream. */
	readonly url: string
	/** The outbox's. Absent: one of its own. */
	readonly file?: string
	/** Further settings of the outbox. */
	readonly outbox?: object
	/** Further routes. */
	readonly routes?: readonly object[]
}

/** Starts a gateway with an outbox, and a route to accept events. It ends with the row. */
export function startAccepting(
	trial: Trial,
	{ url, file = join(folder(trial), 'outbox.db'), outbox = {}, routes = [] }: Accepting,
	options: StartOptions = {},
): Promise<Started> {
	const config = {
		...{ upstream: { url }, outbox: { file, key: { env: 'KEY' }, ...outbox } },
		routes: [platform.route(platform.name), ...routes],
	}
	return startGateway(trial, config, { ...options, env: { KEY: key, ...options.env } })
}

/** Whether processes may be traced here. */
export function traces(): boolean {
	return spawnSync('strace', ['-o', '/dev/null', 'true']).status === 0
}

/** The outcome of a row that cannot be tried, and why: where CI was to bring what is missing, it does not hold. */
export function untried(tool: string, why: string): Outcome {
	const needed = process.env.DRAGOMAN_NEEDS?.split(' ').includes(tool)
	return needed ? { reached: '', broken: [why] } : { reached: 'not tried', broken: [], missed: [why], untried: true }
}
