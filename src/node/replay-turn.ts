/** Replays a recorded turn through a gateway without a network: the backend answers what was recorded. */
import * as v from 'valibot'
import { ConfigError, readConfig } from '../config/index.ts'
import { GatewayError } from '../errors.ts'
import type { AdapterFactory } from '../format/index.ts'
import { createApp } from '../http/index.ts'
import type { OutgoingCall } from '../runtime.ts'
import {
	compareAnswer,
	compareRequest,
	type Difference,
	type RecordedTurn,
	recordedAnswer,
	recordedCall,
} from '../simulator/index.ts'
import { createRuntime } from './node-runtime.ts'

/** Any host and path: nothing is connected to. */
const host = 'http://gateway.invalid'
const path = '/replay'

/** When every replayed turn happens. */
const moment = Date.UTC(2026, 0, 1)

/** Replays the turn, and resolves to what differs. `config` is read for a route. Rejects with a ConfigError. */
export async function replayTurn(
	turn: RecordedTurn,
	adapters: readonly AdapterFactory[],
	config: () => Promise<unknown>,
): Promise<readonly Difference[]> {
	const json = turn.route === undefined ? ownConfig(turn) : configOfRoute(await config(), turn.route)
	const { routes } = readConfig(json, { adapters, env: {}, loopback: true })
	const sent: OutgoingCall[] = []
	let ids = 0
	const base = createRuntime(() => {})
	const runtime = {
		...base,
		now: () => moment,
		newId: () => `turn_${++ids}`,
		async send(call: OutgoingCall) {
			sent.push(call)
			if (!turn.upstream) throw new GatewayError('upstream-unreachable')
			return recordedAnswer(turn.upstream.response)
		},
	}
	try {
		const response = await createApp({ routes, runtime }).fetch(requestOf(turn))
		const now = { status: response.status, headers: [...response.headers], body: await response.text() }
		return [...compareSent(turn, sent), ...compareAnswer(turn.answer, now)]
	} finally {
		await base.close()
	}
}

function requestOf({ call }: RecordedTurn): Request {
	const { method, query, headers, body } = recordedCall(call)
	const search = new URLSearchParams(query.map(([name, value]) => [name, value])).toString()
	return new Request(`${host}${path}${search === '' ? '' : `?${search}`}`, {
		method,
		headers: headers.map(([name, value]) => [name, value]),
		...(body !== '' && { body }),
	})
}

function compareSent({ upstream }: RecordedTurn, sent: readonly OutgoingCall[]): Difference[] {
	const [call] = sent
	if (!upstream) return call ? [{ path: 'upstream', now: { method: call.method, body: call.body } }] : []
	if (!call) return [{ path: 'upstream.request', recorded: upstream.request ?? 'a call' }]
	if (!upstream.request) return []
	const query = [...new URL(call.url).searchParams]
	return compareRequest(upstream.request, { method: call.method, query, headers: call.headers, body: call.body })
}

function ownConfig({ platform, options, upstream }: RecordedTurn): unknown {
	if (platform === undefined) throw new ConfigError(['the recorded turn needs a "route" or a "platform"'])
	return {
		upstream: { url: host, ...pick(upstream, ['adapter', 'options']) },
		routes: [{ name: 'replay', path, platform, ...(options && { options }) }],
	}
}

const Routes = v.looseObject({
	upstream: v.optional(v.looseObject({})),
	adapters: v.optional(v.unknown()),
	routes: v.array(v.looseObject({ name: v.string(), upstream: v.optional(v.looseObject({})) })),
})

/** What a route says of formats and of changes, without its secrets and its real backend. */
function configOfRoute(config: unknown, name: string): unknown {
	const { success, output } = v.safeParse(Routes, config)
	const route = success ? output.routes.find((each) => each.name === name) : undefined
	if (!success || !route) throw new ConfigError([`there is no route "${name}", which a recorded turn names`])
	return {
		upstream: { url: host, ...pick(route.upstream ?? output.upstream, ['adapter', 'options']) },
		routes: [{ name, path, ...pick(route, ['platform', 'options', 'policy', 'failure', 'raw']) }],
	}
}

function pick(object: { readonly [name: string]: unknown } | undefined, names: readonly string[]) {
	return Object.fromEntries(Object.entries(object ?? {}).filter(([name]) => names.includes(name)))
}
