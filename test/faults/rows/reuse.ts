/** Connections that the upstream closes in the moment in which they are used again. */
import { setTimeout as wait } from 'node:timers/promises'
import { answer, replyTo } from '../behaviours.ts'
import { startGateway } from '../gateway.ts'
import { faultsOf } from '../health.ts'
import { randomFrom } from '../random.ts'
import type { Row } from '../row.ts'
import { answered, callerOf, each, nonces, tally, unexpected } from '../turns.ts'
import { type Act, faultUpstream, type Line } from '../upstream.ts'

export const reuse: Row = {
	id: 'A13',
	fault: 'The upstream closes an idle connection in the moment in which it is used again',
	demand:
		'100,000 turns, connections closed after 1 to 100 calls: 0 errors on idempotent routes; elsewhere no turn twice',
	async run(trial) {
		const random = randomFrom(trial.seed)
		const left = new WeakMap<Line, number>()
		let closed = 0
		const closes: Act = async (line, call) => {
			const calls = left.get(line) ?? 1 + Math.floor(random() * 100)
			left.set(line, calls - 1)
			await line.write(answer(replyTo(call)))
			if (calls > 1) return
			closed++
			const moment = random() * 3
			// Half of them at once, behind the answer; the others while the next call may be on its way.
			const end = () => (random() < 0.5 ? line.socket.end() : line.socket.destroy())
			if (moment < 1.5) end()
			else setTimeout(end, moment - 1.5)
		}
		const upstream = await faultUpstream(trial, { safe: { act: closes }, once: { act: closes } })
		const gateway = await startGateway(trial, {
			routes: answered.flatMap((speaker) => [
				speaker.route(`${speaker.name}-safe`, { upstream: { url: upstream.at('safe') }, idempotent: true }),
				speaker.route(`${speaker.name}-once`, { upstream: { url: upstream.at('once') } }),
			]),
		})
		const caller = callerOf(trial, gateway.url)
		const nonce = nonces(trial.seed)
		const count = trial.at(1000, 10_000, 100_000)
		const turns = await each(count, 8, async (n) => {
			// Pauses in which connections are idle.
			if (random() < 0.05) await wait(2 * random())
			const speaker = answered[Math.floor(random() * answered.length)]
			if (!speaker) throw new Error('there are platforms')
			const kind = n % 2 === 0 ? 'safe' : 'once'
			const text = nonce()
			const { heard } = await caller.take(speaker, `${speaker.name}-${kind}`, speaker.event(text))
			return { kind, heard, text }
		})
		const of = (kind: string) => turns.filter((turn) => turn.kind === kind).map(({ heard }) => heard)
		const twice = turns.filter(({ kind, text }) => kind === 'once' && (upstream.seen.get(text) ?? 0) > 1).length
		const broken = [
			...faultsOf(gateway),
			...unexpected(of('safe'), ['reply']),
			// Whether the upstream read such a call is not known, so that it is not repeated.
			...unexpected(of('once'), ['reply', 'upstream-unreachable']),
		]
		if (twice > 0) broken.push(`${twice} turns of routes that are not idempotent reached the upstream twice`)
		if (closed < count / 200) broken.push(`only ${closed} connections were closed`)
		return {
			reached: `${count} turns, ${closed} connections closed: idempotent ${tally(of('safe'))}; others ${tally(of('once'))}, ${twice} twice`,
			broken,
		}
	},
}
