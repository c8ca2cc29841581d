/** The write-ahead log's share of the disk: how much one transaction may write, and when the log is moved into the file. */
import type { MoveLog } from './checkpoint.ts'

/** Bytes of events after which the log is moved into the file, unless the file is small. */
const maxLog = 4 * 1024 * 1024
export const pageBytes = 4096
/** Milliseconds after which a log that was being read is moved again. */
const retryAfter = 10_000

/** Counts the bytes of one more event; false if that event belongs into the next transaction. */
export type TransactionLimit = (bytes: number) => boolean

export interface LogBudget {
	/** Bytes of the log at which it is moved into the file, and which it then keeps on the disk. */
	readonly bytes: number
	/** Bytes that the log takes on the disk even when it is empty. */
	readonly reserve: number
	/** Bytes that the log may take on the disk while it cannot be moved, because it is being read. */
	readonly maxBytes: number
	/** A limit for the stored events whose rows one transaction rewrites. The first event always fits. */
	newTransaction(): TransactionLimit
	/** Counts a new event of so many bytes. */
	countInsert(bytes: number): void
	/** Moves the log into the file if it has grown beyond its budget, or if the last try did not move all of it. */
	moveIfDue(now: number): void
}

export function createLogBudget(moveLog: MoveLog, maxFileBytes: number): LogBudget {
	const bytes = Math.min(maxLog, maxFileBytes / 8)
	// Each row is written anew, and its old pages too.
	const maxRewritten = bytes / 2
	let written = 0
	let moved = true
	let triedAt = Number.NEGATIVE_INFINITY
	return {
		bytes,
		reserve: Math.max(64 * 1024, bytes / 16),
		maxBytes: 4 * bytes,
		newTransaction() {
			let rewritten = 0
			let count = 0
			return (more) => {
				rewritten += more
				if (count++ > 0 && rewritten > maxRewritten) return false
				written += 2 * more + pageBytes
				return true
			}
		},
		countInsert(more) {
			written += more + 2 * pageBytes
		},
		moveIfDue(now) {
			const due = written >= bytes || (!moved && now - triedAt >= retryAfter)
			if (!due) return
			moved = moveLog()
			triedAt = now
			written = 0
		},
	}
}
