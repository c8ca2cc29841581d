/** A signed call is good for five minutes around its time, and each attempt is signed anew: a replay is known by its id. */
import { join } from 'node:path'
import { Webhook } from 'standardwebhooks'
import { canonical } from '../../../adapters/canonical/index.ts'
import type { Fields } from '../../../src/format/index.ts'
import { createRuntime } from '../../../src/node/node-runtime.ts'
import { callUpstream, createConcurrencyLimit, createEndpoint, type Upstream } from '../../../src/upstream/index.ts'
import { send } from '../../runtime/http.ts'
import { until } from '../../until.ts'
import { callOf, platforms, routeOf } from '../calls.ts'
import { startEcho } from '../echo.ts'
import { folder, startGateway } from '../gateway.ts'
import type { Row, Trial } from '../row.ts'

const bytes = Buffer.alloc(32, 5)
const key = `whsec_${bytes.toString('base64')}`
/** Seconds that a receiver takes a call to be fresh for, before and after. */
const window = 300

export const replay: Row = {
	id: 'D15',
	fault: 'Signed calls come late, early, or again; a delivery is tried over and over, before and after a restart',
	demand: 'the limit of ±300 s exact to 1 s; every attempt freshly signed, all of them with one id and one body',
	except:
		'for our calls and what the outbox holds: answers to platforms are remembered by the process, so that a call sent again after a restart is a new turn',
	waits: 'idly',
	async run(trial) {
		const broken = [...(await boundary(trial)), ...(await attempts(trial))]
		return {
			reached: `limits at ±${window} s and ${window + 1} s, and attempts over a restart: ${broken.length} not as demanded`,
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
		for (const [seconds, fresh] of [
			[0, true],
			[window, true],
			[-window, true],
			[window + 1, false],
			[-window - 1, false],
		] as const) {
			let got: { headers: Fields; body: string } | undefined
			const upstream: Upstream = {
				...{
					name: 'canonical',
					adapter: canonical.create(),
					secrets: [],
					headers: [],
					timeout: 1000,
					onlyPublic: false,
				},
				...{ endpoints: [createEndpoint('http://upstream.test/')], concurrencyLimit: createConcurrencyLimit(1) },
				signingKeys: [Uint8Array.from(bytes)],
				async send(call) {
					got = call
					return { status: 200, headers: [], body: '' }
				},
			}
			const request = { method: 'POST', query: [], headers: [], body: '{"a":1}' }
			const until = runtime.elapsed() + 1000
			await callUpstream(
				upstream,
				request,
				{ id: 'turn_1', until, repeat: 'nothing' },
				{ ...runtime, now: () => receiver + seconds * 1000 },
			)
			if (got === undefined) throw new Error('nothing was sent')
			const holds = heldAt(receiver, got.headers, got.body)
			if (holds !== fresh) broken.push(`a clock ${seconds} s off ${holds ? 'holds' : 'does not hold'}`)
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
	const platform = platforms.find(({ oneWay }) => oneWay)
	if (!platform) throw new Error('no platform reads no answer')
	let status = 500
	const upstream = await startEcho(trial, () => status)
	const file = join(folder(trial), 'outbox.db')
	const config = {
		upstream: { url: upstream.url, sign: [{ env: 'SIGN' }] },
		outbox: { file, schedule: ['0s', '1100ms', '1100ms', '1100ms', '1100ms', '1100ms'] },
		routes: [routeOf(platform)],
	}
	const first = await startGateway(trial, config, { env: { SIGN: key } })
	await send(first.url, await callOf(platform))
	await until(() => upstream.heard.length >= 2)
	await first.end()
	const before = upstream.heard.length
	const second = await startGateway(trial, config, { env: { SIGN: key } })
	await until(() => upstream.heard.length > before)
	status = 200
	await until(() => upstream.heard.length > before + 1)
	await second.end()

	const broken: string[] = []
	const heard = upstream.heard.map(({ headers, body }) => {
		const value = (name: string) => headers[headers.indexOf(name) + 1] ?? ''
		return { id: value('webhook-id'), time: value('webhook-timestamp'), signature: value('webhook-signature'), body }
	})
	if (heard.length < 4) broken.push(`${heard.length} attempts came`)
	if (new Set(heard.map(({ id }) => id)).size !== 1) broken.push('the attempts have several ids')
	if (new Set(heard.map(({ body }) => body)).size !== 1) broken.push('the attempts have several bodies')
	if (new Set(heard.map(({ time }) => time)).size !== heard.length) broken.push('attempts seconds apart have one time')
	for (const { id, time, signature, body } of heard) {
		const fields: Fields = [
			['webhook-id', id],
			['webhook-timestamp', time],
			['webhook-signature', signature],
		]
		if (!heldAt(Number(time) * 1000, fields, body)) broken.push('an attempt’s signature does not hold')
		if (Math.abs(Number(time) * 1000 - Date.now()) > 60_000) broken.push('an attempt is not freshly signed')
	}
	return broken
}
