/** Why a PostgreSQL database cannot be used. */

/**
 * `unreachable`: no connection. `read-only`: a standby, or a server after a failover. `unsafe`: it would lose what it has
 * confirmed. `schema`: its tables are missing, or of another release. `encoding`: it cannot store every text. `too-old`: the
 * server is of a release that our tables do not work with. `rights`: the user lacks some, which `dragoman check` looks for.
 * `refused`: the server refused a statement, as it does without the right to it.
 */
export type DatabaseUnusableReason =
	| 'unreachable'
	| 'read-only'
	| 'unsafe'
	| 'schema'
	| 'encoding'
	| 'too-old'
	| 'rights'
	| 'refused'

/** Thrown for a database that cannot be used as it is. Nothing in it was changed. */
export class DatabaseUnusable extends Error {
	override readonly name = 'DatabaseUnusable'
	readonly reason: DatabaseUnusableReason

	constructor(reason: DatabaseUnusableReason, message: string, options?: { cause?: unknown }) {
		super(message, options)
		this.reason = reason
	}
}
