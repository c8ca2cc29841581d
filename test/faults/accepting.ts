/** Events that are accepted before they are delivered: a gateway with an outbox, its upstream, and the outcome. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { GatewayProcess, ProcessOptions } from '../harness/gateway.ts'
import { json, says, statusOnly } from '../harness/http.ts'
import { notifying } from '../harness/platforms.ts'
import { folder } from '../harness/scope.ts'
import type { Upstream } from '../harness/upstream.ts'
import { none, type Trial } from './row.ts'
import { countEach, nonceOf, noncesIn } from './turns.ts'

/** Configures an outbox with a file of its own. */
export function outboxOf(trial: Trial, more: object = {}): object {
	return { file: join(folder(trial), 'outbox.db'), ...more }
}

/** A schedule: at once, and then each so often. */
export function atOnceThenEach(pause: string, times = 100): string[] {
	return ['0s', ...Array<string>(times).fill(pause)]
}

/** An upstream for events, and the nonces of those that it took, copies included. */
export type Taking = Upstream & { readonly taken: readonly string[] }

/** Starts an upstream that takes events, or answers with another status. */
export async function startTaking(trial: Trial, status: () => number = () => 200): Promise<Taking> {
	const taken: string[] = []
	const upstream = await trial.upstream((call) => {
		const code = status()
		if (code !== 200) return statusOnly(code)
		taken.push(nonceOf(call))
		return json(says(''))
	})
	return Object.assign(upstream, { taken })
}

/** Starts a gateway with an encrypted outbox and a route that accepts events, to an upstream at this URL. */
export function startAccepting(
	trial: Trial,
	url: string,
	{ outbox = {}, routes = [] }: { readonly outbox?: object; readonly routes?: readonly object[] } = {},
	options: ProcessOptions = {},
): Promise<GatewayProcess> {
	const key = Buffer.alloc(32, trial.seed).toString('base64')
	return trial.start(
		{
			...{ upstream: { url }, outbox: { ...outboxOf(trial), key: { env: 'KEY' }, ...outbox } },
			routes: [notifying.route(), ...routes],
		},
		{ ...options, env: { KEY: key, ...options.env } },
	)
}

/** What became of events that were accepted. */
export interface Delivered {
	readonly lost: number
	readonly twice: number
	/** Seconds until the last had come. */
	readonly seconds: number
	/** A sentence for what should not be. */
	readonly broken: readonly string[]
}

/**
 * Waits until each of these events has come to the upstream, 30 seconds at most by default. `came`: what has come, without
 * the first so many. Each look is only at what is new: the callers share this thread, and looking must not delay them.
 */
export async function delivered(
	events: readonly string[],
	came: (without: number) => readonly string[],
	patience = 30_000,
): Promise<Delivered> {
	const from = performance.now()
	const textOf = new Map(events.flatMap((text) => noncesIn(text).map((nonce) => [nonce, text])))
	const missing = new Set(events)
	let seen = 0
	const look = () => {
		const fresh = came(seen)
		seen += fresh.length
		for (const nonce of fresh) missing.delete(textOf.get(nonce) ?? '')
		return missing.size === 0
	}
	while (!look() && performance.now() - from < patience) await wait(50)
	const seconds = (performance.now() - from) / 1000
	const lost = missing.size
	const twice = [...countEach(came(0)).values()].filter((copies) => copies > 1).length
	const broken = [
		...none(lost, `of ${events.length} accepted events were lost`),
		...none(twice, 'events were delivered twice'),
	]
	return { lost, twice, seconds, broken }
}

/** Whether processes may be traced here. */
export function traces(): boolean {
	return spawnSync('strace', ['-o', '/dev/null', 'true']).status === 0
}
