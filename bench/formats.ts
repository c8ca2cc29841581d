/** P10: a turn of every platform with every upstream, inside one process without a network. */

import { fitReply } from '../src/fit/index.ts'
import type { WireResponse } from '../src/format/index.ts'
import type { CanonicalReply } from '../src/model/index.ts'
import type { OutgoingCall } from '../src/runtime.ts'
import { starter } from '../test/harness/gateway.ts'
import { answered, oneEach, type Platform } from '../test/harness/platforms.ts'
import { spreadOf } from './compare.ts'
import { type Experiment, round, type Trial } from './experiment.ts'
import { reply } from './work.ts'

/** Turns until the code is compiled, and turns that are measured, of each pair at a time. */
const turns = { warm: 2000, measured: 1000 }

const rounds = 5

/** Those that answer, in the same format on both sides. */
const formats = oneEach.filter((platform) => answered.includes(platform))

interface Pair {
	readonly platform: Platform
	readonly upstream: Platform
	take(count: number): Promise<number>
}

export const everyFormat: Experiment = {
	...{ id: 'P10', title: 'A turn of every platform with every upstream' },
	async run(trial) {
		const pairs: Pair[] = []
		for (const platform of formats) for (const upstream of formats) pairs.push(await pairOf(trial, platform, upstream))
		for (const pair of pairs) await pair.take(turns.warm)
		const micros = new Map<Pair, number[]>(pairs.map((pair) => [pair, []]))
		for (let n = 0; n < rounds; n++) {
			for (const pair of pairs) micros.get(pair)?.push(await pair.take(turns.measured))
		}
		const medianOf = (pair: Pair): number => spreadOf(micros.get(pair) ?? []).median
		const medians = pairs.map(medianOf).toSorted((a, b) => a - b)
		const [fastest = Number.NaN, slowest = Number.NaN] = [medians[0], medians.at(-1)]
		return {
			head: ['Platform \\ upstream, µs', ...formats.map(({ name }) => name)],
			rows: formats.map((platform) => [
				platform.name,
				...pairs.filter((pair) => pair.platform === platform).map((pair) => round(medianOf(pair))),
			]),
			figures: { fastest, slowest },
			targets: [
				{ what: 'the slowest pair against the fastest', reached: slowest / fastest, bound: 'most', limit: 1.5 },
			],
		}
	},
}

async function pairOf(trial: Trial, platform: Platform, upstream: Platform): Promise<Pair> {
	const config = { upstream: upstream.upstream('http://upstream.test/'), routes: [platform.route()] }
	const answer = answerOf(upstream)
	const gateway = await starter(trial)(config, { as: 'inside', replace: () => ({ send: answer, log() {} }) })
	let calls = 0
	return {
		...{ platform, upstream },
		async take(count) {
			// The calls are there before: only the gateway's work counts.
			const sent = Array.from({ length: count }, () => {
				const id = `event-${++calls}`
				return platform.call(
					platform.event('Where is my parcel?', { id, conversation: `conversation-${calls % 1000}` }),
				)
			})
			const from = process.threadCpuUsage()
			for (const call of sent) {
				const { status, body } = await gateway.send(call)
				if (status !== 200) throw new Error(`${platform.name} to ${upstream.name}: ${status} ${body}`)
			}
			const { user, system } = process.threadCpuUsage(from)
			return (user + system) / count
		},
	}
}

/** The same reply in every format, as far as it can say it: made once, because only the gateway's work counts. */
function answerOf({ adapter }: Platform) {
	const said: CanonicalReply = JSON.parse(reply)
	let made: WireResponse | undefined
	return async (call: OutgoingCall): Promise<WireResponse> => {
		made ??= encode(call)
		return made
	}

	function encode(call: OutgoingCall): WireResponse {
		const { model } = adapter.event.decode({ ...call, query: [...new URL(call.url).searchParams] })
		const leg = adapter.reply(model)
		if (!leg) throw new Error('no answer is read')
		const context = { turnId: 'turn', receivedAt: '2026-01-01T00:00:00.000Z' }
		return leg.encode(fitReply(said, leg, context).value)
	}
}
