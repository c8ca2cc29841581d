/** P8: what a byte of a call costs, from small calls to large ones, against parsing and writing the same JSON. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { folder } from '../test/harness/scope.ts'
import { openConnections, requestOf } from './connections.ts'
import { type Experiment, round, type Trial } from './experiment.ts'
import { peers } from './peers.ts'
import { busyMicroseconds } from './processes.ts'
import { cpuOf, inSlices, type Subject } from './slices.ts'
import { startUpstream } from './turns.ts'
import { call, target } from './work.ts'

/** Sizes of a call in bytes, and how many calls of each a slice has. */
const sizes = [
	{ name: '1 kB', bytes: 1000, turns: 320 },
	{ name: '100 kB', bytes: 100_000, turns: 64 },
	{ name: '1 MB', bytes: 1_000_000, turns: 24 },
]

const slices = { warm: 20, measured: 40 }

/** How many times as long as the JSON alone a large call may take. */
const mostAgainstJson = 2.5

export const largeBodies: Experiment = {
	...{ id: 'P8', title: 'Calls of one kilobyte to one megabyte' },
	async run(trial) {
		const upstream = await startUpstream(trial)
		const programs = await Promise.all(
			peers
				.filter(({ id }) => id === 'gateway' || id === 'bare')
				.map(async ({ id, start }) => {
					const { pid, url } = await start(trial, `${upstream.url}/hook`)
					return { id, pid, sockets: await openConnections(trial, url, 8) }
				}),
		)
		const taken = await inSlices(
			sizes.flatMap(({ name, bytes, turns }): Subject[] => {
				const text = callOf(bytes)
				return [
					{ id: `json ${name}`, take: startJson(trial, text) },
					...programs.map(({ id, pid, sockets }) => ({
						id: `${id} ${name}`,
						take: () => cpuOf(pid, sockets, callsOf(text, turns)),
					})),
				]
			}),
			slices,
		)
		const figures = Object.fromEntries(
			sizes.flatMap(({ name, bytes }) =>
				['json', 'bare', 'gateway'].map((id) => {
					const micros = taken.get(`${id} ${name}`)?.median ?? Number.NaN
					return [`${id} ${name}`, (micros * 1000) / bytes]
				}),
			),
		)
		const of = (key: string): number => figures[key] ?? Number.NaN
		// A small call costs what a turn costs, whatever is in it.
		const large = sizes.slice(1)
		return {
			head: [
				...['A call of', 'JSON alone, ns a byte', 'bare Node', 'Dragoman'],
				...['bare Node against JSON alone', 'Dragoman against JSON alone', 'Dragoman against bare Node'],
			],
			rows: sizes.map(({ name }) => {
				const [json, bare, gateway] = [of(`json ${name}`), of(`bare ${name}`), of(`gateway ${name}`)]
				const ratios = [bare / json, gateway / json, gateway / bare]
				return [name, ...[json, bare, gateway].map(round), ...ratios.map((ratio) => `${round(ratio)} ×`)]
			}),
			figures,
			targets: large.map(({ name }) => ({
				what: `CPU a byte of ${name}, against JSON.parse and JSON.stringify`,
				reached: of(`gateway ${name}`) / of(`json ${name}`),
				...{ bound: 'most', limit: mostAgainstJson },
			})),
		}
	},
}

/** A call of this many bytes: it has as many attributes as an event may have, and their values fill the rest. */
function callOf(bytes: number): string {
	const known = JSON.parse(call)
	const count = Math.min(900, Math.floor(bytes / 100))
	const length = Math.floor((bytes - call.length) / count) - '"attribute 000":"",'.length
	const text = 'The parcel is on its way, and will be with you on Friday morning. '
	const value = text.repeat(Math.ceil(length / text.length)).slice(0, Math.max(0, length))
	const more = Array.from({ length: count }, (_, i) => [`attribute ${String(i).padStart(3, '0')}`, value])
	return JSON.stringify({ ...known, attributes: { ...known.attributes, ...Object.fromEntries(more) } })
}

let calls = 0

/** So many calls of this text, each with an event id of its own, in a thousand conversations. */
function callsOf(text: string, count: number): Buffer[] {
	return Array.from({ length: count }, () => {
		const body = text.replace('{{id}}', `event-${++calls}`).replace('{{conversation}}', `conversation-${calls % 1000}`)
		return requestOf(target, body)
	})
}

/** Starts a process that only parses and writes a text. A slice of its work is six megabytes. */
function startJson(trial: Trial, text: string): () => Promise<number> {
	const file = join(folder(trial), 'call')
	writeFileSync(file, text)
	const program = fork(fileURLToPath(new URL('peers/json.mjs', import.meta.url)), [file])
	trial.after(() => program.kill())
	const [pid = 0, times] = [program.pid, Math.ceil(6_000_000 / text.length)]
	return async () => {
		const before = busyMicroseconds(pid)
		program.send(times)
		await once(program, 'message')
		return (busyMicroseconds(pid) - before) / times
	}
}
