/** Spans for OpenTelemetry: one trace from the platform through the gateway to the backend, and no secret in it. */
import { join } from 'node:path'
import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import { beforeEach, expect, test } from 'vitest'
import { canonical } from '../../adapters/canonical/index.ts'
import { pushing } from '../harness/pushing.ts'
import { folder } from '../outbox/parts.ts'
import { call, gateway, header, json, oneWay, says, statusOnly, upstream } from '../servers.ts'

const exporter = new InMemorySpanExporter()
trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }))
beforeEach(() => exporter.reset())

const spans = (kind: SpanKind): readonly ReadableSpan[] =>
	exporter.getFinishedSpans().filter((span) => span.kind === kind)
const route = { name: 'in', path: '/in-secretly', platform: 'canonical' }
const traceId = '0af7651916cd43dd8448eb211c80319c'
const traced = {
	headers: {
		'content-type': 'application/json',
		connection: 'close',
		traceparent: `00-${traceId}-b7ad6b7169203331-01`,
		tracestate: 'vendor=1',
	},
}

test('a call, its turn and the call to the backend are one trace', async () => {
	const { url, calls } = await upstream()
	const started = await gateway({ upstream: { url: `${url}/hook?key=canary` }, routes: [route] })
	await call(`${started.url}/in-secretly`, { kind: 'message', text: 'a canary of the user' }, traced)
	const [[turn], [sent]] = [spans(SpanKind.SERVER), spans(SpanKind.CLIENT)]
	expect(turn).toMatchObject({
		name: 'POST in',
		parentSpanContext: { traceId, spanId: 'b7ad6b7169203331', isRemote: true },
		status: { code: SpanStatusCode.UNSET },
		attributes: {
			...{ 'http.request.method': 'POST', 'http.route': 'in', 'http.response.status_code': 200 },
			...{
				'dragoman.turn.id': expect.stringMatching(/^turn_/),
				'dragoman.route': 'in',
				'dragoman.platform': 'canonical',
			},
			...{ 'dragoman.upstream': 'canonical', 'dragoman.event.kind': 'message', 'dragoman.lost': 0 },
		},
	})
	const { hostname, port } = new URL(url)
	expect(sent).toMatchObject({
		name: 'POST',
		parentSpanContext: { traceId, spanId: turn?.spanContext().spanId },
		attributes: {
			...{ 'http.request.method': 'POST', 'http.response.status_code': 200 },
			...{ 'server.address': hostname, 'server.port': Number(port) },
		},
	})
	const [received] = calls
	expect(received && header(received, 'traceparent')).toBe(`00-${traceId}-${sent?.spanContext().spanId}-01`)
	expect(received && header(received, 'tracestate')).toBe('vendor=1')
	const told = JSON.stringify(
		exporter.getFinishedSpans().map(({ name, attributes, events, links }) => [name, attributes, events, links]),
	)
	for (const hidden of ['canary', 'secretly', 'hook']) expect(told).not.toContain(hidden)
})

test('a call without a trace begins one', async () => {
	const { url, calls } = await upstream()
	const started = await gateway({ upstream: { url }, routes: [route] })
	await call(`${started.url}/in-secretly`)
	const [turn] = spans(SpanKind.SERVER)
	expect(turn?.parentSpanContext).toBeUndefined()
	const [received] = calls
	expect(received && header(received, 'traceparent')).toContain(turn?.spanContext().traceId)
})

test('what fails has our error code as its type; a mistake of the caller is no fault of ours', async () => {
	const { url } = await upstream(() => statusOnly(500))
	const failure = { '*': says('Sorry') }
	const started = await gateway({ upstream: { url }, routes: [{ ...route, failure }] })
	expect((await call(`${started.url}/in-secretly`)).status).toBe(200)
	expect(spans(SpanKind.SERVER)[0]).toMatchObject({
		status: { code: SpanStatusCode.ERROR },
		attributes: { 'http.response.status_code': 200, 'error.type': 'upstream-status' },
	})
	expect(spans(SpanKind.CLIENT)[0]).toMatchObject({
		status: { code: SpanStatusCode.ERROR },
		attributes: { 'http.response.status_code': 500, 'error.type': 'upstream-status' },
	})
	exporter.reset()
	await call(`${started.url}/in-secretly`, { kind: 'nonsense' })
	expect(spans(SpanKind.SERVER)[0]).toMatchObject({
		status: { code: SpanStatusCode.UNSET },
		attributes: { 'error.type': 'field-invalid', 'http.response.status_code': 400 },
	})
})

