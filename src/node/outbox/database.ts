/** Opens the outbox's database file: its lock, its log, and its settings for durability. */
import { randomUUID } from 'node:crypto'
import * as fs from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { writtenCommand } from '../written-command.ts'
import { checkpoint, createMoveLog, deleteMarks, isMarked, type MoveLog } from './checkpoint.ts'
import { checkFormat, createDatabase } from './database-format.ts'
import { OutboxError, sqlite, sqliteCode } from './outbox-error.ts'

/** An open file. */
export interface Opened {
	readonly db: DatabaseSync
	/** The real path, so that two paths to one file share one lock. */
	readonly file: string
	readonly moveLog: MoveLog
	close(): void
}

/** A file that is open beside a gateway. */
export interface OpenedBeside extends Opened {
	/** Moves the log into the file and empties it, which takes every trace out of it. False: the log is being read. */
	emptyLog(): boolean
}

/** How a file is opened by its owner. */
export interface Ownership {
	/** Tells this process from others. */
	readonly owner: string
	/** Opens the file even if its log is lost. */
	readonly acceptLostLog?: boolean
}

/** Milliseconds that a transaction waits for another process, such as `dragoman outbox` beside the gateway. */
const busyTimeout = 5000
/** Milliseconds that emptying the log waits for those who read it. */
const shortBusyTimeout = 50

/** Bytes that the log file keeps on disk when it is written from its beginning again. */
const logBytes = 1024 * 1024

/** What SQLite keeps of the file in memory. It goes through all of it at each commit that has balanced an index. */
const cacheKibibytes = 8 * 1024

/** Opens the file for the one gateway that delivers from it; creates it if there is none. Throws an OutboxError. */
export function openAsOwner(path: string, ownership: Ownership): Opened {
	const file = placeOf(path)
	const lock = lockOf(file)
	try {
		if (!fs.existsSync(file) || fs.statSync(file).size === 0) createDatabase(file)
		const examined = examine(file, ownership)
		try {
			return own(file, ownership, examined, lock)
		} catch (thrown) {
			examined.close()
			throw thrown
		}
	} catch (thrown) {
		lock.close()
		throw unusable(path, thrown)
	}
}

function own(file: string, { owner }: Ownership, examined: DatabaseSync, lock: DatabaseSync): Opened {
	const db = connect(file)
	try {
		// What an interrupted process left in the log is moved to the file with our own writes and fsync.
		checkpoint(db, 'PASSIVE')
		unmark(db)
		const moveLog = createMoveLog(db, owner)
		moveLog()
		return {
			db,
			file,
			moveLog,
			close() {
				// The last connection that writes deletes the log. While there is a mark, the log must stay.
				if (unmark(db)) examined.close()
				db.close()
				if (examined.isOpen) examined.close()
				lock.close()
			},
		}
	} catch (thrown) {
		db.close()
		throw thrown
	}
}

/** False: the disk is full or fails. */
function unmark(db: DatabaseSync): boolean {
	try {
		if (db.isTransaction) db.exec('ROLLBACK')
		deleteMarks(db)
		return true
	} catch {
		return false
	}
}

/** Opens an existing file, beside a gateway that may be running. Throws an OutboxError. */
export function openBeside(path: string): OpenedBeside {
	try {
		const file = placeOf(path)
		if (!fs.existsSync(file)) throw new OutboxError('disk', `There is no outbox at ${path}.`)
		// The owner has examined the file; reading all of it again would take long.
		const examined = new DatabaseSync(file, { readOnly: true, timeout: busyTimeout })
		try {
			checkFormat(examined, path)
			checkLog(examined, file)
		} finally {
			examined.close()
		}
		const db = connect(file)
		const moveLog = createMoveLog(db, randomUUID())
		return {
			db,
			file,
			moveLog,
			emptyLog() {
				// While it waits for readers, it holds the lock that the gateway needs.
				db.exec(`PRAGMA busy_timeout = ${shortBusyTimeout}`)
				const emptied = checkpoint(db, 'PASSIVE') && checkpoint(db, 'TRUNCATE')
				db.exec(`PRAGMA busy_timeout = ${busyTimeout}`)
				moveLog()
				return emptied
			},
			close() {
				// If the gateway was killed while it moved the log, this may be the last connection, which deletes the log.
				unmark(db)
				db.close()
			},
		}
	} catch (thrown) {
		throw unusable(path, thrown)
	}
}

