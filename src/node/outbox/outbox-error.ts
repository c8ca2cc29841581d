/** Why an outbox cannot be opened, as an operator has to know it. */

export type OutboxErrorReason = 'in-use' | 'corrupt' | 'foreign' | 'key' | 'disk' | 'closed'

/** An outbox that cannot be opened. Nothing in its files was changed. */
export class OutboxError extends Error {
	override readonly name = 'OutboxUnusable'
	readonly reason: OutboxErrorReason

	constructor(reason: OutboxErrorReason, message: string, options?: { cause?: unknown }) {
		super(message, options)
		this.reason = reason
	}
}

/** SQLite's primary result code of what was thrown; undefined when SQLite did not throw it. */
export function sqliteCode(thrown: unknown): number | undefined {
	if (!(thrown instanceof Error && 'errcode' in thrown && typeof thrown.errcode === 'number')) return undefined
	// The low byte of an extended code.
	return thrown.errcode & 0xff
}

/** Result codes of https://www.sqlite.org/rescode.html. */
export const sqlite = { busy: 5, corrupt: 11, full: 13, notADatabase: 26 } as const
