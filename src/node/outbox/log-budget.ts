/** The write-ahead log's share of the disk: how much one transaction may write, and when the log is checkpointed. */
import type { DatabaseSync } from 'node:sqlite'
import { checkpoint } from './database.ts'

/** Bytes of events after which the log is checkpointed, unless the file is small. */
const maxLog = 4 * 1024 * 1024
export const pageBytes = 4096

/** Counts the bytes of one more event; false if that event belongs into the next transaction. */
export type TransactionLimit = (bytes: number) => boolean

export interface LogBudget {
	/** Bytes of the log at which it is checkpointed. */
	readonly bytes: number
	/** A limit for the stored events whose rows one transaction rewrites. The first event always fits. */
	newTransaction(): TransactionLimit
	/** Counts a new event of so many bytes. */
	countInsert(bytes: number): void
	/** Checkpoints the log if it has grown beyond its budget. */
	checkpointIfDue(): void
}

export function createLogBudget(db: DatabaseSync, maxFileBytes: number): LogBudget {
	const bytes = Math.min(maxLog, maxFileBytes / 8)
	// Each row is written anew, and its old pages too.
	const maxRewritten = bytes / 2
	let written = 0
	return {
		bytes,
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
		checkpointIfDue() {
			if (written < bytes) return
			checkpoint(db, 'PASSIVE')
			written = 0
		},
	}
}
