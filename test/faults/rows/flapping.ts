/** An upstream that fails now and then, and one that fails and comes back. */
import { setTimeout as wait } from 'node:timers/promises'
import { answer, flaps, replyTo, says, status } from '../behaviours.ts'
import { startGateway } from '../gateway.ts'
import { faultsOf, over } from '../health.ts'
import { randomFrom } from '../random.ts'
import type { Row } from '../row.ts'
import { callerOf, each, nonces, speaker, tally, unexpected } from '../turns.ts'
import { type Act, faultUpstream } from '../upstream.ts'

/** Failures in a row after which it is left alone, and milliseconds between the calls that try whether it is back. */
const [tolerated, probeEvery] = [5, 500]
/** What all repeats together may add to the calls. */
const share = 0.2
/** Turns under way at once. */
const atOnce = 16

export const flapping: Row = {
	id: 'A10',
	fault: 'The upstream answers 5xx, flaps, or drops calls without a word',
	demand:
		'it gets at most 1.2 times the calls; it is left alone after 5 failures and what was under way, with one probe each 500 ms; turns go on within 1 s of its recovery; nothing is repeated of which an answer began',
	async run(trial) {
		const random = randomFrom(trial.seed)
		const fails = status(500)
		let healthy = true
		const hit: number[] = []
		const breaks: Act = async (line, call) => {
			await line.write(answer(replyTo(call)).subarray(0, -1))
			line.socket.resetAndDestroy()
		}
		const upstream = await faultUpstream(trial, {
			flaps: { act: flaps(random) },
			// So seldom that it is not left alone, and whatever repeats such calls shows.
			errs: { act: (line, call) => (random() < 0.2 ? fails(line, call) : line.write(answer(replyTo(call)))) },
			drops: {
				act: (line, call) => (random() < 0.5 ? void line.socket.end() : line.write(answer(replyTo(call)))),
			},
			breaks: { act: (line, call) => (random() < 0.5 ? breaks(line, call) : line.write(answer(replyTo(call)))) },
			fails: {
				act(line, call) {
					hit.push(call.at)
					return healthy ? says((one) => answer(replyTo(one)))(line, call) : fails(line, call)
				},
			},
		})
		const own = speaker('canonical')
		const idempotent = { idempotent: true }
		const gateway = await startGateway(trial, {
			routes: ['flaps', 'errs', 'drops', 'breaks', 'fails'].map((name) =>
				own.route(name, { upstream: { url: upstream.at(name) }, ...(name === 'fails' ? {} : idempotent) }),
			),
		})
		const caller = callerOf(trial, gateway.url)
		const nonce = nonces(trial.seed)
		const take = (path: string) => caller.take(own, path, own.event(nonce()))
		const broken: string[] = []
		const figures: string[] = []

		const milliseconds = trial.at(800, 2500, 20_000)
		for (const [path, hears] of [
			['flaps', ['reply', 'upstream-status', 'upstream-circuit-open']],
			['errs', ['reply', 'upstream-status', 'upstream-circuit-open']],
			['drops', ['reply', 'upstream-unreachable', 'upstream-circuit-open']],
			['breaks', ['reply', 'upstream-reply-invalid']],
		] as const) {
			const before = upstream.calls
			const until = performance.now() + milliseconds
			const turns = await each(atOnce, atOnce, async () => {
				const all: string[] = []
				while (performance.now() < until) {
					const { heard } = await take(path)
					all.push(heard)
					// A user who is told to come back later does not come back at once.
					if (heard === 'upstream-circuit-open') await wait(50)
				}
				return all
			})
			const heard = turns.flat()
			const calls = upstream.calls - before
			// What is left alone is not called, so that the share is of the calls that were made at all.
			const made = heard.filter((one) => one !== 'upstream-circuit-open').length
			figures.push(`${path}: ${calls} calls for ${made} turns`)
			broken.push(...unexpected(heard, hears))
			if (calls > made * (1 + share) + 10) broken.push(`${path}: ${calls} calls for ${made} turns`)
			if (path !== 'drops' && calls !== made) broken.push(`${path}: what was answered was called again`)
		}

		await each(100, atOnce, () => take('fails'))
		healthy = false
		hit.length = 0
		const until = performance.now() + trial.at(1600, 5000, 10_000)
		const failing = await each(atOnce, atOnce, async () => {
			const all: string[] = []
			while (performance.now() < until) {
				all.push((await take('fails')).heard)
				await wait(5)
			}
			return all
		})
		const opened = (hit[tolerated - 1] ?? 0) + 100
		const soon = hit.filter((at) => at < opened).length
		const probes = hit.filter((at) => at >= opened)
		const gaps = probes.slice(1).map((at, i) => at - (probes[i] ?? 0))
		const most = Math.ceil((until - opened) / probeEvery) + 1
		healthy = true
		const from = performance.now()
		while ((await take('fails')).heard !== 'reply' && performance.now() - from < 20_000) await wait(10)
		const back = performance.now() - from
		const recovered = (await each(200, atOnce, () => take('fails'))).map((turn) => turn.heard)

		broken.push(...faultsOf(gateway), ...unexpected(failing.flat(), ['upstream-status', 'upstream-circuit-open']))
		broken.push(...unexpected(recovered, ['reply']))
		if (soon > tolerated + atOnce) broken.push(`${soon} calls until it was left alone`)
		if (probes.length > most) broken.push(`${probes.length} probes, and there is time for ${most}`)
		if (probes.length < 2) broken.push('it was not tried again')
		if (back > 20_000) broken.push('turns did not go on')
		figures.push(
			`left alone after ${soon} calls with ${atOnce} under way, ${probes.length} probes, the nearest two ${Math.min(...gaps).toFixed(0)} ms apart, ${tally(failing.flat())}`,
			`turns went on ${back.toFixed(0)} ms after its recovery`,
		)
		return {
			reached: figures.join('; '),
			broken,
			missed: over(back, 1000, (it) => `turns went on ${it} ms after its recovery: the machine was busy`),
		}
	},
}
