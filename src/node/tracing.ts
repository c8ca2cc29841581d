/**
 * Spans for OpenTelemetry: one for each turn, posted reply and delivery, and one for each call to an upstream, which passes
 * the trace on, and to a platform's API, which does not. Names and attributes are those of the semantic conventions for HTTP, without what may hold a secret: of a
 * path the name of its route, of an upstream its host.
 */
import type { Attributes, Context, Span, SpanContext } from '@opentelemetry/api'
import { LRUCache } from 'lru-cache'
import type {
	BegunDelivery,
	CallObserver,
	DeliveryOutcome,
	Observer,
	TraceContext,
	TurnObserver,
	TurnOutcome,
	UpstreamCall,
} from '../observer/index.ts'

type Api = typeof import('@opentelemetry/api')

/** Turns whose spans the deliveries of their events are put under. */
const rememberedTurns = 1000

/** An SDK registers itself under this symbol: the API does not have to be loaded to know of it. */
const registration = Symbol.for('opentelemetry.js.api.1')

/** An observer that makes spans. Undefined: no OpenTelemetry SDK is registered, and nothing is loaded. */
export async function openTracing(): Promise<Observer | undefined> {
	return registration in globalThis ? createTracing(await import('@opentelemetry/api')) : undefined
}

/** An observer that makes spans with the SDK that is registered. */
function createTracing({
	context,
	createTraceState,
	isSpanContextValid,
	SpanKind,
	SpanStatusCode,
	trace,
}: Api): Observer {
	const tracer = trace.getTracer('dragoman')
	const turns = new LRUCache<string, SpanContext>({ max: rememberedTurns })

	/** What is active here, such as the span of an instrumentation; else what the call says. */
	function parentOf(told: TraceContext | undefined): Context {
		const active = context.active()
		if (!told || trace.getSpan(active)) return active
		const [, traceId = '', spanId = '', flags = ''] = told.traceparent.split('-')
		const remote = { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true }
		const { tracestate } = told
		const state = tracestate === undefined ? {} : { traceState: createTraceState(tracestate) }
		return trace.setSpanContext(active, { ...remote, ...state })
	}

	function end(span: Span, attributes: Attributes, error: string | undefined, isFault: boolean): void {
		span.setAttributes(attributes)
		if (error !== undefined) span.setAttribute('error.type', error)
		if (isFault) span.setStatus({ code: SpanStatusCode.ERROR })
		span.end()
	}

	/** Sees the calls that are made within a span: to an upstream, attempts at one and the same. */
	function callsWithin(parent: Span, to: BegunDelivery['to'] = 'upstream'): (call: UpstreamCall) => CallObserver {
		const within = trace.setSpan(context.active(), parent)
		let calls = 0
		return ({ method, origin }) => {
			const resent = calls++
			const attributes = {
				...{ 'http.request.method': method, ...addressOf(origin) },
				...(resent > 0 && to === 'upstream' && { 'http.request.resend_count': resent }),
			}
			const span = tracer.startSpan(method, { kind: SpanKind.CLIENT, attributes }, within)
			const own = span.spanContext()
			return {
				trace: isSpanContextValid(own) ? traceOf(own) : undefined,
				end({ status, error }) {
					end(span, status === undefined ? {} : { 'http.response.status_code': status }, error, error !== undefined)
				},
			}
		}
	}

	function observeTurn(span: Span): TurnObserver {
		return {
			call: callsWithin(span),
			end(outcome) {
				// Of a mistake of the caller's, the conventions say that it is none of the server's.
				const isFault = outcome.error !== undefined && (outcome.status < 400 || outcome.status > 499)
				end(span, attributesOf(outcome), outcome.error, isFault)
			},
		}
	}

	return {
		turn({ id, route, upstream, method, at, trace: told }) {
			const attributes = {
				...{ 'http.request.method': method, 'http.route': route },
				...{ 'dragoman.turn.id': id, 'dragoman.route': route, 'dragoman.upstream': upstream },
			}
			const options = { kind: SpanKind.SERVER, startTime: Date.now() - at, attributes }
			const span = tracer.startSpan(`${method} ${route}`, options, parentOf(told))
			turns.set(id, span.spanContext())
			return observeTurn(span)
		},
		postedReply({ id, route, trace: told }) {
			const attributes = {
				...{ 'http.request.method': 'POST', 'http.route': '/-/reply/:token' },
				...{ 'dragoman.turn.id': id, 'dragoman.route': route },
			}
			const span = tracer.startSpan('POST /-/reply/:token', { kind: SpanKind.SERVER, attributes }, parentOf(told))
			turns.set(id, span.spanContext())
			return observeTurn(span)
		},
		delivery({ id, route, platform, to, attempt }) {
			const attributes = {
				...{ 'dragoman.turn.id': id, 'dragoman.route': route, 'dragoman.platform': platform },
				...{ 'dragoman.delivery.to': to, 'dragoman.delivery.attempt': attempt },
			}
			// A push has a number behind the id of its turn.
			const turn = turns.get(id) ?? turns.get(id.replace(/-\d+$/, ''))
			const isFirst = attempt === 1
			const options = {
				...{ kind: SpanKind.CONSUMER, attributes, root: !isFirst },
				// A later attempt may come hours later, when nobody keeps the trace of its turn any more.
				...(turn && !isFirst && { links: [{ context: turn }] }),
			}
			const parent = turn && isFirst ? trace.setSpanContext(context.active(), turn) : context.active()
			const span = tracer.startSpan(`deliver ${route}`, options, parent)
			return {
				call: callsWithin(span, to),
				end({ result, error }: DeliveryOutcome) {
					const isFault = result === 'failed' || result === 'dead'
					end(span, { 'dragoman.delivery.result': result }, error, isFault)
				},
			}
		},
	}
}

function attributesOf({ platform, kind, status, duplicate, held, changes }: TurnOutcome): Attributes {
	const lost = changes.filter(({ did }) => did === 'dropped' || did === 'shortened').length
	return {
		...{ 'http.response.status_code': status, 'dragoman.platform': platform, 'dragoman.lost': lost },
		...(kind !== undefined && { 'dragoman.event.kind': kind }),
		...(duplicate && { 'dragoman.duplicate': true }),
		...(held && { 'dragoman.held': true }),
	}
}

function addressOf(origin: string | undefined): Attributes {
	const url = origin === undefined ? null : URL.parse(origin)
	if (!url) return {}
	const { hostname, port, protocol } = url
	return { 'server.address': hostname, 'server.port': Number(port) || (protocol === 'https:' ? 443 : 80) }
}

function traceOf({ traceId, spanId, traceFlags, traceState }: SpanContext): TraceContext {
	const traceparent = `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`
	const tracestate = traceState?.serialize() ?? ''
	return { traceparent, ...(tracestate !== '' && { tracestate }) }
}
