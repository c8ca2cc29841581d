/** An upstream that is not there, and then is. */
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { repliesAfter } from '../behaviours.ts'
import { folder, startGateway } from '../gateway.ts'
import { faultsOf, over } from '../health.ts'
import { open, percentile } from '../load.ts'
import type { Row } from '../row.ts'
import { answered, heardOf, nonces, speakers, tally, unexpected } from '../turns.ts'
import { faultUpstream } from '../upstream.ts'

/** Calls a second. */
const rate = 500
/** Milliseconds until what was stored has to be delivered. */
const patience = 60_000

export const down: Row = {
	id: 'A1',
	fault: 'The upstream is down: connections are refused',
	demand:
		'10,000 calls at 500/s: 100 % typed, 0 hang, p99 at most 50 ms once the upstream is left alone; 0 accepted events lost when it is back',
	async run(trial) {
		const seconds = trial.at(2, 20, 20)
		const upstream = await faultUpstream(trial, { echo: { act: repliesAfter(0) } })
		const gateway = await startGateway(trial, {
			outbox: { file: join(folder(trial), 'outbox.db'), schedule: Array.from({ length: 100 }, () => '1s') },
			upstream: { url: upstream.at('echo') },
			routes: speakers.map((speaker) => speaker.route(speaker.name)),
		})
		await upstream.shut()

		const nonce = nonces(trial.seed)
		const calls = Array.from({ length: rate * seconds }, (_, n) => {
			const among = n % 10 === 0 ? speakers.filter(({ oneWay }) => oneWay) : answered
			const speaker = among[Math.floor(n / 10) % among.length]
			if (!speaker) throw new Error('there are platforms')
			return { speaker, event: speaker.event(nonce()), text: `nonce-${trial.seed}-${n + 1}` }
		})
		const heard: string[] = []
		const times: number[] = []
		const accepted: string[] = []
		const load = await open({
			...{ url: gateway.url, rate, seconds },
			call: (n) => callAt(n).speaker.call(callAt(n).speaker.name, callAt(n).event),
			judge(answer, n) {
				const { speaker, event, text } = callAt(n)
				const one = heardOf(speaker, event, answer)
				heard.push(one)
				if (one === 'accepted') accepted.push(text)
				else if (n >= rate) times.push(answer.ms)
				return undefined
			},
		})
		function callAt(n: number) {
			const call = calls[n]
			if (!call) throw new Error(`there is no call ${n}`)
			return call
		}

		await upstream.open()
		const from = performance.now()
		const missing = () => accepted.filter((text) => !upstream.seen.has(text)).length
		while (missing() > 0 && performance.now() - from < patience) await wait(50)
		const lost = missing()
		const took = ((performance.now() - from) / 1000).toFixed(1)
		const twice = accepted.filter((text) => (upstream.seen.get(text) ?? 0) > 1).length

		const p99 = percentile(times, 0.99)
		const broken = [
			...faultsOf(gateway),
			...unexpected(heard, ['upstream-unreachable', 'upstream-circuit-open', 'accepted']),
		]
		if (load.hung > 0) broken.push(`${load.hung} calls hung`)
		if (load.failures.size > 0) broken.push(`calls without an answer: ${[...load.failures.keys()]}`)
		if (accepted.length === 0) broken.push('no event was accepted')
		if (lost > 0) broken.push(`${lost} accepted events were lost`)
		if (twice > 0) broken.push(`${twice} events were delivered twice`)
		return {
			reached: `${load.sent} calls: ${tally(heard)}; p99 ${p99.toFixed(1)} ms; ${lost} of ${accepted.length} events lost, the last delivered ${took} s after it was back`,
			broken,
			missed: over(p99, 50, (it) => `p99 ${it} ms: the machine was busy`),
		}
	},
}
