/**
 * The gateway on Bun, as an entry of its own would run it: Bun's server and fetch around the same app, and what Node's
 * runtime lends otherwise. Bun replaces undici by a package of its own without pools, so Node's entry cannot call
 * upstreams there. Takes the same environment variables as Node's entry.
 */
import { readFileSync } from 'node:fs'
import { adapters } from '../adapters/index.ts'
import { readConfig } from '../src/config/index.ts'
import { createApp } from '../src/http/index.ts'
import { createRuntime } from '../src/node/node-runtime.ts'
import { demo } from '../src/upstream/index.ts'
import { send } from '../src/worker/fetch-client.ts'

declare const Bun: {
	serve(options: { hostname: string; port: number; fetch(request: Request): Response | Promise<Response> }): {
		readonly url: URL
	}
}

const { env } = process
const config = JSON.parse(readFileSync(env.DRAGOMAN_CONFIG ?? '', 'utf8'))
const { routes } = readConfig(config, { adapters, env, loopback: true, demo })
const runtime = createRuntime(undefined, { send, close: async () => {} })
const app = createApp({ routes, runtime })
const { url } = Bun.serve({ hostname: '127.0.0.1', port: Number(env.PORT), fetch: (request) => app.fetch(request) })
console.error(`Listening on ${url.origin}`)
