/** The generated parts of docs/scale.md, from the results that the benchmark keeps. */
import { mostConnections as ofState } from '../src/node/state/postgres-store.ts'
import { replaceBlock } from './generated-block.ts'
import { count, figure, load, orNotMeasured } from './measured.ts'
import { table } from './table.ts'

/** The page on several gateways. */
export function scalePage(present: string): string {
	const blocks = { turns: turnsBlock, events: eventsBlock, database: databaseBlock, model: modelBlock }
	return Object.entries(blocks).reduce((page, [name, write]) => replaceBlock(page, name, orNotMeasured(write)), present)
}

/** What one core of a Node does, with these CPU times in microseconds. */
function perCore(unit: string, rows: readonly (readonly [what: string, cpu: number])[]): string {
	const [[, first] = ['', Number.NaN]] = rows
	return table(
		['', `CPU ${unit}, µs`, 'against the first', 'a second and core', 'of them at half load'],
		rows.map(([what, cpu]) => [
			what,
			count(cpu),
			`${(cpu / first).toFixed(1)} ×`,
			count(1e6 / cpu),
			count((load * 1e6) / cpu),
		]),
	)
}

function turnsBlock(): string {
	return perCore('a turn', [
		['State in memory', figure('State', 'memory cpu')],
		['State in Valkey or Redis', figure('State', 'valkey cpu')],
		['State in PostgreSQL', figure('State', 'postgres cpu')],
	])
}

function eventsBlock(): string {
	return perCore('an event', [
		['Outbox in a file', figure('P9', 'stored cpu')],
		['Outbox in PostgreSQL', figure('P9', 'postgres cpu')],
	])
}

function databaseBlock(): string {
	const of = (what: string) => [count(figure('Database', `turn ${what}`)), count(figure('Database', `event ${what}`))]
	return table(
		['PostgreSQL, for each', 'turn: its state', 'one-way event: stored, then delivered'],
		[
			['Round trips, when few come at once', ...of('commits')],
			['Bytes of the write-ahead log', ...of('log, bytes')],
			['Bytes of room', ...of('room, bytes')],
			['CPU of the server, µs', ...of('server cpu')],
		],
	)
}

/** Turns a second at the peak of the day: a team as it is today. */
const today = 20
/** The peak against the mean of the day. */
const peak = 3
/** One-way events for each turn. */
const oneWay = 0.2
/** Connections of a gateway at most: those of its state, one for the outbox, and one for its metrics. */
const connections = ofState + 2
/** Hours for which rows of the state are kept at most: those of three of its partitions. */
const kept = 36
const secondsAMonth = 30 * 24 * 3600

function modelBlock(): string {
	const ofTurn = figure('State', 'postgres cpu')
	const ofTurnInMemory = figure('State', 'memory cpu')
	const ofEvent = figure('P9', 'postgres cpu')
	const server = figure('Database', 'turn server cpu') + oneWay * figure('Database', 'event server cpu')
	const log = figure('Database', 'turn log, bytes') + oneWay * figure('Database', 'event log, bytes')
	const room = figure('Database', 'turn room, bytes')
	const onWorkers = figure('P7', 'workerd cpu')
	const columns = [1, 10, 1000].map((times) => {
		const rate = today * times
		const cores = (cpu: number) => (rate * cpu) / 1e6 / load
		const nodes = Math.max(2, Math.ceil(cores(ofTurn + oneWay * ofEvent)) + 1)
		const month = (rate / peak) * secondsAMonth
		return [
			[`${times} ×`, count(rate)],
			['Nodes', `${count(nodes)}, one of them to spare`],
			['their cores', count(cores(ofTurn + oneWay * ofEvent))],
			['the same, with the state in memory', count(cores(ofTurnInMemory + oneWay * ofEvent))],
			['Cores of PostgreSQL, at most', count(cores(server))],
			['its log, MB/s', count((rate * log) / 1e6)],
			['its room for the state, GB', count(((rate / peak) * 3600 * kept * room) / 1e9)],
			['its connections, at most', count(nodes * connections)],
			['Workers: turns a month, million', count(month / 1e6)],
			['Workers: calls of Durable Objects a month, million', count((month * figure('P7', 'round trips')) / 1e6)],
			['Workers: CPU a month, hours', count((month * onWorkers) / 1e6 / 3600)],
		]
	})
	const [first = []] = columns
	const [head = [], ...rows] = first.map((_, row) => [
		row === 0 ? 'Turns a second at the peak' : (first[row]?.[0] ?? ''),
		...columns.map((column) => (row === 0 ? (column[row] ?? []).join(': ') : (column[row]?.[1] ?? ''))),
	])
	return table(head, rows)
}
