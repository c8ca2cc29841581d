/** What the gateway tells the upstream about a turn, beside the event. */
import type { Change } from './change.ts'
import type { ReplyFeature } from './features.ts'
import type { Json } from './json.ts'

/** What the gateway tells the upstream about the turn, beside the event. */
export interface Turn {
	/** Minted by the gateway, the same over retries. */
	readonly id: string
	/** The route's name; its path may hold secrets. */
	readonly route: string
	/** The adapter that took the call. */
	readonly platform: string
	/** RFC 3339. */
	readonly receivedAt: string
	/** Whether and how an answer can reach the user. */
	readonly answer: 'now' | 'push' | 'never'
	/** RFC 3339: when the answer must have left the gateway. Absent: nobody waits. */
	readonly answerBy?: string
	/** Names of the reply features that the platform carries; limits at `/-/carries/<route>`. */
	readonly carries: readonly ReplyFeature[]
	/** What the event lost on its way. */
	readonly changes: readonly Change[]
	/** The platform's call, on routes that ask for it, with secrets redacted. */
	readonly raw?: Json
}
