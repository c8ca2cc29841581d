/** The generated parts of docs/performance.md and docs/sizing.md, and the chart: from the results that the benchmark keeps. */
import { chart } from '../bench/chart.ts'
import { describeTarget } from '../bench/experiment.ts'
import { peers } from '../bench/peers.ts'
import { defaultConcurrency } from '../src/config/upstreams.ts'
import { limits } from '../src/limits.ts'
import { maxConnections } from '../src/node/listener.ts'
import { replaceBlock } from './generated-block.ts'
import { count, figure, load, notMeasured, orNotMeasured, results } from './measured.ts'
import { table } from './table.ts'

/** The page with the newest result of each experiment. */
export function performancePage(present: string): string {
	const ids = [...present.matchAll(/^<!-- (\w+): written/gm)].map(([, id = '']) => id)
	return ids.reduce((page, id) => replaceBlock(page, id, resultBlock(id)), present)
}

function resultBlock(id: string): string {
	const result = results[id]
	if (!result) return notMeasured(id)
	const { date, machine, versions, head, rows, targets } = result
	const parts = [table(head, rows), targets.map((target) => `- ${describeTarget(target)}`).join('\n')]
	const origin = `${date}: \`npm run bench -- --only ${id}\`, on ${machine}; ${versions}.`
	return [...parts.filter((part) => part !== ''), origin].join('\n\n')
}

/** What a turn costs, side by side. */
export function performanceChart(): string {
	const bars = peers.flatMap(({ id, title }) => {
		const value = results.P1?.figures[`${id} cpu`]
		return value === undefined ? [] : [{ label: title, value, own: id === 'gateway' }]
	})
	return chart(
		'CPU a turn on 32 connections: less is better',
		'µs',
		bars.toSorted((a, b) => a.value - b.value),
	)
}

/** The page on how large a deployment has to be. */
export function sizingPage(present: string): string {
	const blocks = { turns: turnsBlock, waiting: waitingBlock, bodies: bodiesBlock, conversations: conversationsBlock }
	return Object.entries(blocks).reduce((page, [name, write]) => replaceBlock(page, name, orNotMeasured(write)), present)
}

function turnsBlock(): string {
	const rows = [
		['A turn', figure('P1', 'gateway cpu')],
		['A turn whose call to the backend is signed', figure('P1', 'signed cpu')],
		['A one-way event that is stored, then delivered', figure('P9', 'stored cpu')],
	] as const
	return table(
		['', 'CPU, µs', 'a second and core', 'of them at half load'],
		rows.map(([what, cpu]) => [what, count(cpu), count(1e6 / cpu), count((load * 1e6) / cpu)]),
	)
}

function waitingBlock(): string {
	const each = figure('P4', 'gateway resident')
	const rest = figure('P6', 'memory at rest, MB')
	const rows = [0.2, 1, 3, 8].flatMap((seconds) =>
		[100, 500].map((rate) => {
			const inFlight = rate * seconds
			return [`${seconds} s`, count(rate), count(inFlight), `${count(rest + (inFlight * each) / 1e6)} MB`]
		}),
	)
	const slow = 8
	return [
		table(
			['The backend answers after', 'Turns a second', 'Turns in flight', 'Memory, without what is remembered'],
			rows,
		),
		`A process accepts ${maxConnections.toLocaleString('en')} connections, and makes ${defaultConcurrency} calls to an upstream at the same time unless its \`concurrency\` says otherwise; further calls fail at once instead of waiting. So with a backend that takes ${slow} seconds a process takes ${count(defaultConcurrency / slow)} turns a second. If you need more, raise \`concurrency\`, or add a process.`,
	].join('\n\n')
}

function bodiesBlock(): string {
	// Of the same run: figures of two runs cannot be compared.
	const small = figure('P8', 'gateway 1 kB')
	const rows = (
		[
			['1 kB', 1000],
			['100 kB', 100_000],
			['1 MB', 1_000_000],
		] as const
	).map(([name, bytes]) => {
		const micros = (figure('P8', `gateway ${name}`) * bytes) / 1000
		return [name, count(micros / 1000), count(1e6 / micros), count(micros / small)]
	})
	return table(['A call of', 'CPU, ms', 'a second and core', 'as many as of 1 kB'], rows)
}

function conversationsBlock(): string {
	const each = figure('Memory', 'conversation, bytes')
	const { value: percent } = limits.rememberedHeap
	const million = (each * 1e6) / 1e9
	const rows = [2, 4, 8].map((gigabytes) => [
		`${gigabytes} GB`,
		count((gigabytes * 1e9 * percent) / 100 / each),
		count(Math.ceil(1e6 / ((gigabytes * 1e9 * percent) / 100 / each))),
	])
	return [
		`A conversation with ten open choices, a late reply and an answer takes ${count(each)} bytes, so a million take ${count(million)} GB. A process remembers them in ${percent} % of its heap limit, which \`--max-old-space-size\` sets:`,
		table(['Heap limit', 'Conversations that a process remembers', 'Processes for a million'], rows),
		`On Workers each conversation has a Durable Object of its own, so their number has no such limit. A message costs ${figure('P7', 'round trips')} calls of it, and an event with neither an id nor words ${figure('P7', 'round trips, nothing to remember')}; a turn takes ${count(figure('P7', 'workerd cpu'))} µs of CPU in workerd.`,
	].join('\n\n')
}
