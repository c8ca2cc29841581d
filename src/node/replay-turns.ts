/** Replays recorded turns through a gateway: the backend answers what was recorded, or is called as the gateway would. */
import { hash } from 'node:crypto'
import * as v from 'valibot'
import { ConfigError, type Environment, readConfig } from '../config/index.ts'
import { attempt, type Clock, type DeliveryContext, defaultSchedule } from '../delivery/index.ts'
import { asGatewayError, GatewayError } from '../errors.ts'
import type { AdapterFactory, PushCall } from '../format/index.ts'
import { createApp } from '../http/index.ts'
import type { Route } from '../route.ts'
import type { Delivery, OutgoingCall, Runtime, State } from '../runtime.ts'
import {
	compareAnswer,
	comparePushes,
	compareRequest,
	countingDifferences,
	type Difference,
	type RecordedTurn,
	recordedAnswer,
	recordedCall,
} from '../simulator/index.ts'
import { systemTimers } from '../timeout.ts'
import { demo } from '../upstream/index.ts'
import { createRuntime } from './node-runtime.ts'

/** Any host and path: the gateway is not called over a network, nor is a backend whose answer is recorded. */
const host = 'http://gateway.invalid'
const path = '/replay'

/** When every turn with a recorded backend happens. */
const moment = Date.UTC(2026, 0, 1)

/** What turns are replayed with. */
export interface ReplayOptions {
	readonly adapters: readonly AdapterFactory[]
	/** The configuration with the routes that the turns name. */
	readonly config?: unknown
	/** Calls the backend of each route, with secrets from here. Absent: the backend answers what was recorded. */
	readonly backend?: { readonly env: Environment }
}

/**
 * Replays the turns one after the other, and resolves to what differs in each. Turns of one conversation share its open
 * choices and late replies. Rejects with a ConfigError.
 */
export async function replayTurns(
	turns: readonly RecordedTurn[],
	options: ReplayOptions,
): Promise<readonly (readonly Difference[])[]> {
	const base = createRuntime(() => {})
	const runtime = { ...base, state: withoutDuplicates(base.state) }
	try {
		const results: (readonly Difference[])[] = []
		for (const turn of turns) results.push(await replayTurn(turn, options, runtime))
		return results
	} finally {
		await base.close()
	}
}

/** A call of the backend, and its status, or the code of the error that it ended with. */
interface SentCall {
	readonly call: OutgoingCall
	readonly outcome: number | string
}

async function replayTurn(turn: RecordedTurn, options: ReplayOptions, base: Runtime): Promise<readonly Difference[]> {
	const { adapters, backend } = options
	const sent: SentCall[] = []
	const recording = (send: Runtime['send']): Runtime['send'] => {
		return async (call) => {
			try {
				const response = await send(call)
				sent.push({ call, outcome: response.status })
				return response
			} catch (thrown) {
				sent.push({ call, outcome: asGatewayError(thrown).code })
				throw thrown
			}
		}
	}
	const { routes } = readConfig(configOf(turn, options), {
		adapters,
		env: backend?.env ?? {},
		loopback: true,
		demo: recording(demo),
	})
	const id = turn.turnId ?? `turn_${hash('sha256', JSON.stringify(turn.call))}`
	const own = backend
		? { ...base, send: recording(base.send) }
		: { ...base, now: () => moment, newId: () => id, send: recording(async () => recordedResponse(turn)) }
	const accepted: Delivery[] = []
	const outbox = { accept: async (deliveries: readonly Delivery[]) => void accepted.push(...deliveries) }
	const runtime: Runtime = storesPushes(turn, routes, options) ? { ...own, outbox } : own
	const response = await createApp({ routes, runtime }).fetch(requestOf(turn))
	const now = { status: response.status, headers: [...response.headers], body: await response.text() }
	const pushes = await pushesOf(accepted, routes, runtime)
	return countingDifferences(turn, [
		...compareSent(turn, sent),
		...compareAnswer(turn.answer, now),
		...comparePushes(turn, pushes),
	])
}

/** Whether replies can be pushed, which takes an outbox: a route has that of its configuration. */
function storesPushes({ route }: RecordedTurn, routes: readonly Route[], { config }: ReplayOptions): boolean {
	const hasOutbox = route === undefined || v.is(v.looseObject({ outbox: v.looseObject({}) }), config)
	return hasOutbox && routes.some(({ platforms }) => platforms.some(({ adapter }) => adapter.push))
}

