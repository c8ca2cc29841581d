/** P8: what a byte of a call costs, from small calls to large ones, against parsing and writing the same JSON. */
import { compare, figure, type Subject } from './compare.ts'
import { type Experiment, round } from './experiment.ts'
import { peers } from './peers.ts'
import { startUpstream } from './turns.ts'
import { call, target } from './work.ts'

/** Bytes of a call. */
const sizes = [
	{ name: '1 kB', bytes: 1000 },
	{ name: '100 kB', bytes: 100_000 },
	{ name: '1 MB', bytes: 1_000_000 },
]

const most = 2.5

export const largeBodies: Experiment = {
	...{ id: 'P8', title: 'Calls of one kilobyte to one megabyte' },
	async run(trial) {
		const upstream = await startUpstream(trial)
		const programs = peers.filter(({ id }) => id === 'gateway' || id === 'bare')
		const running = await Promise.all(
			programs.map(async ({ id, start }) => ({ id, running: await start(trial, `${upstream.url}/hook`) })),
		)
		const subjects = sizes.flatMap(({ name, bytes }) =>
			running.map((program): Subject => ({ ...program, id: `${program.id} ${name}`, target, call: callOf(bytes) })),
		)
		// Large calls are slow: what matters in them is compiled long before they are that many.
		const samples = await compare(trial, subjects, 8, { ...trial.pace, warmTurns: 0 })
		const figures = Object.fromEntries(
			sizes.flatMap(({ name, bytes }) => {
				const nanoseconds = (micros: number): number => (micros * 1000) / bytes
				return [
					[`json ${name}`, nanoseconds(parseAndWrite(callOf(bytes)))],
					...programs.map(({ id }) => [`${id} ${name}`, nanoseconds(figure(samples, `${id} ${name}`, 'cpu').median)]),
				]
			}),
		)
		const of = (key: string): number => figures[key] ?? Number.NaN
		// A small call costs what a turn costs, whatever is in it.
		const large = sizes.slice(1)
		return {
			head: ['A call of', 'JSON alone, ns a byte', 'bare Node', 'Dragoman', 'Dragoman against JSON alone'],
			rows: sizes.map(({ name }) => [
				name,
				round(of(`json ${name}`)),
				round(of(`bare ${name}`)),
				round(of(`gateway ${name}`)),
				`${round(of(`gateway ${name}`) / of(`json ${name}`))} ×`,
			]),
			figures,
			targets: large.map(({ name }) => ({
				what: `CPU a byte of ${name}, against JSON.parse and JSON.stringify`,
				reached: of(`gateway ${name}`) / of(`json ${name}`),
				...{ bound: 'most', limit: most },
			})),
		}
	},
}

/** A call of this many bytes: as many attributes as there may be, and what is left in their values. */
function callOf(bytes: number): string {
	const known = JSON.parse(call)
	const count = Math.min(900, Math.floor(bytes / 100))
	const length = Math.floor((bytes - call.length) / count) - '"attribute 000":"",'.length
	const text = 'The parcel is on its way, and will be with you on Friday morning. '
	const value = text.repeat(Math.ceil(length / text.length)).slice(0, Math.max(0, length))
	const more = Array.from({ length: count }, (_, i) => [`attribute ${String(i).padStart(3, '0')}`, value])
	return JSON.stringify({ ...known, attributes: { ...known.attributes, ...Object.fromEntries(more) } })
}

/** Microseconds of CPU to parse and write a text, as compiled as it becomes. */
function parseAndWrite(text: string): number {
	const times = Math.ceil(50_000_000 / text.length)
	for (let i = 0; i < times / 2; i++) JSON.stringify(JSON.parse(text))
	const from = process.cpuUsage()
	for (let i = 0; i < times; i++) JSON.stringify(JSON.parse(text))
	const { user, system } = process.cpuUsage(from)
	return (user + system) / times
}
