/** Replies larger than any platform accepts. */

import type { GatewayProcess } from '../../harness/gateway.ts'
import { own, platforms } from '../../harness/platforms.ts'
import { oneOf } from '../../harness/random.ts'
import { answer, pours, replies, replyTo } from '../behaviours.ts'
import { faultsOf, readBy, watchMemory } from '../health.ts'
import { over, type Row, unless } from '../row.ts'
import { each, heardOf, type Turn, turnsWith, unexpected } from '../turns.ts'

/** Bytes that a reply of an upstream may have, and one to ChatBot: https://www.chatbot.com/docs/webhooks/ */
const limits = { upstream: 1024 * 1024, platform: 100_000 }

/** One upstream may fill half of the budget for replies, which fifty that are read at the same time may exceed. */
const cutOff = {
	declared: ['upstream-reply-too-large'],
	chunked: ['upstream-reply-too-large', 'too-many-replies'],
} as const

export const oversized: Row = {
	id: 'A7',
	fault: 'A reply of 100,001 bytes to 1 GB, with a declared length or in endless chunks',
	demand:
		'cut off at most 64 kB past the limit; memory grows by at most 20 MB with 50 concurrent replies; 10,000 random replies: 100 % at most 100,000 bytes to ChatBot',
	async run(trial) {
		const { random } = trial
		const upstream = await trial.upstream({
			'/echo': replies,
			'/declared': pours(false),
			'/chunked': pours(true),
			'/large': (call) => answer(largeReply(replyTo(call), random)),
		})
		const to = (path: string) => ({ upstream: { url: `${upstream.url}/${path}` } })
		const chatbots = platforms.filter(({ factory }) => factory.name.startsWith('chatbot'))
		const gateway = await trial.start({
			routes: [
				...['echo', 'declared', 'chunked'].map((path) => own.route(to(path), path)),
				...chatbots.map((each) => each.route(to('large'))),
			],
		})
		const take = turnsWith(trial, gateway)
		const broken: string[] = []
		const missed: string[] = []
		const figures: string[] = []

		// What a process grows by when it does anything often for the first time is not what large replies cost.
		await each(trial.at(1500, 3000, 3000), 50, (n) => take(own, n % 10 === 0 ? 'declared' : 'echo'))
		for (const way of ['declared', 'chunked'] as const) {
			const { turns, read, grown } = await measured(gateway, () => each(50, 50, () => take(own, way)))
			broken.push(...unexpected(turns, cutOff[way]))
			const past = way === 'declared' ? read : read - limits.upstream / 1024
			figures.push(
				`${way}: ${heardOf(turns)}, ${past.toFixed(0)} kB read past the limit, memory grew by ${grown.toFixed(1)} MB`,
			)
			if (past > limits.upstream / 1024) broken.push(`a ${way} reply was read ${past.toFixed(0)} kB past the limit`)
			missed.push(
				...over(past, 64, (it) => `${it} kB of a ${way} reply past the limit: data in transit is read and discarded`),
				...over(
					grown,
					20,
					(it) =>
						`${it} MB for 50 ${way} concurrent replies: each is read up to its limit of 1 MiB, and the runtime decides when to free what was read`,
				),
			)
		}

		const turns = await each(trial.at(30, 250, 2000), 8, () => take(oneOf(chatbots, random)))
		const largest = Math.max(...turns.map(({ answer }) => Buffer.byteLength(answer.body)))
		figures.push(`${turns.length} random replies: ${heardOf(turns)}, the largest answer ${largest} bytes`)
		return {
			reached: figures.join('; '),
			broken: [
				...broken,
				...faultsOf(gateway),
				...unexpected(turns, ['reply']),
				...unless(largest <= limits.platform, `ChatBot was sent ${largest} bytes`),
			],
			missed,
		}
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

/** Turns, and for each of them the kilobytes that the gateway read; its memory's growth in megabytes. */
async function measured(gateway: GatewayProcess, take: () => Promise<Turn[]>) {
	const grown = watchMemory(gateway)
	const before = readBy(gateway)
	const turns = await take()
	const read = (readBy(gateway) - before) / turns.length
	return { turns, read, grown: grown() }
}