/** Makes what was accepted, once, up to the calls to the platform's API: those are returned, and not made. */
async function pushesOf(
	accepted: readonly Delivery[],
	routes: readonly Route[],
	runtime: Runtime,
): Promise<readonly PushCall[]> {
	const clock: Clock = { now: runtime.now, ...systemTimers }
	const context: DeliveryContext = { routes: () => routes, schedule: defaultSchedule, runtime, clock, random: () => 0 }
	const calls: PushCall[] = []
	for (const delivery of accepted) {
		const outcome = await attempt({ delivery, failed: 0, acceptedAt: clock.now(), interrupted: false }, context)
		if ('pushes' in outcome) calls.push(...(outcome.pushes ?? []).map(({ call }) => call))
	}
	return calls
}

/** The state of the conversations. The same call in several files is a turn in each, whatever its backend answers there. */
function withoutDuplicates(state: State): State {
	return { ...state, begin: (conversation, { choices }) => state.begin(conversation, choices ? { choices } : {}) }
}

function recordedResponse({ upstream }: RecordedTurn) {
	if (!upstream) throw new GatewayError('upstream-unreachable')
	return recordedAnswer(upstream.response)
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

function compareSent({ upstream }: RecordedTurn, sent: readonly SentCall[]): Difference[] {
	const call = sent[0]?.call
	if (!upstream) return call ? [{ path: 'upstream', now: { method: call.method, body: call.body } }] : []
	const { request, response } = upstream
	if (!call) return [{ path: 'upstream.request', recorded: request ?? 'a call' }]
	const failure = failureOf(response.status ?? 200, sent)
	if (!request) return failure
	const query = [...new URL(call.url).searchParams]
	const { method, headers, body } = call
	return [...compareRequest(request, { method, query, headers, body }), ...failure]
}

/** How the backend failed, unless it is as recorded: the platform only gets the failure reply. */
function failureOf(recorded: number, sent: readonly SentCall[]): Difference[] {
	const now = sent.at(-1)?.outcome
	const succeeded = typeof now === 'number' && now >= 200 && now <= 299
	return succeeded || now === recorded ? [] : [{ path: 'upstream.response.status', recorded, now }]
}

function configOf(turn: RecordedTurn, { config, backend }: ReplayOptions): unknown {
	if (turn.route !== undefined) return configOfRoute(config, turn.route, backend !== undefined)
	if (backend) throw new ConfigError(['a recorded turn without a "route" has no backend that could be called'])
	return ownConfig(turn)
}

function ownConfig({ platform, options, upstream }: RecordedTurn): unknown {
	if (platform === undefined) throw new ConfigError(['the recorded turn needs a "route" or a "platform"'])
	return {
		upstream: { url: host, ...pick(upstream, ['adapter', 'options']) },
		// The name is part of a conversation's key.
		routes: [{ name: platform, path, platform, ...(options && { options }) }],
	}
}

const Routes = v.looseObject({
	upstream: v.optional(v.looseObject({})),
	adapters: v.optional(v.unknown()),
	routes: v.array(v.looseObject({ name: v.string(), upstream: v.optional(v.looseObject({})) })),
})

/** What a route says of formats and of changes, without its secrets, and with its backend only if that is called. */
function configOfRoute(config: unknown, name: string, callsBackend: boolean): unknown {
	const { success, output } = v.safeParse(Routes, config)
	const route = success ? output.routes.find((each) => each.name === name) : undefined
	if (!success || !route) throw new ConfigError([`there is no route "${name}", which a recorded turn names`])
	const upstream = route.upstream ?? output.upstream
	return {
		upstream: callsBackend ? upstream : { url: host, ...pick(upstream, ['adapter', 'options']) },
		routes: [{ name, path, ...pick(route, ['platform', 'options', 'policy', 'failure', 'raw']) }],
	}
}

function pick(object: { readonly [name: string]: unknown } | undefined, names: readonly string[]) {
	return Object.fromEntries(Object.entries(object ?? {}).filter(([name]) => names.includes(name)))
}
