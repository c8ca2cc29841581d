/** Routes with a holding reply: what is late comes with the next turn. */
import { setTimeout as wait } from 'node:timers/promises'
import { repliesAfter } from '../behaviours.ts'
import { startGateway } from '../gateway.ts'
import { faultsOf, over } from '../health.ts'
import { randomFrom } from '../random.ts'
import type { Row } from '../row.ts'
import { answered, callerOf, each, nonces } from '../turns.ts'
import { faultUpstream, noncePattern } from '../upstream.ts'

/** Milliseconds: when the holding reply leaves, when the upstream answers, and until the late answer has to be kept. */
const [after, lateness, patience] = [1500, 3000, 30_000]
const words = 'One moment, please.'

export const holding: Row = {
	id: 'A3b',
	fault: 'The upstream is late on a route with a holding reply',
	demand:
		'1,000 conversations: the holding reply leaves on time; the late answer comes with the next turn of its conversation, before it, exactly once, and in no other conversation',
	waits: 'busily',
	async run(trial) {
		const random = randomFrom(trial.seed)
		const slow = new Set<string>()
		/** The gateway's own id of each turn. */
		const turns = new Map<string, unknown>()
		const upstream = await faultUpstream(trial, {
			sometimes: {
				act(line, call) {
					turns.set(call.nonce, JSON.parse(call.body).turn.id)
					return repliesAfter(slow.has(call.nonce) ? lateness : 0)(line, call)
				},
			},
		})
		// Without a conversation nobody knows whose next turn it is.
		const talkers = answered.filter((speaker) => speaker.event('Hi', { conversation: 'c' }).conversation !== undefined)
		const gateway = await startGateway(trial, {
			upstream: { url: upstream.at('sometimes'), timeout: 30_000 },
			routes: talkers.map((speaker) =>
				speaker.route(speaker.name, { late: { after, reply: { messages: [{ type: 'text', text: words }] } } }),
			),
		})
		const caller = callerOf(trial, gateway.url)
		const nonce = nonces(trial.seed)

		const kept = new Set<unknown>()
		let read = 0
		const isKept = (text: string) => {
			for (const { msg, turn, did } of gateway.lines.slice(read)) if (msg === 'late' && did === 'kept') kept.add(turn)
			read = gateway.lines.length
			return kept.has(turns.get(text))
		}

		const count = trial.at(100, 500, 1000)
		const talks = await each(count, 200, async (n) => {
			await wait(random() * 500)
			const speaker = talkers[n % talkers.length]
			if (!speaker) throw new Error('there are platforms with conversations')
			const [late, next, same, last] = [nonce(), nonce(), nonce(), nonce()]
			slow.add(late)
			const say = async (text: string) => {
				const event = speaker.event(text, { conversation: `c${n}`, id: text })
				const took = await caller.take(speaker, speaker.name, event)
				const shown = took.answer.status === 200 ? speaker.shows(event, took.answer) : took.heard
				return { ...took, said: Array.from(shown.matchAll(noncePattern), ([one]) => one), held: shown.includes(words) }
			}
			const first = await say(late)
			const until = performance.now() + patience
			while (!isKept(late) && performance.now() < until) await wait(50)
			// Two at once: one of them brings it.
			const both = await Promise.all([say(next), say(same)])
			const end = await say(last)
			const brings = both.filter(({ said }) => said.includes(late))
			const ordered = brings.every(({ said }) => said[0] === late && said.length === 2)
			const own = both.every(({ said }, i) => said.at(-1) === [next, same][i])
			return {
				...{ speaker: speaker.name, ms: first.ms, late: brings.length, ordered, own, kept: isKept(late) },
				held: first.held && first.said.length === 0,
				clean: end.said.length === 1 && end.said[0] === last,
				// A quick turn that the machine kept waiting had to be held, too.
				hurried: [...both, end].some(({ held }) => held),
			}
		})

		const broken = faultsOf(gateway)
		const judged = talks.filter(({ hurried }) => !hurried)
		const claim = (what: string, holds: (talk: (typeof talks)[number]) => boolean) => {
			const not = judged.filter((talk) => !holds(talk))
			if (not.length > 0) broken.push(`${not.length} of ${judged.length}: ${what} (${not[0]?.speaker})`)
			return judged.length - not.length
		}
		const held = claim('the holding reply did not come alone', (talk) => talk.held)
		claim('the late answer was not kept', (talk) => talk.kept)
		const once = claim('the late answer did not come with one of the next turns', ({ late }) => late === 1)
		const first = claim('the late answer did not stand first', ({ late, ordered }) => late > 0 && ordered)
		claim('a turn did not get its own answer', ({ own }) => own)
		const clean = claim('a later turn heard of it again', (talk) => talk.clean)
		if (judged.length < count / 2) broken.push(`only ${judged.length} of ${count} conversations could be judged`)
		const slowest = Math.max(...talks.map(({ ms }) => ms))
		if (slowest > 20_000) broken.push(`a holding reply came after ${slowest.toFixed(0)} ms`)
		return {
			reached: `${judged.length} conversations on ${talkers.length} platforms: ${held} holding replies, the slowest ${(slowest - after).toFixed(0)} ms after its time; ${once} late answers with the next turn, ${first} of them first, ${judged.length - clean} again later`,
			broken,
			missed: [
				...over(slowest - after, 500, (it) => `a holding reply left ${it} ms late: the machine was busy`),
				...over(count - judged.length, 0, (it) => `${Number(it)} quick turns were held, too: the machine was busy`),
			],
		}
	},
}
