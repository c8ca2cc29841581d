/** An upstream that takes no connection, and refuses none. */
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { startGateway } from '../gateway.ts'
import { faultsOf, over } from '../health.ts'
import type { Row, Trial } from '../row.ts'
import { callerOf, each, nonces, speaker, tally, unexpected } from '../turns.ts'

export const blackhole: Row = {
	id: 'A2',
	fault: 'The upstream takes no connection and refuses none',
	demand: 'an answer within 1.6 s, typed: 0.1 s after the limit for connecting; its sockets are gone 2 s later',
	waits: 'busily',
	async run(trial) {
		const count = trial.at(20, 100, 500)
		const { port, own } = await hole(trial)
		const gateway = await startGateway(trial, {
			upstream: { url: `http://127.0.0.1:${port}/` },
			routes: [
				speaker('canonical').route('own'),
				{ ...speaker('canonical').route('warm'), upstream: { url: 'builtin:demo' } },
			],
		})
		const caller = callerOf(trial, gateway.url)
		const nonce = nonces(trial.seed)
		// What a process does first, it does slowly.
		await each(5 * count, count, () => caller.take(speaker('canonical'), 'warm', speaker('canonical').event(nonce())))
		const turns = await each(count, count, () =>
			caller.take(speaker('canonical'), 'own', speaker('canonical').event(nonce())),
		)
		const during = socketsTo(port) - own
		await wait(2000)
		const left = socketsTo(port) - own
		const heard = turns.map((turn) => turn.heard)
		const slowest = Math.max(...turns.map(({ ms }) => ms))
		const broken = [...faultsOf(gateway), ...unexpected(heard, ['upstream-unreachable'])]
		if (left > 0) broken.push(`${left} sockets are left`)
		return {
			reached: `${tally(heard)}, slowest ${slowest.toFixed(0)} ms; ${during} sockets at the last answer, ${left} left 2 s later`,
			broken,
			missed: over(slowest, 1600, (it) => `${it} ms, of ${count} turns at once`),
		}
	},
}

/** A port whose backlog is full, and how many sockets it took to fill it. */
async function hole(trial: Trial): Promise<{ port: number; own: number }> {
	const worker = new Worker(new URL('../deaf.ts', import.meta.url))
	trial.after(() => worker.terminate())
	const port = await new Promise<number>((listening) => worker.once('message', listening))
	for (let own = 0; ; ) {
		const socket = connect(port, '127.0.0.1').on('error', () => {})
		trial.after(() => socket.destroy())
		own++
		const taken = await Promise.race([
			new Promise<true>((done) => socket.once('connect', () => done(true))),
			wait(500, false as const),
		])
		if (!taken) return { port, own }
	}
}

/** Sockets of this machine that are connected to that port, or try to be: proc(5), /proc/net/tcp. */
function socketsTo(port: number): number {
	const remote = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
	const lines = readFileSync('/proc/net/tcp', 'utf8').split('\n').slice(1)
	return lines.filter((line) => line.trim().split(/\s+/)[2]?.endsWith(remote)).length
}
