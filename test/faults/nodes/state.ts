/** The server of a shared state is ended, hangs, is slow, full or out of reach, while turns are taken. */
import { setTimeout as wait } from 'node:timers/promises'
import { Redis } from 'iovalkey'
import { Client } from 'pg'
import { own } from '../../harness/platforms.ts'
import type { StateKind } from '../../harness/state-servers.ts'
import { none, type Outcome, over, type Row, type Trial, together, unless } from '../row.ts'
import { type Pair, rememberAgain, startPair, stateTimeout, withEach } from '../shared-state.ts'
import { each, nth, type Turn, turnsWith, unexpected } from '../turns.ts'

/** What is done to a state. */
interface Trouble {
	/** In words, for the figures. */
	readonly name: string
	begin(pair: Pair): unknown
	end(pair: Pair): unknown
}

/** Callers who wait at once. */
const callers = 8

/** Turns that are taken for as long as the trouble lasts: each gets its reply, and few of them wait. */
async function endure(trial: Trial, kind: StateKind, pair: Pair, { name, begin, end }: Trouble): Promise<Outcome> {
	const { nodes } = pair
	const taken: Turn[] = []
	const take = async (until: number): Promise<Turn[]> => {
		const turns: Turn[] = []
		await each(callers, callers, async (caller) => {
			while (performance.now() < until) {
				const text = trial.nonce()
				const turn = turnsWith(trial, nth(nodes, caller))(own, undefined, { text, id: text, conversation: text })
				turns.push(await turn)
				await wait(20 * trial.random())
			}
		})
		taken.push(...turns)
		return turns
	}
	const together = [await rememberAgain(trial, pair)]
	await take(performance.now() + 500)
	const seconds = trial.at(2, 8, 30)
	const before = nodes.map(({ lines }) => lines.length)
	const going = take(performance.now() + 1000 * seconds)
	await begin(pair)
	const during = await going
	// As the Nodes measure it: on a busy machine the client reads an answer later.
	const times = nodes.flatMap(({ lines }, i) => {
		return lines.slice(before[i]).flatMap(({ msg, ms }) => (msg === 'turn' ? Number(ms) : []))
	})
	const longest = Math.max(...times)
	await end(pair)
	const from = performance.now()
	together.push(await rememberAgain(trial, pair))
	const back = (performance.now() - from) / 1000
	const waited = times.filter((ms) => ms >= stateTimeout).length
	// Five failures open the circuit, and those under way; then there is one probe every half second, of each Node.
	const mayWait = 2 * (5 + callers) + 4 * seconds
	const what = `${kind.name} ${name}`
	return {
		reached: `${what} for ${seconds} s: ${during.length} turns, slowest ${longest.toFixed(0)} ms, ${waited} waited; remembers again after ${back.toFixed(1)} s`,
		broken: [
			...unexpected(taken, ['reply']),
			...unless(together[0] === true, 'the Nodes did not remember together before'),
			...unless(together[1] === true, 'the Nodes did not remember together afterwards'),
		].map((sentence) => `${what}: ${sentence}`),
		missed: [
			...over(longest, 2 * stateTimeout + 100, (figure) => `${what}: a turn took ${figure} ms`),
			...over(waited, mayWait, (figure) => `${what}: ${figure} turns waited, and ${mayWait} may`),
			...over(back, 3, (figure) => `${what}: remembered again after ${figure} s`),
		],
	}
}

const demand = `every call gets its valid answer; a turn waits at most twice for the time limit (${stateTimeout} ms), and when the circuit is open only probes do; logged at most every 10 s, with its recovery; the Nodes remember together again by themselves`

async function enduring(trial: Trial, kind: StateKind, troubles: readonly Trouble[]): Promise<Outcome> {
	const pair = await startPair(trial, kind, await kind.start(trial))
	const from = performance.now()
	const outcomes: Outcome[] = []
	for (const trouble of troubles) outcomes.push(await endure(trial, kind, pair, trouble))
	const seconds = (performance.now() - from) / 1000
	const logged = pair.nodes.map(({ lines }) => lines.filter(({ msg }) => msg === 'state').length)
	// A failure and a recovery each ten seconds.
	const mayLog = 2 + 2 * Math.ceil(seconds / 10)
	return together([
		...outcomes,
		{
			reached: `at most ${Math.max(...logged)} lines of log in ${seconds.toFixed(0)} s`,
			broken: [
				...none(logged.filter((count) => count === 0).length, 'Nodes did not log it'),
				...none(logged.filter((count) => count > mayLog).length, `Nodes logged more than ${mayLog} lines`),
				...pair.faults(),
			].map((sentence) => `${kind.name}: ${sentence}`),
		},
	])
}

export const stateEnds: Row = {
	...{ id: 'E8', waits: 'busily', demand },
	fault: 'The server of the shared state is killed, and is back later, with nothing in it',
	run: (trial) =>
		withEach(trial, (kind) => {
			return enduring(trial, kind, [
				{ name: 'killed', begin: ({ server }) => server.kill(), end: ({ server }) => server.start() },
			])
		}),
}

export const stateHangs: Row = {
	...{ id: 'E9', waits: 'busily', demand },
	fault: 'The server of the shared state hangs, answers too late, or its network is cut',
	run: (trial) =>
		withEach(trial, (kind) => {
			return enduring(trial, kind, [
				{ name: 'hung', begin: ({ server }) => server.hang(), end: ({ server }) => server.resume() },
				{
					name: 'slow (200 ms each way)',
					begin: ({ network }) => network.slowDown(200),
					end: ({ network }) => network.slowDown(0),
				},
				{ name: 'cut off', begin: ({ network }) => network.cut(), end: ({ network }) => network.restore() },
			])
		}),
}

export const stateFull: Row = {
	...{ id: 'E10', waits: 'busily', demand },
	fault: 'The server of the shared state is full, and refuses to store',
	except: 'of PostgreSQL it is read-only instead: both are an error of every statement',
	run: (trial) =>
		withEach(trial, (kind) => {
			const refuse = (on: boolean) => (kind.name === 'valkey' ? setFull(on) : setReadOnly(on))
			return enduring(trial, kind, [{ name: 'full', begin: refuse(true), end: refuse(false) }])
		}),
}

function setFull(on: boolean): Trouble['begin'] {
	return async ({ server }) => {
		const admin = new Redis(server.url)
		await admin.config('SET', 'maxmemory', on ? '1' : '0')
		await admin.quit()
	}
}

function setReadOnly(on: boolean): Trouble['begin'] {
	return async ({ server }) => {
		const name = new URL(server.url).pathname.slice(1)
		// In another database: this one may be read-only.
		const admin = new Client({ connectionString: new URL('/postgres', server.url).href })
		admin.on('error', () => {})
		await admin.connect()
		await admin.query(`ALTER DATABASE ${name} SET default_transaction_read_only = ${on ? 'on' : 'off'}`)
		// Only new sessions know it.
		await admin.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [name])
		await admin.end()
	}
}
