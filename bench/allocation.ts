/**
 * What a turn allocates, and who allocates it: a figure that other work on the machine does not change. Garbage costs time,
 * and the more of it turns in flight hold, the more is copied at each collection.
 */
import * as v from 'valibot'
import { type Experiment, round } from './experiment.ts'
import { type Recorded, type Recording, recordBoth } from './recording.ts'

/** Functions to name. */
const named = 20

const settings = {
	samplingInterval: 8192,
	includeObjectsCollectedByMajorGC: true,
	includeObjectsCollectedByMinorGC: true,
}

const recording: Recording = {
	start: [['HeapProfiler.startSampling', settings]],
	stop: 'HeapProfiler.stopSampling',
}

/** A function that was called from another, and the bytes that it allocated. */
interface Frame {
	readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number }
	readonly selfSize: number
	readonly children: readonly Frame[]
}

const Frame: v.GenericSchema<unknown, Frame> = v.object({
	callFrame: v.object({ functionName: v.string(), url: v.string(), lineNumber: v.number() }),
	selfSize: v.number(),
	children: v.array(v.lazy(() => Frame)),
})

const Allocations = v.object({ head: Frame })

export const allocation: Experiment = {
	...{ id: 'Allocation', title: 'What a turn allocates' },
	async run(trial) {
		const { gateway, bare } = await recordBoth(trial, recording)
		const ours = bytesByFunction(gateway)
		const others = bytesByFunction(bare)
		const bytes = sum(ours.values())
		const most = [...ours].toSorted(([, a], [, b]) => b - a).slice(0, named)
		return {
			head: ['The function of ours that allocates, or calls what does', 'kB a turn'],
			rows: [
				['Dragoman', round(bytes / 1000)],
				['Bare Node', round(sum(others.values()) / 1000)],
				...most.map(([name, size]) => [`\`${name}\``, round(size / 1000)]),
			],
			figures: { 'allocated, bytes': bytes },
			targets: [],
		}
	},
}

/** Bytes a turn by function. */
function bytesByFunction({ recorded, turns }: Recorded): ReadonlyMap<string, number> {
	const sizes = new Map<string, number>()
	count(v.parse(Allocations, recorded).head, 'Node', sizes)
	return new Map(Array.from(sizes, ([name, size]) => [name, size / turns]))
}

/** Adds up what functions allocate, each under the nearest function of the project that calls it. */
function count({ callFrame, selfSize, children }: Frame, caller: string, sizes: Map<string, number>): void {
	const { functionName, url, lineNumber } = callFrame
	const place = /\/((?:src|adapters)\/[^/].*)$/.exec(url)?.[1]
	const name = place === undefined ? caller : `${functionName || '(anonymous)'} ${place}:${lineNumber + 1}`
	sizes.set(name, (sizes.get(name) ?? 0) + selfSize)
	for (const child of children) count(child, name, sizes)
}

function sum(values: Iterable<number>): number {
	return [...values].reduce((total, value) => total + value, 0)
}
