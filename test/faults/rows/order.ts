/** The order of a conversation while deliveries fail. */
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import fc from 'fast-check'
import { histories, historyOf } from '../../outbox/histories.ts'
import { outboxRig } from '../../outbox/rig.ts'
import { answer, replyTo, status } from '../behaviours.ts'
import { folder, startGateway } from '../gateway.ts'
import { faultsOf } from '../health.ts'
import { randomFrom } from '../random.ts'
import type { Row, Trial } from '../row.ts'
import { callerOf, each, nonces, speaker, unexpected } from '../turns.ts'
import { faultUpstream } from '../upstream.ts'

const orders = ['block', 'overtake'] as const
/** Milliseconds until everything has to be delivered. */
const patience = 120_000

export const order: Row = {
	id: 'C3',
	fault: 'Events of one conversation while some of them fail',
	demand:
		'1,000 random histories for each setting: with "block" nothing goes before an earlier one, with "overtake" nothing before one that never failed; 0 forgotten',
	async run(trial) {
		const runs = trial.at(30, 150, 1000)
		const broken: string[] = []
		const figures: string[] = []
		for (const setting of orders) {
			const { storeOf, settingsOf } = outboxRig(trial.after)
			let lived = 0
			const property = fc.property(histories, (steps) => {
				lived++
				historyOf(steps, storeOf, settingsOf({ order: setting, concurrency: 1000 }))
			})
			const { failed, counterexample, errorInstance } = fc.check(property, { numRuns: runs, seed: trial.seed })
			if (failed) broken.push(`${setting}: ${errorInstance} after ${JSON.stringify(counterexample)}`)
			figures.push(`${lived} histories with "${setting}"`)
		}
		const { reached, broken: other } = await onTheWire(trial)
		return { reached: `${figures.join(', ')}: 0 out of order; ${reached}`, broken: [...broken, ...other] }
	},
}

/** Conversations of a real platform to an upstream that fails now and then. */
async function onTheWire(trial: Trial) {
	const random = randomFrom(trial.seed)
	const took: string[] = []
	const refuses = status(429)
	const upstream = await faultUpstream(trial, {
		sometimes: {
			act(line, call) {
				if (random() < 0.2) return refuses(line, call)
				took.push(call.nonce)
				return line.write(answer(replyTo(call)))
			},
		},
	})
	const own = speaker('tiledesk-subscription')
	const gateway = await startGateway(trial, {
		outbox: { file: join(folder(trial), 'outbox.db'), schedule: ['0s', ...Array(50).fill('20ms')] },
		upstream: { url: upstream.at('sometimes') },
		routes: [own.route('own')],
	})
	const caller = callerOf(trial, gateway.url)
	const nonce = nonces(trial.seed)
	const [conversations, events] = [trial.at(10, 50, 200), 20]
	const said: string[][] = []
	const heard = await each(conversations, conversations, async (n) => {
		const all: string[] = []
		for (let i = 0; i < events; i++) {
			const text = nonce()
			const { heard } = await caller.take(own, 'own', own.event(text, { conversation: `c${n}` }))
			if (heard !== 'accepted') return heard
			all.push(text)
		}
		said.push(all)
		return 'accepted'
	})
	const from = performance.now()
	while (took.length < conversations * events && performance.now() - from < patience) await wait(50)
	const place = new Map(took.map((text, i) => [text, i]))
	const disordered = said.filter((all) =>
		all.some((text, i) => i > 0 && (place.get(text) ?? -1) <= (place.get(all[i - 1] ?? '') ?? -1)),
	)
	const broken = [...faultsOf(gateway), ...unexpected(heard, ['accepted'])]
	if (place.size !== conversations * events)
		broken.push(`${conversations * events - place.size} accepted events were lost`)
	if (took.length !== place.size) broken.push(`${took.length - place.size} events were delivered twice`)
	if (disordered.length > 0) broken.push(`${disordered.length} conversations were out of order`)
	return {
		reached: `${conversations} conversations over HTTP with every fifth attempt refused: ${disordered.length} out of order`,
		broken,
	}
}
