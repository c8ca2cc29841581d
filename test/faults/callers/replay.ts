/** A signed call is good for five minutes around its time, and each attempt is signed anew: a replay is known by its id. */

import { Webhook } from 'standardwebhooks'
import { canonical } from '../../../adapters/canonical/index.ts'
import type { Fields } from '../../../src/format/index.ts'
import { createRuntime } from '../../../src/node/node-runtime.ts'
import { createConcurrencyLimit } from '../../../src/upstream/concurrency-limit.ts'
import { createEndpoint } from '../../../src/upstream/endpoint.ts'
import type { Upstream } from '../../../src/upstream/index.ts'
import { callUpstream } from '../../../src/upstream/index.ts'
import { header, statusOnly } from '../../harness/http.ts'
import { notifying } from '../../harness/platforms.ts'
import type { Received } from '../../harness/upstream.ts'
import { until } from '../../until.ts'
import { atOnceThenEach, outboxOf } from '../accepting.ts'
import { type Row, type Trial, unless } from '../row.ts'

const bytes = Buffer.alloc(32, 5)
const key = `whsec_${bytes.toString('base64')}`
/** Seconds that a receiver takes a call to be fresh for, before and after. */
const window = 300

export const replay: Row = {
	id: 'D15',
	fault:
		'Signed calls that are late, early or replayed; a delivery that is attempted many times, before and after a restart',
	demand: 'the limit of ±300 s is exact to 1 s; every attempt has a new signature, the same id and the same body',
	except:
		'for calls to the upstream and the outbox: answers to platforms are in the memory of the process, so a call repeated after a restart is a new turn',
	waits: 'idly',
	async run(trial) {
		const broken = [...(await boundary(trial)), ...(await attempts(trial))]
		return {
			reached: `limits at ±${window} s and ${window + 1} s, and attempts across a restart: ${broken.length} not as required`,
			broken,
		}
	},
}

/** The gateway's clock against the receiver's. */
async function boundary(trial: Trial): Promise<string[]> {
	const runtime = createRuntime(() => {})
	trial.after(() => runtime.close())
	const broken: string[] = []
	// Seconds are cut off, not rounded: just after a whole second, and just before the next one.
	for (const part of [5, 995]) {
		const receiver = Math.floor(Date.now() / 1000) * 1000 + part
		for (const seconds of [0, window, -window, window + 1, -window - 1]) {
			let got: { headers: Fields; body: string } | undefined
			const upstream: Upstream = {
				...{ name: 'canonical', adapter: canonical.create(), secrets: [], headers: [], timeout: 1000 },
				...{
					onlyPublic: false,
					endpoints: [createEndpoint('http://upstream.test/')],
					concurrencyLimit: createConcurrencyLimit(1),
				},
				signingKeys: [Uint8Array.from(bytes)],
				async send(call) {
					got = call
					return { status: 200, headers: [], body: '' }
				},
			}
			const request = { method: 'POST', query: [], headers: [], body: '{"a":1}' }
			const turn = { id: 'turn_1', until: runtime.elapsed() + 1000, repeat: 'nothing', reads: 'reply' } as const
			await callUpstream(upstream, request, turn, { ...runtime, now: () => receiver + seconds * 1000 })
			if (got === undefined) throw new Error('nothing was sent')
			const holds = heldAt(receiver, got.headers, got.body)
			const fresh = Math.abs(seconds) <= window
			broken.push(...unless(holds === fresh, `a clock ${seconds} s off ${holds ? 'holds' : 'does not hold'}`))
		}
	}
	return broken
}

/** Whether a receiver whose clock shows this moment takes the call. */
function heldAt(moment: number, headers: Fields, body: string): boolean {
	const { now } = Date
	Date.now = () => moment
	try {
		new Webhook(key).verify(body, Object.fromEntries(headers))
		return true
	} catch {
		return false
	} finally {
		Date.now = now
	}
}

/** One event, refused until the gateway was started anew. */
async function attempts(trial: Trial): Promise<string[]> {
	let status = 500
	const upstream = await trial.upstream(() => statusOnly(status))
	const { calls } = upstream
	const config = {
		upstream: { url: upstream.url, sign: [{ env: 'SIGN' }] },
		outbox: outboxOf(trial, { schedule: atOnceThenEach('1100ms', 5) }),
		routes: [notifying.route()],
	}
	const first = await trial.start(config, { env: { SIGN: key } })
	await first.send(notifying.call(notifying.event('Hi')))
	await until(() => calls.length >= 2)
	await first.end()
	const before = calls.length
	const second = await trial.start(config, { env: { SIGN: key } })
	await until(() => calls.length > before)
	status = 200
	await until(() => calls.length > before + 1)
	await second.end()

	const different = (of: (call: Received) => unknown) => new Set(calls.map(of)).size
	const timeOf = (call: Received) => Number(header(call, 'webhook-timestamp')) * 1000
	return [
		...unless(calls.length >= 4, `${calls.length} attempts came`),
		...unless(different((call) => header(call, 'webhook-id')) === 1, 'the attempts have several ids'),
		...unless(different(({ body }) => body) === 1, 'the attempts have several bodies'),
		...unless(different(timeOf) === calls.length, 'attempts seconds apart have one time'),
		...calls.flatMap((call) => [
			...unless(heldAt(timeOf(call), call.headers, call.body), 'an attempt’s signature does not hold'),
			...unless(Math.abs(timeOf(call) - Date.now()) <= 60_000, 'an attempt is not freshly signed'),
		]),
	]
}
