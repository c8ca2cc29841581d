/** Gateways that share a state on a real server, and what is done to that server. */
import { setTimeout as wait } from 'node:timers/promises'
import { expect } from 'vitest'
import { canonical } from '../../adapters/canonical/index.ts'
import type { WireResponse } from '../../src/format/index.ts'
import type { Observer } from '../../src/observer/index.ts'
import type { Gateway, GatewayProcess, GatewayServer, ProcessOptions } from '../harness/gateway.ts'
import type { StateKind, StateServer } from '../harness/state-servers.ts'
import { ownJson, start, testScope } from '../servers.ts'
import { until } from '../until.ts'

/** How gateways use a server. */
interface Use {
	readonly kind: StateKind
	readonly server: Pick<StateServer, 'url'>
	/** URL of the upstream. */
	readonly upstream: string
	/** Time limit of a round trip. */
	readonly timeout?: string
	readonly observer?: Observer
	/** More of the route. */
	readonly route?: object
}

/** Waits for longer than any test: no claim ends by itself. */
const patient = ownJson(canonical.name, { deadline: 600_000 })

function configOf({ kind, upstream, timeout = '10s', route }: Use): object {
	return {
		upstream: { url: upstream, timeout: 600_000 },
		routes: [{ name: 'in', path: '/in', platform: canonical.name, ...route }],
		state: { [kind.name]: { env: 'STATE_URL' }, timeout },
	}
}

/** A gateway of this process, whose platform waits for longer than a test. */
export async function node(use: Use): Promise<GatewayServer> {
	const { observer } = use
	const env = { STATE_URL: use.server.url }
	const gateway = await start(configOf(use), { as: 'server', adapters: [patient], env, ...(observer && { observer }) })
	keepsSecret(use.kind, () => JSON.stringify(gateway.lines))
	return gateway
}

/** A gateway as a process, whose platform waits for ten seconds: the adapter is that of the program. */
export async function nodeProcess(use: Use, options: ProcessOptions = {}): Promise<GatewayProcess> {
	const gateway = await start(configOf(use), { ...options, env: { STATE_URL: use.server.url } })
	keepsSecret(use.kind, gateway.written)
	return gateway
}

function keepsSecret({ password }: StateKind, written: () => string): void {
	testScope.after(() => expect(written()).not.toContain(password))
}

/** The user that every call comes from, whom no key may name. */
export const user = 'user-4711'

/** Sends a message with this id: the same id is the same call. */
export function say(gateway: Gateway, id: string, text = 'Hi'): Promise<WireResponse> {
	const event = { kind: 'message', id, text, conversation: user }
	return gateway.send({ path: '/in', body: JSON.stringify({ version: 1, event }) })
}

/** Waits until two gateways remember together: the second call of a pair gets the answer to the first. */
export async function remembersAgain(one: Gateway, other: Gateway, calls: readonly unknown[]): Promise<boolean> {
	for (let tries = 0; tries < 200; tries++) {
		const before = calls.length
		await say(one, `again ${tries}`)
		await say(other, `again ${tries}`)
		if (calls.length === before + 1) return true
		await wait(50)
	}
	return false
}

/** Lines of the log about the state. */
export function stateLines({ lines }: Gateway) {
	return lines.filter(({ msg }) => msg === 'state')
}

/** Waits until something holds, and fails the test if it does not. */
export async function eventually(holds: () => boolean): Promise<void> {
	expect(await until(holds, 20_000)).toBe(true)
}
