/**
 * Records what the gateway does for a fixed list of calls. Draw the calls once with `node scripts/draw-turns.ts INPUTS`.
 * Then run `node scripts/record-turns.ts INPUTS OUT` on the code before and after a change, and compare the two files:
 * they hold one line per call, with the answer, the requests to the upstream, the stored deliveries and the log lines.
 */
import { createHmac, hash } from 'node:crypto'
import { createReadStream, openSync, writeFileSync } from 'node:fs'
import { adapters } from '../adapters/index.ts'
import { readConfig } from '../src/config/index.ts'
import type { Fields, WireResponse } from '../src/format/index.ts'
import { createApp, type ErrorCode, GatewayError, type LogLine, type Runtime } from '../src/index.ts'
import { createState } from '../src/node/memory-state.ts'

/** Starts a new gateway. The calls on the following lines go to it. */
export interface Setup {
	/** Every route name is unique in the file, because all gateways share one state. */
	readonly config: object
	readonly env: { readonly [name: string]: string }
	/** Whether the runtime has an outbox. */
	readonly outbox: boolean
}

/** A call from a platform, and what the upstream does when the gateway forwards it. */
export interface Call {
	readonly method: string
	readonly url: string
	readonly headers: Fields
	readonly body: string
	readonly answer: WireResponse | { readonly error: ErrorCode }
	/** The upstream answers only after the platform has its answer. */
	readonly slow?: boolean
}

/** One line of the inputs. */
export type Line = { readonly setup: Setup } | { readonly call: Call }

/** Milliseconds of fake time: between two calls, and until the upstream answers. */
const pace = { call: 100, upstream: 7 }

// Shared by all gateways: it allocates tables for a whole process, which takes about 20 ms.
const state = createState()

// Resolves without I/O. Otherwise the real timer of a holding reply would race against the upstream's answer.
const synchronousCrypto: Runtime['crypto'] = {
	equal: async (a, b) => a === b,
	sha256: async (text) => hash('sha256', text),
	hmac: async (key, text) => createHmac('sha256', key).update(text).digest('base64'),
}

/** Starts a gateway whose clock, ids and upstream depend only on its calls. Returns a function that makes one call. */
function start({ config, env, outbox }: Setup): (call: Call) => Promise<object> {
	let clock = 0
	let calls = 0
	let current: { call: Call; platformAnswered: Promise<void> } | undefined
	let seen: { upstream: object[]; stored: object[]; log: LogLine[] } = { upstream: [], stored: [], log: [] }
	let background: Promise<void>[] = []
	const runtime: Runtime = {
		async send({ signal: _, ...outgoing }) {
			seen.upstream.push(outgoing)
			clock += pace.upstream
			if (!current) throw new Error('The gateway called its upstream before the first call')
			const { call, platformAnswered } = current
			if (call.slow) await platformAnswered
			if ('error' in call.answer) throw new GatewayError(call.answer.error)
			return call.answer
		},
		now: () => Date.UTC(2026, 0, 2) + clock,
		elapsed: () => clock,
		newId: () => `turn_${calls}`,
		crypto: synchronousCrypto,
		state,
		background: (work) => background.push(work),
		log: (line) => seen.log.push(line),
		...(outbox && { outbox: { accept: async (delivery: object) => void seen.stored.push(delivery) } }),
	}
	const { routes } = readConfig(config, { adapters, env, loopback: true })
	const app = createApp({ routes, runtime })

	return async (call) => {
		const { promise: platformAnswered, resolve } = Promise.withResolvers<void>()
		calls++
		clock += pace.call
		current = { call, platformAnswered }
		seen = { upstream: [], stored: [], log: [] }
		background = []
		const { method, url, headers, body } = call
		// For a string body, Request would add a content type.
		const bytes = method === 'GET' || method === 'HEAD' ? null : new TextEncoder().encode(body)
		const fields = headers.map(([name, value]): [string, string] => [name, value])
		const response = await app.request(url, { method, headers: fields, body: bytes })
		const answer = { status: response.status, headers: [...response.headers], body: await response.text() }
		resolve()
		await Promise.all(background)
		return { routes: routes.map(({ name }) => name), answer, ...seen }
	}
}

async function run(inputs: string, out: number): Promise<void> {
	let makeCall: ReturnType<typeof start> | undefined
	for await (const text of linesOf(inputs)) {
		const line: Line = JSON.parse(text)
		if ('setup' in line) makeCall = start(line.setup)
		else if (makeCall) writeFileSync(out, `${JSON.stringify(await makeCall(line.call))}\n`)
	}
}

// Not node:readline: it also ends a line at U+2028.
async function* linesOf(file: string): AsyncGenerator<string> {
	let rest = ''
	for await (const chunk of createReadStream(file, { encoding: 'utf8', highWaterMark: 1 << 20 })) {
		const lines = `${rest}${chunk}`.split('\n')
		rest = lines.pop() ?? ''
		yield* lines
	}
}

const [inputs, out] = process.argv.slice(2)
if (inputs === undefined || out === undefined) throw new Error('Usage: record-turns.ts INPUTS OUT')
await run(inputs, openSync(out, 'w'))
