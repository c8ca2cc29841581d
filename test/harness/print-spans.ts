/** Prints each span of a program on standard error, as an SDK would export it: `node --import` this file. */
import { trace } from '@opentelemetry/api'
import { type ReadableSpan, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'

const exporter = {
	export(spans: readonly ReadableSpan[], done: (result: { code: number }) => void) {
		for (const span of spans) {
			const { name, attributes, status, links, events } = span
			const state = span.spanContext().traceState?.serialize()
			process.stderr.write(`${JSON.stringify({ name, attributes, status, links, events, state })}\n`)
		}
		done({ code: 0 })
	},
	async forceFlush() {},
	async shutdown() {},
}

trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }))
