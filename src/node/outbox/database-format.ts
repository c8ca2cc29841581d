/** What makes a database file an outbox: its tables, and the numbers it is known by. */
import * as fs from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { OutboxError } from './outbox-error.ts'

/** Identify the file as an outbox with the tables below. */
const applicationId = 0x44726167
const version = 1

const tables = `
	CREATE TABLE events (
		seq INTEGER PRIMARY KEY,
		id TEXT NOT NULL UNIQUE,
		route TEXT NOT NULL,
		lane BLOB,
		state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'dead')),
		head INTEGER NOT NULL CHECK (head IN (0, 1)),
		owner TEXT,
		accepted_at INTEGER NOT NULL,
		attempts INTEGER NOT NULL DEFAULT 0,
		lapses INTEGER NOT NULL DEFAULT 0,
		next_at INTEGER NOT NULL,
		ended_at INTEGER,
		error TEXT,
		key TEXT,
		payload BLOB NOT NULL
	) STRICT;
	CREATE INDEX ready ON events (route, next_at, seq) WHERE state = 'waiting' AND head = 1 AND owner IS NULL;
	CREATE INDEX lanes ON events (lane, seq) WHERE state = 'waiting' AND lane IS NOT NULL;
	CREATE INDEX ended ON events (state, ended_at) WHERE state <> 'waiting';
	CREATE TABLE meta (name TEXT PRIMARY KEY, key TEXT, value BLOB NOT NULL) STRICT;
	PRAGMA application_id = ${applicationId};
	PRAGMA user_version = ${version};
`

/** Types of statfs(2) for network file systems, where locks may not hold: NFS, SMB, CIFS, SMB2, AFS, Ceph, 9P. */
const remote = new Set([0x6969, 0x517b, 0xff534d42, 0xfe534d42, 0x5346414f, 0x00c36400, 0x01021997])

/** Creates an empty outbox, complete or not at all. Throws an OutboxError on a network file system, or if a log is left over. */
export function createDatabase(file: string): void {
	if (fs.existsSync(`${file}-wal`) && fs.statSync(`${file}-wal`).size > 0) {
		throw new OutboxError('corrupt', `The outbox ${file} is missing, but its log ${file}-wal exists. Restore both.`)
	}
	if (process.platform === 'linux' && remote.has(fs.statfsSync(dirname(file)).type)) {
		throw new OutboxError('disk', `The outbox ${file} is on a network file system. Put it on a local disk.`)
	}
	// Under another name until it is complete, so that a crash leaves no half-made file.
	const draft = `${file}.new`
	fs.rmSync(draft, { force: true })
	// Created before SQLite opens it: the log and the other files beside it get the same mode.
	fs.closeSync(fs.openSync(draft, 'wx', 0o600))
	const db = new DatabaseSync(draft)
	db.exec(`PRAGMA synchronous = FULL; BEGIN; ${tables} COMMIT`)
	db.close()
	fs.renameSync(draft, file)
	const folder = fs.openSync(dirname(file), 'r')
	fs.fsyncSync(folder)
	fs.closeSync(folder)
}

/** Throws an OutboxError if the database is no outbox, or one of another version. */
export function checkFormat(db: DatabaseSync, file: string): void {
	const id = db.prepare('PRAGMA application_id').get()?.application_id
	const found = db.prepare('PRAGMA user_version').get()?.user_version
	if (id !== applicationId) throw new OutboxError('foreign', `${file} is a database, but not an outbox.`)
	if (found !== version) {
		throw new OutboxError('foreign', `The outbox ${file} has version ${found}; this program reads version ${version}.`)
	}
}
