/** What a platform's API looks like to its simulator: a state machine without clock and I/O, which refuses what the platform refuses. */
import type { CanonicalReply } from '../model/index.ts'
import type { PushCall } from './push.ts'
import type { WireRequest, WireResponse } from './wire.ts'

/** A call as it arrives at the API: its path stands behind the API's base URL. */
export type ApiCall = Pick<PushCall, 'method' | 'path' | 'headers' | 'body'>

/** What became of a call. */
export interface ApiAnswer {
	readonly response: WireResponse
	/** The id of the conversation that it was for. Absent: it was for none that there is. */
	readonly conversation?: string
	/** What the user sees of it, and what it changed in the conversation. Absent: nothing. */
	readonly seen?: CanonicalReply
	/** What the buttons of these values hold, where that is more than the value. Absent: nothing more. */
	readonly held?: ReadonlyMap<string, string>
	/** What it changed beside conversations, in one line. Absent: nothing. */
	readonly note?: string
}

/** A call that the platform makes before it answers. */
export interface Callback {
	readonly url: string
	readonly call: WireRequest
	/** Milliseconds after which the platform stops waiting. */
	readonly deadline: number
	/** The answer to the caller. Takes what came back, or why nothing did. */
	settle(outcome: WireResponse | 'timeout' | 'unreachable'): ApiAnswer
}

/** The simulated API of a platform. */
export interface SimulatedApi {
	/**
	 * A call of the webhook, signed, as the platform makes it: with a token for this API. From then on the API knows the
	 * token, and the conversation.
	 */
	admit(call: WireRequest): WireRequest
	/** Answers a call of the API. */
	answer(call: ApiCall): ApiAnswer
}

/** The simulated API with which customers manage what they have on a platform. */
export interface SimulatedManagementApi {
	/** Answers a call, or says which call the platform makes first. */
	answer(call: ApiCall): ApiAnswer | Callback
}

/** What a simulated management API depends on. */
export interface ManagementApiOptions {
	/** Unix time in milliseconds. */
	now(): number
	/** A new unique id. */
	newId(): string
	/** The credential that callers must have. Absent: any is accepted, but there must be one. */
	readonly token?: string
}
