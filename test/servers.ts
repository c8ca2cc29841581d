/** What tests start: gateways and upstreams on this machine, ended when the test ends. */
import { onTestFinished } from 'vitest'
import { canonical } from '../adapters/canonical/index.ts'
import { type Adapter, type AdapterFactory, defineAdapter } from '../src/format/index.ts'
import { type GatewayServer, starter } from './harness/gateway.ts'
import { json, says } from './harness/http.ts'
import type { Scope } from './harness/scope.ts'
import { type Scripts, startUpstream, type Upstream } from './harness/upstream.ts'

export { header, json, says, statusOnly } from './harness/http.ts'

/** The test that runs. */
export const testScope: Scope = {
	after: (end) =>
		onTestFinished(async () => {
			await end()
		}),
}

/** Starts a gateway: `start(config, { as })`. */
export const start = starter(testScope)

/** An upstream that does what its script says; without one, it says "Hello". */
export function upstream(scripts: Scripts = () => json(says('Hello'))): Promise<Upstream> {
	return startUpstream(testScope, scripts)
}

/** An address of this machine where nothing listens. */
export async function nobody(): Promise<string> {
	const { url, shut } = await upstream()
	await shut()
	return url
}

/** An adapter of the gateway's own JSON that differs in what a test looks at. */
export function ownJson(name: string, differs: Partial<Adapter> = {}): AdapterFactory {
	return defineAdapter({ ...canonical, name, create: () => ({ ...canonical.create(), ...differs }) })
}

/** A gateway with these routes, in this process. */
export function gateway(
	config: object,
	adapters: readonly AdapterFactory[] = [canonical],
	env: { readonly [name: string]: string } = {},
): Promise<GatewayServer> {
	return start(config, { as: 'server', adapters, env })
}

/** A gateway with one route at `/in`, whose upstream is this one. */
export function gatewayTo(
	url: string,
	route: object = {},
	adapters?: readonly AdapterFactory[],
): Promise<GatewayServer> {
	const routes = [{ name: 'in', path: '/in', platform: 'canonical', ...route }]
	return gateway({ upstream: { url }, routes }, adapters)
}

/** Calls as a platform that speaks the gateway's own JSON. */
export function call(url: string, event: object = { kind: 'message', text: 'Hi' }, init: RequestInit = {}) {
	return fetch(url, {
		method: 'POST',
		headers: { 'content-type': 'application/json', connection: 'close' },
		body: JSON.stringify({ version: 1, event }),
		redirect: 'manual',
		...init,
	})
}

/** A platform that reads no answer: the gateway's own JSON, one way. */
export const oneWay = ownJson('one-way', { reply: () => undefined })
