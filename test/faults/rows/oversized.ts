/** Replies larger than anybody takes. */
import { answer, pours, repliesAfter, replyTo } from '../behaviours.ts'
import { type Started, startGateway } from '../gateway.ts'
import { faultsOf, over, readBy, watchMemory } from '../health.ts'
import { oneOf, randomFrom } from '../random.ts'
import type { Row } from '../row.ts'
import { callerOf, each, nonces, speaker, tally, unexpected } from '../turns.ts'
import { faultUpstream } from '../upstream.ts'

/** Bytes that a reply of an upstream may have, and one to ChatBot: https://www.chatbot.com/docs/webhooks/ */
const limits = { upstream: 1024 * 1024, platform: 100_000 }

export const oversized: Row = {
	id: 'A7',
	fault: 'A reply of 100 kB and one byte up to 1 GB, declared or in chunks without end',
	demand:
		'given up 64 kB past the limit at most; memory grows by 20 MB at most with 50 at once; 10,000 random replies: 100 % at most 100,000 bytes to ChatBot',
	async run(trial) {
		const random = randomFrom(trial.seed)
		const upstream = await faultUpstream(trial, {
			echo: { act: repliesAfter(0) },
			declared: { act: pours(false) },
			chunked: { act: pours(true) },
			large: {
				act: (line, call) => line.write(answer(largeReply(replyTo(call), random))),
			},
		})
		const own = speaker('canonical')
		const chatbots = [speaker('chatbot-v1'), speaker('chatbot-v2')]
		const gateway = await startGateway(trial, {
			upstream: { url: upstream.at('large') },
			routes: [
				...['echo', 'declared', 'chunked'].map((name) => own.route(name, { upstream: { url: upstream.at(name) } })),
				...chatbots.map((each) => each.route(each.name)),
			],
		})
		const caller = callerOf(trial, gateway.url)
		const nonce = nonces(trial.seed)
		const take = (path: string) => caller.take(own, path, own.event(nonce()))
		const broken: string[] = []
		const missed: string[] = []
		const figures: string[] = []

		// What a process grows by when it does anything often for the first time is not what large replies cost.
		await each(trial.at(1500, 3000, 3000), 50, (n) => take(n % 10 === 0 ? 'declared' : 'echo'))
		for (const way of ['declared', 'chunked'] as const) {
			const { heard, read, grown } = await measured(gateway, () => each(50, 50, () => take(way)))
			broken.push(...unexpected(heard, ['upstream-reply-too-large']))
			const past = way === 'declared' ? read : read - limits.upstream / 1024
			figures.push(`${way}: ${past.toFixed(0)} kB read past the limit, memory grew by ${grown.toFixed(1)} MB`)
			if (past > limits.upstream / 1024) broken.push(`a ${way} reply was read ${past.toFixed(0)} kB past the limit`)
			missed.push(
				...over(
					past,
					64,
					(it) => `${it} kB read past the limit of a ${way} reply: what was on its way is read, and dropped`,
				),
				...over(
					grown,
					20,
					(it) =>
						`${it} MB for 50 ${way} replies at once: each is read until it is past its limit of 1 MiB, and what was read is freed when the runtime sees fit, however few are held at once`,
				),
			)
		}

		const turns = await each(trial.at(30, 250, 2000), 8, async () => {
			const chatbot = oneOf(chatbots, random)
			return caller.take(chatbot, chatbot.name, chatbot.event(nonce()))
		})
		const heard = turns.map((turn) => turn.heard)
		const largest = Math.max(...turns.map(({ answer }) => Buffer.byteLength(answer.body)))
		if (largest > limits.platform) broken.push(`ChatBot was sent ${largest} bytes`)
		broken.push(...faultsOf(gateway), ...unexpected(heard, ['reply']))
		figures.push(`${turns.length} random replies: ${tally(heard)}, the largest answer ${largest} bytes`)
		return { reached: figures.join('; '), broken, missed }
	},
}

/** A reply of up to half a megabyte that begins with the words of this one. */
function largeReply(reply: string, random: () => number): string {
	const { messages } = JSON.parse(reply)
	const size = 50_000 + random() * 450_000
	for (let bytes = 0; bytes < size; ) {
		const text = oneOf(['word ', 'x', '😀', 'é\n'], random).repeat(1 + random() * 20_000)
		bytes += text.length
		messages.push({ type: 'text', text }, { type: 'image', url: `https://shop.example/${text.length}.png` })
	}
	return JSON.stringify({ messages })
}

/** What turns came to, and for each of them the kilobytes that the gateway read; its memory's growth in megabytes. */
async function measured(gateway: Started, take: () => ReturnType<typeof each<{ heard: string }>>) {
	const grown = watchMemory(gateway)
	const before = readBy(gateway)
	const turns = await take()
	const read = ((readBy(gateway) - before) * 1024) / turns.length
	return { heard: turns.map(({ heard }) => heard), read, grown: grown() }
}
