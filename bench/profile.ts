/** Where the time of a turn goes, by the part of the program that takes it: what is left between the gateway and bare Node. */
import * as v from 'valibot'
import { type Experiment, round } from './experiment.ts'
import { type Recorded, type Recording, recordBoth } from './recording.ts'

const recording: Recording = {
	start: [
		['Profiler.enable', {}],
		['Profiler.setSamplingInterval', { interval: 200 }],
		['Profiler.start', {}],
	],
	stop: 'Profiler.stop',
}

const Profile = v.object({
	nodes: v.array(
		v.object({
			id: v.number(),
			callFrame: v.object({ functionName: v.string(), url: v.string() }),
			children: v.optional(v.array(v.number()), []),
		}),
	),
	samples: v.array(v.number()),
	/** Microseconds before each sample. */
	timeDeltas: v.array(v.number()),
})

type Profile = v.InferOutput<typeof Profile>

export const profile: Experiment = {
	...{ id: 'Profile', title: 'Where the time of a turn goes' },
	async run(trial) {
		const { gateway, bare } = await recordBoth(trial, recording)
		const ours = timeByPart(gateway)
		const others = timeByPart(bare)
		const parts = [...new Set([...ours.keys(), ...others.keys()])]
		const most = parts.toSorted((a, b) => (ours.get(b) ?? 0) - (ours.get(a) ?? 0))
		const row = (part: string): string[] => [part, round(ours.get(part) ?? 0), round(others.get(part) ?? 0)]
		return {
			head: ['µs a turn', 'Dragoman', 'Bare Node'],
			rows: [...most.map(row), ['All', round(sum(ours)), round(sum(others))]],
			figures: {},
			targets: [],
		}
	},
}

/** Microseconds a turn, by part. */
function timeByPart({ recorded, turns }: Recorded): ReadonlyMap<string, number> {
	const { nodes, samples, timeDeltas } = v.parse(Profile, recorded)
	const parts = partsOf(nodes)
	const times = new Map<string, number>()
	for (const [i, id] of samples.entries()) {
		const part = parts.get(id)
		if (part !== undefined) times.set(part, (times.get(part) ?? 0) + (timeDeltas[i] ?? 0) / turns)
	}
	return times
}

/** The part of each node. A node that waits has none. */
function partsOf(nodes: Profile['nodes']): ReadonlyMap<number, string> {
	const byId = new Map(nodes.map((node) => [node.id, node]))
	const parts = new Map<number, string>()
	const visit = (id: number, caller: string): void => {
		const node = byId.get(id)
		if (!node || node.callFrame.functionName === '(idle)') return
		const part = partOf(node.callFrame) ?? caller
		parts.set(id, part)
		for (const child of node.children) visit(child, part)
	}
	const [root] = nodes
	if (root) visit(root.id, outside)
	return parts
}

const outside = 'Outside JavaScript: sockets, the kernel'

/** Undefined: a function of the engine, which belongs to its caller. */
function partOf({ functionName, url }: Profile['nodes'][number]['callFrame']): string | undefined {
	if (functionName === '(garbage collector)') return 'Collecting garbage'
	if (functionName === '(program)') return outside
	if (url.startsWith('node:')) return 'Node'
	const installed = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1]
	if (installed !== undefined) return `\`${installed}\``
	const room = /\/(src\/[^/.]+|adapters|bench)\/[^/].*$/.exec(url)?.[1]
	return room && `\`${room}\``
}

function sum(times: ReadonlyMap<string, number>): number {
	return [...times.values()].reduce((total, time) => total + time, 0)
}
