/** A gateway whose upstream is the gateway: every call ends after one call too many. */
import { createServer } from 'node:net'
import { join } from 'node:path'
import { folder, type Started, startGateway } from '../gateway.ts'
import type { Row, Trial } from '../row.ts'
import { callerOf, type Speaker, speakers } from '../turns.ts'

/** Milliseconds within which a call has gone round, however busy the machine is. */
const patience = 15_000

/** A route, and how many turns a call of it makes: as many as routes stand between it and itself. */
interface Circle {
	readonly speaker: Speaker
	readonly path: string
	readonly turns: number
	readonly routes: readonly object[]
}

export const loops: Row = {
	id: 'D20',
	fault: "An upstream's URL leads back to the gateway: to the same route, through others, as a backup, stored first",
	demand: '≤ 1 extra hop, then 508',
	waits: 'idly',
	async run(trial) {
		const broken: string[] = []
		let calls = 0
		let turns = 0
		let ended = 0
		// Each failure counts against the upstream, which is left alone after five.
		const each = trial.at(1, 3, 4)
		for (let round = 0; round < trial.at(1, 1, 10); round++) {
			const origin = `http://127.0.0.1:${await freePort()}`
			const circles = speakers.flatMap((speaker) => circlesOf(speaker, origin))
			const routes = circles.flatMap((circle) => circle.routes)
			const gateway = await startGateway(trial, { routes }, { env: { PORT: new URL(origin).port } })
			const caller = callerOf(trial, gateway.url)
			for (const { speaker, path, turns: wanted } of circles) {
				if (broken.length > 9) break
				for (let i = 0; i < each; i++) {
					const before = gateway.lines.length
					const event = speaker.event(`nonce-${trial.seed}-${calls++}`)
					const { heard } = await caller.take(speaker, path, event)
					if (heard === 'reply' || heard.startsWith('[')) broken.push(`${path}: heard ${heard}`)
					const made = await turnsOf(gateway, before, wanted)
					turns += made.length
					if (made.length !== wanted) broken.push(`${path}: ${made.length} turns of one call, not ${wanted}`)
					// The innermost ends first: its upstream is the route that the call came through.
					if (made[0]?.upstreamStatus === 508) ended++
					else broken.push(`${path}: ended with ${made[0]?.upstreamStatus}, not 508`)
				}
			}
			await gateway.end()
		}
		const stored = await storedFirst(trial)
		if (stored.turns !== 1 || stored.statuses.some((status) => status !== 508)) {
			broken.push(`a stored event made ${stored.turns} turns, and was delivered with ${stored.statuses}`)
		}
		const reached = `${calls} calls of every platform made ${turns} turns, as many as their circles have routes; ${ended} ended with 508; a stored event was delivered ${stored.statuses.length} times, and accepted once`
		return { reached, broken }
	},
}

/** To itself, as a backup, where it is heard out late, and by way of another route. */
function circlesOf(speaker: Speaker, origin: string): Circle[] {
	const { name } = speaker
	const adapter = speaker.upstream
	const to = (path: string, more: object = {}) => ({ upstream: { url: `${origin}/${path}`, ...adapter, ...more } })
	const [self, other, query, again] = ['self', 'other', 'query', 'again'].map((what) => `${what}-${name}`) as [
		...[string, string, string, string],
	]
	const nobody = { url: 'http://127.0.0.1:9/', backup: `${origin}/${other}`, ...adapter }
	return [
		{ speaker, path: self, turns: 1, routes: [speaker.route(self, to(self))] },
		{ speaker, path: query, turns: 1, routes: [speaker.route(query, { ...to(`${query}?a=b`), idempotent: true })] },
		{ speaker, path: other, turns: 1, routes: [speaker.route(other, { upstream: nobody })] },
		{
			...{ speaker, path: again, turns: 2 },
			routes: [speaker.route(again, to(`${again}-2`)), speaker.route(`${again}-2`, to(again))],
		},
	]
}

type Line = Started['lines'][number]

/** The turns that the log tells of since then; waits until there are as many, and a little, lest there come more. */
async function turnsOf({ lines }: Started, from: number, wanted: number): Promise<Line[]> {
	const turns = () => lines.slice(from).filter(({ msg }) => msg === 'turn')
	const until = performance.now() + patience
	while (turns().length < wanted && performance.now() < until) await pause(5)
	await pause(5)
	return turns()
}

/** An event that is acknowledged before it is delivered, to the route that accepted it. */
async function storedFirst(trial: Trial): Promise<{ turns: number; statuses: unknown[] }> {
	const speaker = speakers.find(({ oneWay }) => oneWay)
	if (!speaker) throw new Error('every platform reads answers')
	const origin = `http://127.0.0.1:${await freePort()}`
	const outbox = { file: join(folder(trial), 'outbox.db'), schedule: ['0s', '50ms', '50ms'] }
	const upstream = { url: `${origin}/own`, ...speaker.upstream }
	const config = { outbox, routes: [speaker.route('own', { upstream })] }
	const gateway = await startGateway(trial, config, { env: { PORT: new URL(origin).port } })
	await callerOf(trial, gateway.url).take(speaker, 'own', speaker.event(`nonce-${trial.seed}-0`))
	const deliveries = () => gateway.lines.filter(({ msg }) => msg === 'delivery')
	const until = performance.now() + patience
	while (!deliveries().some(({ dead }) => dead === true) && performance.now() < until) await pause(20)
	const turns = gateway.lines.filter(({ msg }) => msg === 'turn').length
	return { turns, statuses: deliveries().map(({ upstreamStatus }) => upstreamStatus) }
}

async function freePort(): Promise<number> {
	const server = createServer()
	await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
	const address = server.address()
	await new Promise((closed) => server.close(closed))
	if (typeof address !== 'object' || address === null) throw new Error('nothing can listen on 127.0.0.1')
	return address.port
}

function pause(milliseconds: number): Promise<void> {
	return new Promise((done) => setTimeout(done, milliseconds))
}
