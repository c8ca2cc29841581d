/** P4: the memory of turns that wait for a slow upstream. */
import { setTimeout as wait } from 'node:timers/promises'
import { createClient } from '../test/harness/http.ts'
import { type Experiment, round, type Trial } from './experiment.ts'
import { configOf, startBare, startGateway } from './peers.ts'
import { type Running, residentBytes } from './processes.ts'
import { startUpstream } from './turns.ts'
import { call, event, target } from './work.ts'

const turns = 5000

/** Turns that begin at the same time: on a busy machine, more connections at once would time out. */
const portion = 100

/** Collects garbage and tells the heap in use, when it is asked to. */
const heapTeller = `process.on('SIGUSR2', () => { gc(); console.error('heap', process.memoryUsage().heapUsed) })`

/** Portions that come and go first: what waits in code that is not compiled yet holds more, also what it needs no more. */
const warmUp = 40

/**
 * Milliseconds without a new call before garbage is collected and memory is read. Right after a call, resident memory
 * depends on chance: young objects may be in new pages or in those that the process had before.
 */
const rest = 1000

/** The gateway accepts fewer connections: no setting raises that. */
const unlimited = `
	import { Server } from 'node:net'
	Object.defineProperty(Server.prototype, 'maxConnections', { get: () => undefined, set() {} })
`

/** Bytes that a waiting turn takes. */
interface Taken {
	readonly resident: number
	readonly heap: number
	/** Turns that were not answered with 200. */
	readonly failed: number
}

export const waiting: Experiment = {
	...{ id: 'P4', title: `${turns.toLocaleString('en')} turns that wait for a slow upstream` },
	async run(trial) {
		const options = ['--expose-gc', '--import', asModule(heapTeller), '--import', asModule(unlimited)]
		const upstream = await startUpstream(trial, 'hold')
		const hook = `${upstream.url}/hook`
		// A platform without a deadline: it takes long to begin that many turns.
		const routes = [{ name: 'bench', path: '/bench', platform: 'canonical' }]
		const config = { ...configOf(hook, { timeout: 120_000 }), routes }
		const gateway = await measure(trial, upstream, await startGateway(trial, config, { args: options }), event)
		const bare = await measure(trial, upstream, await startBare(trial, hook, options), call)
		const kibibytes = (bytes: number): string => round(bytes / 1024)
		return {
			head: ['', 'Memory of a waiting turn, KiB', 'of it on the heap, KiB', 'Failed'],
			rows: [
				['Dragoman', kibibytes(gateway.resident), kibibytes(gateway.heap), String(gateway.failed)],
				['Bare Node', kibibytes(bare.resident), kibibytes(bare.heap), String(bare.failed)],
			],
			figures: { 'gateway resident': gateway.resident, 'gateway heap': gateway.heap, 'bare resident': bare.resident },
			targets: [
				{ what: 'memory against bare Node', reached: gateway.resident / bare.resident, bound: 'most', limit: 1.4 },
				{ what: 'heap against bare Node', reached: gateway.heap / bare.heap, bound: 'most', limit: 1.4 },
				{ what: 'failed turns', reached: gateway.failed, bound: 'most', limit: 0, unit: '' },
			],
		}
	},
}

function asModule(text: string): string {
	return `data:text/javascript,${encodeURIComponent(text)}`
}

async function measure(
	trial: Trial,
	upstream: Running,
	{ pid, url, said, end }: Running,
	body: string,
): Promise<Taken> {
	const client = createClient(url, { oneCallEach: true, patience: 120_000 })
	trial.after(client.close)
	const begun: Promise<number>[] = []
	const waiting = async (count: number): Promise<void> => {
		for (let tries = 0; Number(await textOf(upstream.url)) < count; tries++) {
			if (tries > 1000)
				throw new Error(`only ${await textOf(upstream.url)} of ${count} turns have reached the upstream`)
			await wait(20)
		}
	}
	const begin = async (count: number): Promise<void> => {
		const from = begun.length
		while (begun.length < from + count) {
			const id = String(begun.length).padStart(24, '0')
			const filled = body.replace('{{id}}', id).replace('{{conversation}}', id)
			begun.push(client.send({ path: target, body: filled }).then(({ status }) => status))
		}
		await waiting(begun.length - released)
	}
	let released = 0
	const release = async (): Promise<readonly number[]> => {
		await textOf(`${upstream.url}/release`)
		released = begun.length
		return Promise.all(begun)
	}
	const used = async (): Promise<{ readonly heap: number; readonly resident: number }> => {
		await wait(rest)
		const before = said().length
		process.kill(pid, 'SIGUSR2')
		for (;;) {
			const told = /^heap (\d+)$/m.exec(said().slice(before))?.[1]
			if (told !== undefined) return { heap: Number(told), resident: residentBytes(pid) }
			await wait(20)
		}
	}
	for (let n = 0; n < warmUp; n++) {
		await begin(portion)
		await release()
	}
	const before = await used()
	for (let count = 0; count < turns; count += portion) await begin(portion)
	const after = await used()
	const failed = (await release()).filter((status) => status !== 200).length
	await end()
	return { resident: (after.resident - before.resident) / turns, heap: (after.heap - before.heap) / turns, failed }
}

async function textOf(url: string): Promise<string> {
	return (await fetch(url)).text()
}
