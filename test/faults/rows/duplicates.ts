/** Events that their platform sends more than once, at the same time or later. */
import { setTimeout as wait } from 'node:timers/promises'
import { answer, replyTo, status } from '../behaviours.ts'
import { startGateway } from '../gateway.ts'
import { faultsOf } from '../health.ts'
import { oneOf, randomFrom } from '../random.ts'
import type { Row } from '../row.ts'
import { callerOf, each, nonces, speakers, tally, unexpected } from '../turns.ts'
import { faultUpstream } from '../upstream.ts'

export const duplicates: Row = {
	id: 'C1',
	fault: 'A platform sends the same event twice, or several times at once',
	demand:
		'10,000 events sent 1 to 5 times at once, on every platform with an event id: the upstream succeeds once with each, all callers get the same bytes; never by content alone',
	except: 'that answers are remembered for 24 h is not waited for; what is kept in memory is gone with its process',
	async run(trial) {
		const random = randomFrom(trial.seed)
		const fails = status(400)
		/** How often the upstream took each. */
		const taken = new Map<string, number>()
		const failed = new Set<string>()
		const upstream = await faultUpstream(trial, {
			sometimes: {
				async act(line, call) {
					await line.pause(20 * random())
					// A failed first try must not poison the next.
					if (!failed.has(call.nonce) && random() < 0.1) {
						failed.add(call.nonce)
						return fails(line, call)
					}
					const count = (taken.get(call.nonce) ?? 0) + 1
					taken.set(call.nonce, count)
					// Each answer differs, so that the same bytes are the same answer.
					const body = JSON.stringify({ ...JSON.parse(replyTo(call)), attributes: { session: { count: `${count}` } } })
					return line.write(answer(body))
				},
			},
		})
		const known = speakers.filter((speaker) => speaker.event('Hi', { id: 'i' }).id !== undefined)
		const nameless = speakers.filter((speaker) => !known.includes(speaker))
		const gateway = await startGateway(trial, {
			upstream: { url: upstream.at('sometimes') },
			routes: speakers.map((speaker) => speaker.route(speaker.name)),
		})
		const caller = callerOf(trial, gateway.url)
		const nonce = nonces(trial.seed)

		const events = await each(trial.at(300, 5000, 10_000), 32, async () => {
			const speaker = oneOf(known, random)
			const text = nonce()
			const event = speaker.event(text, { id: text, conversation: text })
			const send = async () => {
				const { heard, answer } = await caller.take(speaker, speaker.name, event)
				return { heard, body: answer.body }
			}
			const copies = 1 + Math.floor(5 * random())
			const answers = await Promise.all(Array.from({ length: copies }, () => wait(10 * random()).then(send)))
			// Platforms that got a failure send again; those that got an answer may, too.
			const later = [await send(), await send()]
			const well = [...answers, ...later].filter(({ heard }) => heard !== 'upstream-status')
			return {
				...{ text, copies: copies + 2, heard: [...answers, ...later].map(({ heard }) => heard) },
				same: new Set(well.map(({ body }) => body)).size === 1,
				failures: copies + 2 - well.length,
			}
		})
		const words = await each(trial.at(50, 500, 2000), 32, async () => {
			const speaker = oneOf(nameless, random)
			const event = speaker.event(nonce())
			const both = [1, 2].map(() => caller.take(speaker, speaker.name, event))
			return { text: event.text ?? '', heard: (await Promise.all(both)).map(({ heard }) => heard) }
		})

		const count = (holds: (event: (typeof events)[number]) => boolean) => events.filter((event) => !holds(event)).length
		const once = count(({ text }) => taken.get(text) === 1)
		const same = count((event) => event.same)
		const failures = count((event) => event.failures <= 1)
		const reached = words.filter(({ text }) => (upstream.seen.get(text) ?? 0) !== 2).length
		const heard = events.flatMap((event) => event.heard)
		const broken = [...faultsOf(gateway), ...unexpected(heard, ['reply', 'accepted', 'upstream-status'])]
		if (once > 0) broken.push(`${once} events were not taken once`)
		if (same > 0) broken.push(`${same} events had answers that differ`)
		if (failures > 0) broken.push(`${failures} failures were told to more than one caller`)
		if (reached > 0) broken.push(`${reached} events without an id were taken for one`)
		return {
			reached: `${events.length} events of ${known.map(({ name }) => name).join(', ')} in ${heard.length} calls: ${once} not taken once, ${same} with differing answers (${tally(heard)}); ${words.length} pairs of the same words without an id: ${reached} taken for one`,
			broken,
		}
	},
}
