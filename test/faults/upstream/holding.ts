/** Routes with a holding reply: a late answer is sent with the next turn. */

import { setTimeout as wait } from 'node:timers/promises'
import { answered, tellsConversation } from '../../harness/platforms.ts'
import { until } from '../../until.ts'
import { repliesAfter } from '../behaviours.ts'
import { faultsOf } from '../health.ts'
import { over, type Row, unless } from '../row.ts'
import { each, nonceOf, noncesIn, nth, slowest, turnsWith } from '../turns.ts'

/** Milliseconds: when the holding reply leaves, when the upstream answers, and until the late answer has to be stored. */
const [after, lateness, patience] = [1500, 3000, 30_000]
const words = 'One moment, please.'

export const holding: Row = {
	id: 'A3b',
	fault: 'The upstream is late on a route with a holding reply',
	demand:
		'1,000 conversations: the holding reply leaves on time; the late answer is sent before the next reply of its conversation, exactly once, and in no other conversation',
	waits: 'busily',
	async run(trial) {
		const slow = new Set<string>()
		/** The gateway's own id of each turn. */
		const turnIds = new Map<string, unknown>()
		const upstream = await trial.upstream((call, connection) => {
			turnIds.set(nonceOf(call), JSON.parse(call.body).turn.id)
			return repliesAfter(slow.has(nonceOf(call)) ? lateness : 0)(call, connection)
		})
		// Without a conversation it is unknown whose next turn it is.
		const platforms = answered.filter(tellsConversation)
		const late = { after, reply: { messages: [{ type: 'text', text: words }] } }
		const gateway = await trial.start({
			upstream: { url: upstream.url, timeout: 30_000 },
			routes: platforms.map((platform) => platform.route({ late })),
		})
		const take = turnsWith(trial, gateway)
		const stored = new Set<unknown>()
		let read = 0
		const isStored = (text: string) => {
			for (const { msg, turn, did } of gateway.lines.slice(read)) if (msg === 'late' && did === 'kept') stored.add(turn)
			read = gateway.lines.length
			return stored.has(turnIds.get(text))
		}

		const count = trial.at(100, 500, 1000)
		const talks = await each(count, 200, async (n) => {
			await wait(trial.random() * 500)
			const platform = nth(platforms, n)
			const say = async (text: string) => {
				const turn = await take(platform, undefined, { text, conversation: `c${n}`, id: text })
				const shown = turn.answer.status === 200 ? platform.messagesOf(turn.event, turn.answer) : turn.heard
				return { ...turn, said: noncesIn(shown), held: shown.includes(words) }
			}
			const text = trial.nonce()
			slow.add(text)
			const first = await say(text)
			const wasStored = await until(() => isStored(text), patience)
			// Two at once: one of them brings it.
			const both = await Promise.all([say(trial.nonce()), say(trial.nonce())])
			const end = await say(trial.nonce())
			const brings = both.filter(({ said }) => said.includes(text))
			return {
				...{ platform, wasStored, ms: first.ms, times: brings.length },
				held: first.held && first.said.length === 0,
				ordered: brings.every(({ said }) => said[0] === text && said.length === 2),
				own: both.every((turn) => turn.said.at(-1) === turn.text),
				clean: end.said.length === 1 && end.said[0] === end.text,
				// A quick turn that the machine kept waiting had to be held, too.
				hurried: [...both, end].some(({ held }) => held),
			}
		})

		const broken = faultsOf(gateway)
		const judged = talks.filter(({ hurried }) => !hurried)
		const claim = (what: string, holds: (talk: (typeof talks)[number]) => boolean): number => {
			const not = judged.filter((talk) => !holds(talk))
			if (not.length > 0) broken.push(`${not.length} of ${judged.length}: ${what} (${not[0]?.platform.name})`)
			return judged.length - not.length
		}
		const held = claim('the holding reply did not come alone', (talk) => talk.held)
		claim('the late answer was not stored', ({ wasStored }) => wasStored)
		const once = claim('the late answer did not come with one of the next turns', ({ times }) => times === 1)
		const first = claim('the late answer did not stand first', ({ times, ordered }) => times > 0 && ordered)
		claim('a turn did not get its own answer', (talk) => talk.own)
		const clean = claim('a later turn heard of it again', (talk) => talk.clean)
		const ms = slowest(talks)
		return {
			reached: `${judged.length} conversations on ${platforms.length} platforms: ${held} holding replies, the slowest ${(ms - after).toFixed(0)} ms late; ${once} late answers with the next turn, ${first} of them first, ${judged.length - clean} again in a later turn`,
			broken: [
				...broken,
				...unless(judged.length >= count / 2, `only ${judged.length} of ${count} conversations could be judged`),
				...unless(ms <= 20_000, `a holding reply came after ${ms.toFixed(0)} ms`),
			],
			missed: [
				...over(ms - after, 500, (it) => `a holding reply left ${it} ms late: the machine was busy`),
				...over(count - judged.length, 0, (it) => `${Number(it)} quick turns were held, too: the machine was busy`),
			],
		}
	},
}
