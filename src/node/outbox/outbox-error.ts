/** The reasons why an outbox cannot be opened. */

export type OutboxErrorReason = 'in-use' | 'corrupt' | 'foreign' | 'key' | 'disk' | 'lost-log'

/** Thrown for an outbox that cannot be opened. Its files are unchanged. */
export class OutboxError extends Error {
	override readonly name = 'OutboxError'
	readonly reason: OutboxErrorReason

	constructor(reason: OutboxErrorReason, message: string, options?: { cause?: unknown }) {
		super(message, options)
		this.reason = reason
	}
}

/** The error for events, or what the outbox keeps for itself, that are encrypted with a key that is not configured. */
export function missingKey(key: string): OutboxError {
	const message = `The outbox has data encrypted with the key ${key}, which is not configured.`
	return new OutboxError('key', `${message} Append that key to "key".`)
}

/** SQLite's primary result code of a thrown value; undefined if SQLite did not throw it. */
export function sqliteCode(thrown: unknown): number | undefined {
	if (!(thrown instanceof Error && 'errcode' in thrown && typeof thrown.errcode === 'number')) return undefined
	// An extended code has the primary code in its low byte.
	return thrown.errcode & 0xff
}

/** Result codes of https://www.sqlite.org/rescode.html. */
export const sqlite = { busy: 5, corrupt: 11, full: 13, notADatabase: 26 } as const
