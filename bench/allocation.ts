/**
 * What a turn allocates, and who allocates it: a figure that other work on the machine does not change. Garbage costs time,
 * and the more of it turns in flight hold, the more is copied at each collection.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import * as v from 'valibot'
import { folder } from '../test/harness/scope.ts'
import { type Experiment, round, type Trial } from './experiment.ts'
import { load } from './load.ts'
import { configOf, startGateway } from './peers.ts'
import { type Running, run } from './processes.ts'
import { startUpstream } from './turns.ts'
import { call, target } from './work.ts'

/** Functions to name. */
const named = 20

/** Starts to record what is allocated when it is asked to, and at the second time writes the record to a file. */
const recorder = (file: string) => `
	import { writeFileSync, renameSync } from 'node:fs'
	import { Session } from 'node:inspector'
	const file = ${JSON.stringify(file)}
	const session = new Session()
	session.connect()
	process.once('SIGUSR2', () => {
		session.post('HeapProfiler.startSampling', {
			samplingInterval: 8192,
			includeObjectsCollectedByMajorGC: true,
			includeObjectsCollectedByMinorGC: true,
		})
		process.once('SIGUSR2', () => {
			session.post('HeapProfiler.stopSampling', (_, { profile }) => {
				writeFileSync(file + '.part', JSON.stringify(profile.head))
				renameSync(file + '.part', file)
			})
		})
	})
`

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

export const allocation: Experiment = {
	...{ id: 'Allocation', title: 'What a turn allocates' },
	async run(trial) {
		const upstream = await startUpstream(trial)
		const hook = `${upstream.url}/hook`
		const home = folder(trial)
		const options = (id: string): string[] => {
			return ['--import', `data:text/javascript,${encodeURIComponent(recorder(join(home, id)))}`]
		}
		const gateway = await startGateway(trial, configOf(hook), { args: options('gateway') })
		const program = fileURLToPath(new URL('peers/bare.mjs', import.meta.url))
		const args = [...options('bare'), program, hook]
		const bare = await run(trial, { command: process.execPath, args, folder: home })
		const ours = await record(trial, gateway, join(home, 'gateway'))
		const others = await record(trial, bare, join(home, 'bare'))
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
async function record(trial: Trial, { pid, url }: Running, file: string): Promise<ReadonlyMap<string, number>> {
	const { warmUp, warmTurns, round } = trial.pace
	const body = `${file}.call`
	writeFileSync(body, call)
	for (let turns = 0, spent = 0; turns < warmTurns && spent < 3 * warmUp; spent += warmUp) {
		turns += (await load(`${url}${target}`, body, 32, warmUp)).turns
	}
	process.kill(pid, 'SIGUSR2')
	await wait(100)
	const { turns } = await load(`${url}${target}`, body, 32, round)
	process.kill(pid, 'SIGUSR2')
	while (!existsSync(file)) await wait(50)
	const sizes = new Map<string, number>()
	count(v.parse(Frame, JSON.parse(readFileSync(file, 'utf8'))), 'Node', sizes)
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
