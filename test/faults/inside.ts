/** A gateway in this process, without a network: for what must be tried more often than sockets allow. */
import { adapters } from '../../adapters/index.ts'
import { createApp } from '../../src/app.ts'
import { readConfig } from '../../src/config/index.ts'
import { demo } from '../../src/demo.ts'
import { createRuntime } from '../../src/node/runtime.ts'
import type { LogLine, Runtime } from '../../src/runtime.ts'
import type { Sent } from '../runtime/http.ts'
import type { Trial } from './row.ts'

export interface Inside {
	readonly runtime: Runtime
	/** Its log so far; a row may empty it. */
	readonly lines: LogLine[]
	/** Takes a call; its headers need not be such as a client would send. */
	take(sent: Sent): Promise<Response>
}

/** A gateway with this configuration, these secrets, and a runtime of which the row may lend parts of its own. */
export function gatewayInside(
	trial: Trial,
	config: object,
	env: { readonly [name: string]: string } = {},
	lend: (runtime: Runtime) => Partial<Runtime> = () => ({}),
): Inside {
	const lines: LogLine[] = []
	const lent = createRuntime((line) => lines.push(line))
	trial.after(() => lent.close())
	const runtime: Runtime = { ...lent, ...lend(lent) }
	const { routes } = readConfig(config, { adapters, env, loopback: true, demo })
	const sent = new WeakMap<Request, Required<Pick<Sent, 'path' | 'headers'>>>()
	const app = createApp({
		...{ routes, runtime },
		fieldsOf: (request) => sent.get(request)?.headers ?? [],
		targetOf: (request) => sent.get(request)?.path ?? '/',
	})
	return {
		...{ runtime, lines },
		async take({ method = 'POST', path, headers = [['content-type', 'application/json']], body = '' }) {
			// As Node's parser hands them over: these methods have no body.
			const bodiless = method === 'GET' || method === 'HEAD'
			const request = new Request('http://gateway.test/', { method, ...(bodiless ? {} : { body: bytesOf(body) }) })
			sent.set(request, { path, headers })
			return app.fetch(request)
		},
	}
}

function bytesOf(body: string | Buffer): Uint8Array<ArrayBuffer> {
	return new Uint8Array(Buffer.from(body))
}
