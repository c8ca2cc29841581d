/** What administration does with the stored events, wherever they are stored, while gateways may be delivering them. */
import type { Progress } from './portions.ts'

/** An event without its content. */
export interface Row {
	readonly id: string
	readonly route: string
	readonly state: string
	/** A gateway is delivering it now. */
	readonly underWay: boolean
	readonly attempts: number
	/** Milliseconds since 1970. */
	readonly acceptedAt: number
	readonly nextAt: number
	/** The error code of its last attempt, and the words of a platform's API. */
	readonly error?: string
	readonly bytes: number
}

/** Selects the events that match every member. */
export interface EventFilter {
	readonly id?: string
	readonly state?: string
	readonly route?: string
}

type Awaitable<T> = T | Promise<T>

export interface Records {
	list(which: EventFilter, limit: number): Awaitable<readonly Row[]>
	/** The number of events by state. */
	counts(): Awaitable<readonly (readonly [state: string, count: number])[]>
	/** The stored text of an event. Throws if its key is missing or it is damaged. */
	payload(id: string): Awaitable<string | undefined>
	/**
	 * Puts dead and delivered events back, at the end of their conversations, with all attempts ahead of them. Returns their
	 * number. Like all changes, it works in portions: those that are done stay done when the process is killed.
	 */
	redrive(which: EventFilter, progress: Progress): Awaitable<number>
	/** Deletes events. Returns their number. */
	drop(which: EventFilter, progress: Progress): Awaitable<number>
	/** Deletes a conversation on every route. */
	erase(conversation: string, progress: Progress): Awaitable<Erased>
	close(): Awaitable<void>
}

/** What was deleted. */
interface Erased {
	readonly erased: number
	/** Where traces of it are left, as a sentence. Absent: nowhere. */
	readonly left?: string
}
