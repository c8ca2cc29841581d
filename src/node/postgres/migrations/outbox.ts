/** Version 1: the tables of the outbox. */
import type { Migration } from './migration.ts'
import { outboxFunctions } from './outbox-functions.ts'

/**
 * `nodes`: the processes that share the outbox. A process holds the advisory lock of its id while it lives; node 0 is none,
 * and counts for those that ended. `bytes` is what a process has added to all events, less what it deleted.
 * `ended_bytes` the same for delivered and dead ones: each process has a row of its own, so that none waits for another.
 *
 * `events`: as in the outbox's file, with the moments by the clock of the server. `seq` leaves room for the pushes that take
 * the place of an event. The payload is not compressed, because it may be encrypted.
 */
const tables = `
	CREATE TABLE dragoman.nodes (
		id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
		bytes bigint NOT NULL DEFAULT 0,
		ended_bytes bigint NOT NULL DEFAULT 0,
		started_at timestamptz NOT NULL DEFAULT now()
	) WITH (fillfactor = 10);
	INSERT INTO dragoman.nodes (id) OVERRIDING SYSTEM VALUE VALUES (0);
	CREATE SEQUENCE dragoman.places INCREMENT BY 4096;
	CREATE TABLE dragoman.events (
		seq bigint PRIMARY KEY DEFAULT nextval('dragoman.places'),
		id text NOT NULL UNIQUE,
		route text NOT NULL,
		lane bytea,
		state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'dead')),
		head boolean NOT NULL,
		owner integer,
		accepted_at timestamptz NOT NULL DEFAULT now(),
		attempts integer NOT NULL DEFAULT 0,
		lapses integer NOT NULL DEFAULT 0,
		next_at timestamptz NOT NULL DEFAULT now(),
		ended_at timestamptz,
		error text,
		key text,
		payload bytea NOT NULL
	) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0);
	CREATE INDEX ready ON dragoman.events (route, next_at, seq) WHERE state = 'waiting' AND head AND owner IS NULL;
	CREATE INDEX lanes ON dragoman.events (lane, seq) WHERE state = 'waiting' AND lane IS NOT NULL;
	CREATE INDEX owned ON dragoman.events (owner) WHERE state = 'waiting' AND owner IS NOT NULL;
	CREATE INDEX ended ON dragoman.events (state, ended_at) WHERE state <> 'waiting';
	ALTER TABLE dragoman.events ALTER COLUMN payload SET STORAGE EXTERNAL;
	CREATE TABLE dragoman.meta (name text PRIMARY KEY, key text, value bytea NOT NULL);
`

export const outbox: Migration = { name: 'outbox', sql: tables + outboxFunctions, compatible: 1 }
