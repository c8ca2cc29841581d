/** Metrics for Prometheus: what they count, that they are read on a port of their own, and that they cost nothing when nobody asked for them. */
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { canonical } from '../../adapters/canonical/index.ts'
import { readOutbox } from '../../src/config/index.ts'
import type { AdapterFactory } from '../../src/format/index.ts'
import { createMetrics } from '../../src/node/metrics/metrics.ts'
import { openCounter } from '../../src/node/outbox/open-counter.ts'
import { folder } from '../outbox/parts.ts'
import { call, gateway, json, oneWay, ownJson, says, start, statusOnly, upstream } from '../servers.ts'

const route = { name: 'in', path: '/in', platform: 'canonical' }
const metrics = { port: 0 }

/** The samples of a gateway: the value by the name with its labels, as the text has them. */
async function read({ metricsUrl }: { readonly metricsUrl?: string }): Promise<{ readonly [sample: string]: number }> {
	const response = await fetch(`${metricsUrl}`)
	expect(response.status).toBe(200)
	expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
	const lines = (await response.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'))
	return Object.fromEntries(
		lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
	)
}

const plain = canonical.create({}).reply({ kind: 'message', attributes: {} })
if (!plain) throw new Error('The canonical format has replies')
const { reply, 'reply.text': text } = plain.carries
const texts: AdapterFactory = ownJson('texts', { reply: () => ({ ...plain, carries: { reply, 'reply.text': text } }) })

test('turns are counted by their outcome, and timed', async () => {
	let answer = json({ messages: [{ type: 'choices', text: 'Tea?', choices: [{ title: 'Yes', value: 'y' }] }] })
	const { url } = await upstream(() => answer)
	const started = await gateway({ metrics, upstream: { url }, routes: [{ ...route, platform: 'texts' }] }, [
		canonical,
		texts,
	])
	const labels = 'route="in",platform="texts"'
	expect((await read(started))[`dragoman_turns_total{${labels},outcome="failed"}`]).toBe(0)
	for (const _ of 'ab') await call(`${started.url}/in`, { kind: 'message', text: 'Hi', id: 'e1' })
	answer = statusOnly(500)
	await call(`${started.url}/in`)
	await call(`${started.url}/nowhere/canary`)
	const samples = await read(started)
	expect(samples).toMatchObject({
		[`dragoman_turns_total{${labels},outcome="answered"}`]: 1,
		[`dragoman_turns_total{${labels},outcome="duplicate"}`]: 1,
		[`dragoman_turns_total{${labels},outcome="failed"}`]: 1,
		[`dragoman_turn_errors_total{${labels},error="upstream-status"}`]: 1,
		[`dragoman_turn_duration_seconds_count{${labels}}`]: 3,
		[`dragoman_turn_deadline_slack_seconds_count{${labels}}`]: 3,
		[`dragoman_turn_deadline_slack_seconds_bucket{le="0",${labels}}`]: 0,
		[`dragoman_changes_total{${labels},feature="reply.choices",did="converted"}`]: 1,
		'dragoman_upstream_call_duration_seconds_count{route="in",result="ok"}': 1,
		'dragoman_upstream_call_duration_seconds_count{route="in",result="failed"}': 1,
		'dragoman_upstream_call_errors_total{route="in",error="upstream-status"}': 1,
		'dragoman_refused_calls_total{route="",error="not-found"}': 1,
		[`dragoman_upstream_circuit_open{origin="${url}"}`]: 0,
		[`dragoman_upstream_calls{origin="${url}"}`]: 0,
		[`dragoman_upstream_calls_limit{origin="${url}"}`]: 500,
	})
	expect(Object.keys(samples).some((name) => name.startsWith('nodejs_eventloop_lag_p99_seconds'))).toBe(true)
	expect(Object.keys(samples).some((name) => name.startsWith('process_resident_memory_bytes'))).toBe(true)
	expect(JSON.stringify(samples)).not.toContain('canary')
})

test('an open circuit is seen, and so are the calls under way', async () => {
	const { promise, resolve } = Promise.withResolvers<void>()
	let wait = false
	const { url } = await upstream(async () => {
		if (wait) await promise
		return statusOnly(500)
	})
	const started = await gateway({ metrics, upstream: { url }, routes: [route] })
	wait = true
	const first = call(`${started.url}/in`)
	await expect.poll(async () => (await read(started))[`dragoman_upstream_calls{origin="${url}"}`]).toBe(1)
	resolve()
	await first
	for (let i = 0; i < 5; i++) await call(`${started.url}/in`)
	expect((await read(started))[`dragoman_upstream_circuit_open{origin="${url}"}`]).toBe(1)
})

test('late replies are counted', async () => {
	const { promise, resolve } = Promise.withResolvers<void>()
	const { url } = await upstream(async () => {
		await promise
		return json(says('late'))
	})
	const late = { after: 20, reply: { '*': says('One moment') } }
	const started = await gateway({ metrics, upstream: { url, timeout: 60_000 }, routes: [{ ...route, late }] })
	await call(`${started.url}/in`, { kind: 'message', text: 'Hi', conversation: 'c' })
	resolve()
	await expect
		.poll(() => read(started))
		.toMatchObject({
			'dragoman_turns_total{route="in",platform="canonical",outcome="held"}': 1,
			'dragoman_late_replies_total{route="in",did="kept"}': 1,
		})
})

test('the outbox is measured: what waits, how long, what gave up, and each attempt', async () => {
	const { url } = await upstream(() => statusOnly(410))
	const outbox = { file: join(folder(), 'outbox.db'), maxBytes: 2_000_000 }
	const config = { metrics, outbox, upstream: { url }, routes: [{ ...route, platform: 'one-way' }] }
	const started = await gateway(config, [canonical, oneWay])
	await call(`${started.url}/in`)
	const settings = readOutbox({ outbox }, {})
	if (!settings) throw new Error('there is an outbox')
	const counter = await openCounter(settings)
	await expect.poll(async () => (await counter.count()).events).toMatchObject([{ state: 'dead', count: 1 }])
	expect(await read(started)).toMatchObject({
		'dragoman_deliveries_total{route="in",to="upstream",result="dead"}': 1,
		'dragoman_outbox_events{route="in",state="dead"}': 1,
		dragoman_outbox_used_bytes: expect.any(Number),
		dragoman_outbox_limit_bytes: 2_000_000,
	})
})

test('the outbox is counted at most once in ten seconds, and a file that cannot be read is no failure', async () => {
	let now = 60_000
	let counted = 0
	const { registry } = createMetrics({
		routes: () => [],
		outbox: {
			now: () => now,
			maxBytes: 1,
			async count() {
				if (++counted > 1) throw new Error('the file is gone')
				return { usedBytes: 4096, events: [{ route: 'in', state: 'waiting', count: 3, oldestAt: 50_000 }] }
			},
		},
	})
	const text = await registry.metrics()
	expect(text).toContain('dragoman_outbox_events{route="in",state="waiting"} 3\n')
	expect(text).toContain('dragoman_outbox_oldest_waiting_seconds{route="in"} 10\n')
	now += 9999
	expect(await registry.metrics()).toContain('dragoman_outbox_oldest_waiting_seconds{route="in"} 19.999\n')
	expect(counted).toBe(1)
	now += 1
	expect(await registry.metrics()).toContain('dragoman_outbox_used_bytes Nan')
	expect(counted).toBe(2)
})

test('only GET /metrics is answered, and nothing else of the gateway is there', async () => {
	const started = await gateway({ metrics, upstream: { url: 'builtin:demo' }, routes: [route] })
	const base = `${started.metricsUrl}`.replace('/metrics', '')
	expect((await fetch(`${base}/in`)).status).toBe(404)
	expect((await fetch(`${base}/metrics`, { method: 'POST' })).status).toBe(405)
	expect((await fetch(`${started.url}/metrics`)).status).toBe(404)
	expect(await read(started)).toMatchObject({ 'dragoman_upstream_circuit_open{origin="builtin:"}': 0 })
	await started.close()
	await expect(fetch(`${base}/metrics`)).rejects.toThrow()
})

test('a port that is in use ends the start, with what to change; the port cannot change while the gateway runs', async () => {
	const config = { metrics, upstream: { url: 'builtin:demo' }, routes: [route] }
	const started = await gateway(config)
	const port = Number(new URL(`${started.metricsUrl}`).port)
	const refused = start({ ...config, metrics: { port } })
	await expect(refused).rejects.toMatchObject({
		code: 69,
		said: `The metrics cannot be served on port ${port} of 127.0.0.1 (EADDRINUSE). Change "metrics" in the configuration.\n`,
	})
	expect(() => started.reload({ ...config, metrics: { port } })).toThrow('mistake')
	started.reload(config)
})

test('the port may come from an environment variable', async () => {
	const config = { metrics: { port: { env: 'METRICS_PORT' } }, upstream: { url: 'builtin:demo' }, routes: [route] }
	const started = await gateway(config, [canonical], { METRICS_PORT: '0' })
	expect(started.metricsUrl).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/metrics$/)
	for (const [value, mistake] of [
		['70000', 'metrics.port.env: the variable must hold a number up to 65535'],
		['', 'metrics.port.env: the variable must hold a number up to 65535'],
	] as const)
		await expect(gateway(config, [canonical], { METRICS_PORT: value })).rejects.toMatchObject({ mistakes: [mistake] })
	await expect(gateway(config)).rejects.toMatchObject({
		mistakes: ['metrics.port.env: the environment variable METRICS_PORT is not set'],
	})
	for (const [port, mistake] of [
		[-1, 'metrics.port: must be at least 0'],
		['9464', 'metrics.port: must be a number from 0 to 65535, or { "env": "NAME" }'],
	] as const)
		await expect(gateway({ ...config, metrics: { port } })).rejects.toMatchObject({ mistakes: [mistake] })
})

/** Says which of the packages that measure a program loads. */
const tellsOfPackages = `
	import { registerHooks } from 'node:module'
	registerHooks({ resolve(name, context, next) {
		const found = next(name, context)
		if (/node_modules\\/(prom-client|@opentelemetry)\\//.test(found.url)) process.stderr.write('loaded ' + found.url + '\\n')
		return found
	} })
`

test('what measures is loaded only by a configuration that asks for it', async () => {
	const config = { upstream: { url: 'builtin:demo' }, routes: [route] }
	const without = await start(config, { preload: tellsOfPackages })
	await without.send({ path: '/in', body: JSON.stringify({ version: 1, event: { kind: 'message', text: 'Hi' } }) })
	await without.end()
	expect(without.written()).not.toContain('loaded ')
	const measured = await start({ ...config, metrics }, { preload: tellsOfPackages })
	await measured.end()
	expect(measured.written()).toContain('prom-client')
})
