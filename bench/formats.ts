/** P10: a turn of every platform with every upstream. */
import { fitReply } from '../src/fit/index.ts'
import type { CanonicalReply } from '../src/model/index.ts'
import { answered, oneEach, type Platform } from '../test/harness/platforms.ts'
import { openConnections, requestOf } from './connections.ts'
import { type Experiment, round, type Trial } from './experiment.ts'
import { startGateway } from './peers.ts'
import type { Running } from './processes.ts'
import { cpuOf, inSlices } from './slices.ts'
import { startUpstream } from './turns.ts'
import { reply } from './work.ts'

/** The formats whose answers are read. */
const formats = oneEach.filter((platform) => answered.includes(platform))

/** Bytes of each call and of each reply. They are the same for every format, so that a wordy one has no more to transfer. */
const size = 800

/** How many turns a slice of a pair has. */
const turns = 320

const slices = { warm: 15, measured: 30 }

interface Pair {
	/** Its route. */
	readonly name: string
	readonly platform: Platform
	readonly upstream: Platform
}

const pairs = formats.flatMap((platform) =>
	formats.map((upstream): Pair => ({ name: `${platform.name}-${upstream.name}`, platform, upstream })),
)

export const everyFormat: Experiment = {
	...{ id: 'P10', title: 'A turn of every platform with every upstream' },
	async run(trial) {
		const { pid, url } = await startPairs(trial)
		const sockets = await openConnections(trial, url, 32)
		const taken = await inSlices(
			pairs.map((pair) => ({ id: pair.name, take: () => cpuOf(pid, sockets, callsOf(pair)) })),
			slices,
		)
		const medianOf = ({ name }: Pair): number => taken.get(name)?.median ?? Number.NaN
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

/** Starts a gateway with a route for each pair, and an upstream of each format. */
async function startPairs(trial: Trial): Promise<Running> {
	const urls = new Map<Platform, string>()
	for (const format of formats) urls.set(format, (await startUpstream(trial, 'answer', replyOf(format))).url)
	const routes = pairs.map(({ name, platform, upstream }) => {
		const to = { ...upstream.upstream(`${urls.get(upstream)}/hook`), concurrency: 10_000 }
		return platform.route({ upstream: to }, name)
	})
	return startGateway(trial, { routes })
}

let calls = 0

/** The calls of a pair, each with an event id of its own, in a thousand conversations. */
function callsOf({ name, platform: { adapter, event } }: Pair): Buffer[] {
	return Array.from({ length: turns }, () => {
		const ids = { id: `event-${++calls}`, conversation: `conversation-${calls % 1000}` }
		const { headers, body } = ofSize((more) => adapter.event.encode(event(`Where is my parcel?${more}`, ids)))
		return requestOf(`/${name}`, body, headers)
	})
}

/** The same reply in a format, as far as the format can express it. */
function replyOf({ adapter, event }: Platform): string {
	const { messages, ...others }: CanonicalReply = JSON.parse(reply)
	const leg = adapter.reply(event('Where is my parcel?', { conversation: 'conversation' }))
	if (!leg) throw new Error('no answer is read')
	const context = { turnId: 'turn', receivedAt: '2026-01-01T00:00:00.000Z' }
	return ofSize((more) => {
		const longer = messages.map((each) => (each.type === 'text' ? { ...each, text: each.text + more } : each))
		return leg.encode(fitReply({ messages: longer, ...others }, leg, context).value)
	}).body
}

/** A message of `size` bytes: its text is longer where the format itself takes fewer. */
function ofSize<Wire extends { readonly body: string }>(write: (more: string) => Wire): Wire {
	const missing = size - write('').body.length
	const made = write(' It is for my neighbour.'.repeat(Math.ceil(missing / 24)).slice(0, missing))
	if (made.body.length !== size) throw new Error(`a message has ${made.body.length} bytes`)
	return made
}