function placeOf(path: string): string {
	try {
		return fs.existsSync(path) ? fs.realpathSync(path) : join(fs.realpathSync(dirname(path)), basename(path))
	} catch (cause) {
		throw new OutboxError('disk', `The folder of the outbox ${path} does not exist. Create it.`, { cause })
	}
}

// The kernel releases the lock when this process ends, so a crash leaves none behind.
function lockOf(file: string): DatabaseSync {
	const lockFile = `${file}.lock`
	const lock = new DatabaseSync(lockFile, { timeout: 0 })
	try {
		lock.exec('PRAGMA journal_mode = MEMORY; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE')
		fs.chmodSync(lockFile, 0o600)
		return lock
	} catch (cause) {
		lock.close()
		if (sqliteCode(cause) !== sqlite.busy) throw cause
		const advice = 'Stop it, or give this gateway its own file.'
		throw new OutboxError('in-use', `Another gateway is using the outbox ${file}. ${advice}`, { cause })
	}
}

/** Reads the whole file before anything is written to it, so that a broken file stays unchanged. */
function examine(file: string, { acceptLostLog = false }: Ownership): DatabaseSync {
	const db = new DatabaseSync(file, { readOnly: true })
	try {
		checkFormat(db, file)
		if (!acceptLostLog) checkLog(db, file)
		const [first] = db.prepare('PRAGMA integrity_check(1)').all()
		if (first?.integrity_check !== 'ok') throw corrupt(file)
		return db
	} catch (thrown) {
		db.close()
		throw thrown
	}
}

/** Throws if the file had a log when it was last written, and has none now. */
function checkLog(db: DatabaseSync, file: string): void {
	// A process that was killed while it moved the log leaves a mark, but also a log with that mark in it.
	if (!isMarked(db) || (fs.statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0) return
	const lost = `The log ${file}-wal is missing, and with it the latest changes of the outbox ${file}, which was not closed.`
	const advice = `Restore both; or run "${writtenCommand('outbox accept-lost-log')}" to go on without it.`
	throw new OutboxError('lost-log', `${lost} ${advice}`)
}

function connect(file: string): DatabaseSync {
	const db = new DatabaseSync(file, { timeout: busyTimeout })
	db.exec(`
		PRAGMA journal_mode = WAL;
		PRAGMA synchronous = FULL;
		PRAGMA fullfsync = ON;
		PRAGMA checkpoint_fullfsync = ON;
		PRAGMA wal_autocheckpoint = 0;
		PRAGMA journal_size_limit = ${logBytes};
		PRAGMA secure_delete = ON;
		PRAGMA temp_store = MEMORY;
		PRAGMA cache_size = ${-cacheKibibytes};
	`)
	const mode = db.prepare('PRAGMA journal_mode').get()?.journal_mode
	const synchronous = db.prepare('PRAGMA synchronous').get()?.synchronous
	if (mode === 'wal' && synchronous === 2) {
		fs.chmodSync(file, 0o600)
		return db
	}
	db.close()
	throw new OutboxError('disk', `The file system of ${file} cannot store an outbox durably. Put it on another.`)
}

function corrupt(file: string, cause?: unknown): OutboxError {
	const advice = 'It was not changed. Move it and its -wal file aside, or restore a copy.'
	return new OutboxError('corrupt', `The outbox ${file} is corrupt. ${advice}`, { cause })
}

function isDiskFull(path: string): boolean {
	const folder = dirname(path)
	return fs.existsSync(folder) && fs.statfsSync(folder).bavail === 0
}

/** Whatever was thrown while the file was opened, as an OutboxError. */
export function unusable(path: string, thrown: unknown): OutboxError {
	if (thrown instanceof OutboxError) return thrown
	const code = sqliteCode(thrown)
	if (code === sqlite.corrupt || code === sqlite.notADatabase) return corrupt(path, thrown)
	const reason = isDiskFull(path) ? 'the disk is full' : thrown instanceof Error ? thrown.message : String(thrown)
	return new OutboxError('disk', `The outbox ${path} cannot be opened: ${reason}.`, { cause: thrown })
}
