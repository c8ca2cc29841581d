/** A batch as the values of the function that commits it: an array for each column. */
import type { CommonOutboxSettings } from '../../../config/index.ts'
import { firstAttempt } from '../../../delivery/index.ts'
import { type Encryption, hashConversation } from '../encryption.ts'
import type { Batch } from '../store.ts'
import type { StoredOutcome } from '../stored-outcomes.ts'

/** A new event as it is stored. */
interface NewEvent {
	readonly id: string
	readonly route: string
	readonly payload: string
	readonly lane: Uint8Array | null
	/** This process is delivering it already. */
	readonly mine: boolean
}

export interface BatchValues {
	/** In the order of the function's parameters, from `stripes` on. */
	readonly values: readonly unknown[]
	readonly events: readonly NewEvent[]
}

export interface ValuesContext {
	readonly settings: CommonOutboxSettings
	readonly encryption: Encryption
	/** Conversations are hashed with it. */
	readonly salt: string
	/** The lane of an event that this process has claimed. */
	laneOf(id: string): Uint8Array | null
}

/** The number of values of a batch. */
export const batchParameters = 23

/** A text as the server stores it: it knows no U+0000, and no half of a pair of surrogates. */
export function storable(text: string): string {
	return text.toWellFormed().replaceAll('\0', '\ufffd')
}

/** The values. Moments become durations: the clock of this process is not that of the server. */
export function valuesOf(batch: Batch, context: ValuesContext): BatchValues {
	const { settings, encryption, salt, laneOf } = context
	const { now, outcomes, room } = batch
	const payloads: Uint8Array[] = []
	let length = 0
	function encrypt(id: string, payload: string) {
		const { key, bytes } = encryption.encrypt(id, payload)
		payloads.push(bytes)
		length += bytes.length
		// Strings begin at 1.
		return { key, from: length - bytes.length + 1, length: bytes.length }
	}
	const pushes = outcomes.flatMap((outcome, i) => {
		const { pushes = [] } = 'pushes' in outcome ? outcome : {}
		return pushes.map(({ id, payload }, j) => {
			const stored = storable(id)
			return { id: stored, outcome: i + 1, place: j - pushes.length, ...encrypt(stored, payload) }
		})
	})
	const events = batch.entries.flatMap(({ route, conversation, rows, underWay = false }) => {
		const lane = conversation === undefined ? null : hashConversation(salt, conversation)
		const wait = firstAttempt(settings, now, Math.random()) - now
		return rows.map(({ id, payload }) => {
			const stored = storable(id)
			const given = { id: stored, route: storable(route), lane, wait, mine: underWay, payload }
			return { ...given, ...encrypt(stored, payload) }
		})
	})
	const ended = outcomes.flatMap(({ id, result, ...rest }) => {
		const stays = result === 'postponed' || (result === 'failed' && 'keepsOrder' in rest)
		return stays ? [] : (laneOf(storable(id)) ?? [])
	})
	const lanes = [...ended, ...events.flatMap(({ lane }) => lane ?? [])]
	const routes = Object.entries(room).filter(([, count]) => count > 0)
	return {
		values: [
			[...new Set(lanes.map((lane) => lane[0] ?? 0))].toSorted((a, b) => a - b),
			distinct(ended),
			Buffer.concat(payloads),
			outcomes.map(({ id }) => storable(id)),
			outcomes.map(({ result }) => result),
			outcomes.map((outcome) => waitOf(outcome, now)),
			outcomes.map(wordsOf),
			...(['id', 'outcome', 'place', 'key', 'from', 'length'] as const).map((name) => pushes.map((push) => push[name])),
			...(['id', 'route', 'lane', 'wait', 'mine', 'key', 'from', 'length'] as const).map((name) =>
				events.map((event) => event[name]),
			),
			routes.map(([route]) => storable(route)),
			routes.map(([, count]) => count),
		],
		events,
	}
}

function distinct(lanes: readonly Uint8Array[]): Uint8Array[] {
	return [...new Map(lanes.map((lane) => [Buffer.from(lane).toString('latin1'), lane])).values()]
}

/** Milliseconds until the next attempt; null: there is none. */
function waitOf(outcome: StoredOutcome, now: number): number | null {
	if (outcome.result === 'failed') return outcome.nextAt - now
	return outcome.result === 'postponed' ? outcome.until - now : null
}

/** The error as operators see it: its code, and the words of a platform's API. */
function wordsOf(outcome: StoredOutcome): string | null {
	if (outcome.result === 'delivered') return null
	const reason = 'reason' in outcome ? outcome.reason : undefined
	return storable(reason === undefined ? outcome.error : `${outcome.error} (${reason})`)
}
