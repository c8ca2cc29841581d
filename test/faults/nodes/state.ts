/** The server of a shared state is ended, hangs, is slow, full, read-only or out of reach, while turns are taken. */
import { setTimeout as wait } from 'node:timers/promises'
import { own } from '../../harness/platforms.ts'
import { smallDisk } from '../../harness/small-disk.ts'
import type { StateKind } from '../../harness/state-servers.ts'
import { none, type Outcome, over, type Row, type Trial, together, unless, untried } from '../row.ts'
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

/** `disk`: for the tables of the server. */
async function enduring(trial: Trial, kind: StateKind, troubles: readonly Trouble[], disk?: string): Promise<Outcome> {
	const pair = await startPair(trial, kind, await kind.start(trial, disk))
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

const full: Trouble = {
	name: 'full',
	begin: ({ server }) => server.setFull(true),
	end: ({ server }) => server.setFull(false),
}

const readOnly: Trouble = {
	name: 'read-only',
	begin: ({ server }) => server.setReadOnly(true),
	end: ({ server }) => server.setReadOnly(false),
}

export const stateRefuses: Row = {
	...{ id: 'E10', waits: 'busily', demand },
	fault:
		'The server of the shared state refuses to store: it is full; then it is read-only, as the old primary is after a failover, and keeps its connections',
	async run(trial) {
		const disk = smallDisk(trial, 40)
		if (disk === undefined) return untried('root', 'a small disk can be mounted by root only')
		return await withEach(trial, (kind) => enduring(trial, kind, [full, readOnly], disk))
	},
}
