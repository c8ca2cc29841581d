/**
 * What a turn allocates, and who allocates it: a figure that other work on the machine does not change. Garbage costs time,
 * and the more of it turns in flight hold, the more is copied at each collection.
 */
import { join } from 'node:path'
import * as v from 'valibot'
import { folder } from '../test/harness/scope.ts'
import { type Experiment, round, type Trial } from './experiment.ts'
import { configOf, startBare, startGateway } from './peers.ts'
import type { Running } from './processes.ts'
import { type Recording, record, recorder } from './recording.ts'
import { startUpstream } from './turns.ts'

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

const Recorded = v.object({ head: Frame })

export const allocation: Experiment = {
	...{ id: 'Allocation', title: 'What a turn allocates' },
	async run(trial) {
		const upstream = await startUpstream(trial)
		const hook = `${upstream.url}/hook`
		const home = folder(trial)
		const files = { gateway: join(home, 'gateway'), bare: join(home, 'bare') }
		const gateway = await startGateway(trial, configOf(hook), { args: recorder(recording, files.gateway) })
		const bare = await startBare(trial, hook, recorder(recording, files.bare))
		const ours = await bytesByFunction(trial, gateway, files.gateway)
		const others = await bytesByFunction(trial, bare, files.bare)
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
async function bytesByFunction(trial: Trial, running: Running, file: string): Promise<ReadonlyMap<string, number>> {
	const { recorded, turns } = await record(trial, running, file)
	const sizes = new Map<string, number>()
	count(v.parse(Recorded, recorded).head, 'Node', sizes)
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
