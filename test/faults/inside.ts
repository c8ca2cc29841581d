/** A gateway in this process, without a network: for what must be tried more often than sockets allow. */
import { adapters } from '../../adapters/index.ts'
import { type ConfigContext, readConfig } from '../../src/config/index.ts'
import { createApp } from '../../src/http/index.ts'
import { createRuntime } from '../../src/node/node-runtime.ts'
import type { LogLine, Runtime } from '../../src/runtime.ts'
import { demo } from '../../src/upstream/index.ts'
import type { Sent } from '../runtime/http.ts'
import type { Trial } from './row.ts'

export interface Inside {
	readonly runtime: Runtime
	/** The paths that the app itself knows, `*` among them. */
	readonly paths: readonly string[]
	/** Its log so far; a row may empty it. */
	readonly lines: LogLine[]
	/** Takes a call; its headers need not be such as a client would send. */
	take(sent: Sent): Promise<Response>
}

/** What may be other than in a gateway that is started. */
export interface Parts extends Partial<Pick<ConfigContext, 'adapters' | 'demo'>> {
	/** Parts of the runtime of which the row has its own. */
	lend?(runtime: Runtime): Partial<Runtime>
}

/** A gateway with this configuration, these secrets, and what the row has of its own; `demo` answers behind `builtin:demo`. */
export function gatewayInside(
	trial: Pick<Trial, 'after'>,
	config: object,
	env: { readonly [name: string]: string } = {},
	{ lend = () => ({}), ...parts }: Parts = {},
): Inside {
	const lines: LogLine[] = []
	const lent = createRuntime((line) => lines.push(line))
	trial.after(() => lent.close())
	const runtime: Runtime = { ...lent, ...lend(lent) }
	const { routes } = readConfig(config, { adapters, env, loopback: true, demo, ...parts })
	const sent = new WeakMap<Request, Required<Pick<Sent, 'path' | 'headers'>>>()
	const app = createApp({
		...{ routes, runtime },
		fieldsOf: (request) => sent.get(request)?.headers ?? [],
		targetOf: (request) => sent.get(request)?.path ?? '/',
	})
	return {
		...{ runtime, lines, paths: app.routes.map(({ path }) => path) },
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