test('a call that is repeated has a span of its own', async () => {
	const { url: backup } = await upstream()
	const config = { upstream: { url: 'http://127.0.0.1:1', backup }, routes: [route] }
	const started = await gateway(config)
	await call(`${started.url}/in-secretly`)
	expect(spans(SpanKind.CLIENT)).toMatchObject([
		{ attributes: { 'error.type': 'upstream-unreachable', 'server.port': 1 } },
		{ attributes: { 'http.request.resend_count': 1, 'http.response.status_code': 200 } },
	])
})

test('a delivery belongs to the trace of its turn, a later attempt only refers to it', async () => {
	const statuses = [503, 200]
	const { url, calls } = await upstream(() => statusOnly(statuses.shift() ?? 500))
	const outbox = { file: join(folder(), 'outbox.db'), schedule: ['0s', '10ms'] }
	const config = { outbox, upstream: { url }, routes: [{ ...route, platform: 'one-way' }] }
	const started = await gateway(config, [canonical, oneWay])
	await call(`${started.url}/in-secretly`, { kind: 'message', text: 'Hi' }, traced)
	await expect.poll(() => spans(SpanKind.CONSUMER).length).toBe(2)
	const [turn] = spans(SpanKind.SERVER)
	const [first, second] = spans(SpanKind.CONSUMER)
	expect(first).toMatchObject({
		name: 'deliver in',
		parentSpanContext: { traceId, spanId: turn?.spanContext().spanId },
		status: { code: SpanStatusCode.ERROR },
		attributes: {
			...{ 'dragoman.delivery.to': 'upstream', 'dragoman.delivery.attempt': 1, 'dragoman.delivery.result': 'failed' },
			...{ 'error.type': 'upstream-status', 'dragoman.platform': 'one-way' },
		},
	})
	expect(second?.parentSpanContext).toBeUndefined()
	expect(second).toMatchObject({
		links: [{ context: { spanId: turn?.spanContext().spanId } }],
		attributes: { 'dragoman.delivery.result': 'delivered' },
	})
	const parents = calls.map((each) => header(each, 'traceparent')?.split('-')[1])
	expect(parents).toEqual([traceId, second?.spanContext().traceId])
})

test('the calls of a push are spans of its delivery, and the platform gets no trace', async () => {
	const backend = await upstream(() =>
		json({ ...says('Hello'), control: { handover: { to: 'department', name: 'Sales' } } }),
	)
	const api = await upstream(({ path }) =>
		path === '/departments' ? json([{ name: 'Sales', id: '7' }]) : statusOnly(403),
	)
	const outbox = { file: join(folder(), 'outbox.db'), schedule: ['0s'] }
	const options = { api: api.url }
	const config = { outbox, upstream: { url: backend.url }, routes: [{ ...route, platform: 'pushing', options }] }
	const started = await gateway(config, [canonical, pushing])
	const event = { kind: 'message', text: 'Hi', conversation: 'c-canary' }
	await call(`${started.url}/in-secretly?token=canary-token`, event, traced)
	await expect.poll(() => spans(SpanKind.CONSUMER).length).toBeGreaterThan(1)
	const pushed = spans(SpanKind.CONSUMER).find(({ attributes }) => attributes['dragoman.delivery.to'] === 'platform')
	const calls = spans(SpanKind.CLIENT).filter(
		({ attributes }) => attributes['server.port'] === Number(new URL(api.url).port),
	)
	expect(calls[0]).toMatchObject({
		name: 'POST',
		parentSpanContext: { traceId, spanId: pushed?.spanContext().spanId },
		status: { code: SpanStatusCode.ERROR },
		attributes: {
			...{ 'http.request.method': 'POST', 'http.response.status_code': 403, 'error.type': 'push-refused' },
			'server.address': '127.0.0.1',
		},
	})
	expect(api.calls.flatMap(({ headers }) => headers.map(([name]) => name))).not.toContain('traceparent')
	expect(JSON.stringify(exporter.getFinishedSpans().map(({ name, attributes }) => [name, attributes]))).not.toContain(
		'canary',
	)
})

test('the holding reply ends the turn, and the call to the backend ends later', async () => {
	const { promise, resolve } = Promise.withResolvers<void>()
	const { url } = await upstream(async () => {
		await promise
		return json(says('late'))
	})
	const late = { after: 20, reply: { '*': says('One moment') } }
	const started = await gateway({ upstream: { url, timeout: 60_000 }, routes: [{ ...route, late }] })
	await call(`${started.url}/in-secretly`)
	expect(spans(SpanKind.SERVER)).toMatchObject([{ attributes: { 'dragoman.held': true } }])
	expect(spans(SpanKind.CLIENT)).toHaveLength(0)
	resolve()
	await expect.poll(() => spans(SpanKind.CLIENT).length).toBe(1)
})
