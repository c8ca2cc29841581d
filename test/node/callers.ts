/** Callers that go on while gateways come and go on a held socket. */
import { Agent, request } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'

/** What is called. */
export interface Call {
	/** Absent: `/own`. */
	readonly path?: string
	/** Names and values by turns. Absent: those of a JSON body. */
	readonly headers?: readonly string[]
	readonly body?: string
}

/** What came of one call. */
export interface Result {
	/** The status, or the code of what went wrong. */
	readonly was: number | string
	readonly ms: number
}

const usual = {
	path: '/own',
	headers: ['content-type', 'application/json'],
	body: JSON.stringify({ version: 1, event: { kind: 'message', text: 'Hi', attributes: {} } }),
} as const

/** One call; with an agent, on a connection of it. */
export function once(to: { port?: number; socketPath?: string }, call: Call = {}, agent?: Agent): Promise<Result> {
	const { path, headers, body } = { ...usual, ...call }
	const from = performance.now()
	return new Promise((done) => {
		const end = (was: number | string) => done({ was, ms: performance.now() - from })
		const fields = ['host', 'gateway.test', ...headers, 'content-length', String(Buffer.byteLength(body))]
		const how = { host: '127.0.0.1', path, method: 'POST', ...to, agent: agent ?? false }
		request({ ...how, headers: agent ? fields : [...fields, 'connection', 'close'] }, (answer) => {
			answer.resume().on('end', () => end(answer.statusCode ?? 0))
			answer.on('error', (error: NodeJS.ErrnoException) => end(error.code ?? 'broken'))
		})
			.on('error', (error: NodeJS.ErrnoException) => end(error.code ?? 'broken'))
			.end(body)
	})
}

/** How callers call. */
export interface Manner {
	readonly callers: number
	/** Each on a connection of its own, that is kept. Absent: one for each call. */
	readonly kept?: boolean
	/** Milliseconds between two calls of one caller, asked for each time. Absent: none. */
	pause?(): number
	/** The next call of a caller. Undefined: it has no more. Absent: always the smallest. */
	next?(caller: number): Call | undefined
	/** Told of each result, in the caller's order. */
	heard?(call: Call, result: Result): void
}

/** A load that goes on until it is told to stop, or no caller has a call left. */
export interface Going {
	/** Calls that have no result yet. */
	underWay(): number
	/** When no caller has a call left. */
	readonly over: Promise<unknown>
	stop(): Promise<Stopped>
}

/** What came of a load. */
interface Stopped {
	readonly served: number
	/** Nobody listened. */
	readonly refused: number
	/** What went wrong, or was no success. */
	readonly broken: readonly Result[]
	/** Milliseconds, of those that were served. */
	readonly slowest: number
}

/** Begins to call the gateways on this port of this machine. */
export function load(port: number, { callers, kept = false, pause, next = () => ({}), heard }: Manner): Going {
	let going = true
	let underWay = 0
	const results: Result[] = []
	const caller = async (number: number) => {
		const agent = kept ? new Agent({ keepAlive: true, maxSockets: 1 }) : undefined
		for (let call = next(number); going && call; call = next(number)) {
			underWay++
			const result = await once({ port }, call, agent)
			underWay--
			results.push(result)
			heard?.(call, result)
			await wait(pause?.() ?? 0)
		}
		agent?.destroy()
	}
	const over = Promise.all(Array.from({ length: callers }, (_, number) => caller(number)))
	return {
		underWay: () => underWay,
		over,
		async stop() {
			going = false
			await over
			const ok = results.filter(({ was }) => was === 200)
			return {
				served: ok.length,
				refused: results.filter(({ was }) => was === 'ECONNREFUSED').length,
				broken: results.filter(({ was }) => was !== 200 && was !== 'ECONNREFUSED'),
				slowest: Math.round(ok.reduce((most, { ms }) => Math.max(most, ms), 0)),
			}
		},
	}
}
