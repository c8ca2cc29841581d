/**
 * The transactions of the outbox, as functions in the server: one round trip each, however many events they change. The
 * number in a name is that of the form: another form gets another name, so that two releases run beside each other.
 *
 * What keeps the order of a conversation: all that inserts into a lane, or ends an event of it, first takes the lock of the
 * lane's stripe, which is the first byte of its hash. So one process at a time decides who is the head. Stripes, because
 * locks of single lanes would not fit into the server's memory; in ascending order, so that nobody waits in a circle.
 */

/** Bytes that a row takes besides its payload, roughly, with its entries in the indexes. */
export const rowBytes = 256

/** Bytes of payloads that are claimed at once; one event may have more. */
const claimedBytes = 4 * 1024 * 1024

/** First numbers of advisory locks. */
export const lockClass = { node: 0x44726161, stripe: 0x44726162, sweep: 0x44726163 } as const

/** The stripes of lanes. */
export const stripes = 256

/**
 * One batch: what the outcomes change, which due events the process claims, and the new events. The arrays of outcomes
 * (`o_`), pushes (`p_`), new events (`n_`) and room (`r_`) have one element each; `payloads` holds the payloads of pushes
 * and events, each from a place with a length. Waits are milliseconds from now.
 *
 * A new event that is due goes to this process at once where there is room, and is then not written a second time.
 *
 * Returns a row for each event that is claimed, without a payload if it is one of the new ones; and in the end a row without
 * an id, with the milliseconds until the next event is due for which there is room, and the bytes that all events take.
 */
const commit = `
CREATE FUNCTION dragoman.commit_1(
	node integer, blocks boolean, keeps_delivered boolean, keys text[], may_notify boolean,
	stripes integer[], ended_lanes bytea[], payloads bytea,
	o_id text[], o_result text[], o_wait float8[], o_error text[],
	p_id text[], p_outcome integer[], p_place integer[], p_key text[], p_from integer[], p_length integer[],
	n_id text[], n_route text[], n_lane bytea[], n_wait float8[], n_mine boolean[], n_key text[], n_from integer[],
	n_length integer[],
	r_route text[], r_count integer[]
) RETURNS TABLE (
	id text, route text, lane bytea, key text, payload bytea, failed integer, age float8, interrupted boolean,
	next_in float8, used bigint
) LANGUAGE plpgsql SET search_path = dragoman, pg_temp AS $function$
#variable_conflict use_column
DECLARE
	moment timestamptz;
	change bigint := 0;
	change_ended bigint := 0;
	part bigint;
	part_ended bigint;
	taken bigint[] := '{}';
	r_left integer[] := r_count;
	claimed_new text[];
	moment_next timestamptz;
	waiting_since timestamptz;
BEGIN
	PERFORM pg_advisory_xact_lock(${lockClass.stripe}, stripe) FROM unnest(stripes) AS stripe;
	moment := clock_timestamp();

	IF cardinality(p_id) > 0 THEN
		-- A push of an event that was put back replaces what is left of the one before.
		WITH replaced AS (
			DELETE FROM events AS old USING unnest(p_id, p_outcome) AS p(id, outcome), events AS of_event
			WHERE old.id = p.id AND old.state <> 'waiting' AND of_event.id = o_id[p.outcome] AND of_event.owner = node
			RETURNING octet_length(old.payload) AS bytes
		)
		SELECT coalesce(sum(bytes + ${rowBytes}), 0), coalesce(sum(bytes), 0) INTO part, part_ended FROM replaced;
		change := change - part;
		change_ended := change_ended - part_ended;
	END IF;

	IF cardinality(o_id) > 0 THEN
		WITH o AS MATERIALIZED (
			SELECT * FROM unnest(o_id, o_result, o_wait, o_error) AS o(id, result, wait, error)
		), removed AS (
			DELETE FROM events AS e USING o
			WHERE e.id = o.id AND e.owner = node AND o.result = 'delivered' AND NOT keeps_delivered
			RETURNING e.id, e.seq, e.route, e.lane, octet_length(e.payload) + ${rowBytes} AS bytes
		), changed AS (
			UPDATE events AS e SET
				state = CASE WHEN o.result IN ('delivered', 'dead') THEN o.result ELSE e.state END,
				head = e.head AND o.result IN ('failed', 'postponed'),
				attempts = e.attempts + CASE o.result WHEN 'postponed' THEN 0 ELSE 1 END,
				owner = NULL,
				next_at = CASE WHEN o.wait IS NULL THEN e.next_at ELSE moment + o.wait * interval '1 ms' END,
				ended_at = CASE WHEN o.result IN ('delivered', 'dead') THEN moment END,
				error = o.error
			FROM o WHERE e.id = o.id AND e.owner = node AND (o.result <> 'delivered' OR keeps_delivered)
			RETURNING e.id, e.seq, e.route, e.lane, e.state, octet_length(e.payload) AS bytes
		), places AS (
			SELECT id, seq, route, lane FROM removed
			UNION ALL SELECT id, seq, route, lane FROM changed WHERE state <> 'waiting'
		), pushed AS (
			INSERT INTO events (seq, id, route, lane, head, accepted_at, next_at, key, payload)
			SELECT places.seq + p.place, p.id, places.route, places.lane, places.lane IS NULL, moment, moment, p.key,
				substring(payloads FROM p.start FOR p.length)
			FROM unnest(p_id, p_outcome, p_place, p_key, p_from, p_length) AS p(id, outcome, place, key, start, length)
			JOIN places ON places.id = o_id[p.outcome]
			ON CONFLICT DO NOTHING RETURNING octet_length(payload) + ${rowBytes} AS bytes
		)
		SELECT coalesce((SELECT sum(bytes) FROM pushed), 0) - coalesce((SELECT sum(bytes) FROM removed), 0),
			coalesce((SELECT sum(bytes) FROM changed WHERE state <> 'waiting'), 0)
		INTO part, part_ended;
		change := change + part;
		change_ended := change_ended + part_ended;
		PERFORM promote_1(ended_lanes, blocks);
	END IF;

	IF cardinality(r_route) > 0 THEN
		WITH due AS MATERIALIZED (
			SELECT d.seq, r.i, row_number() OVER () AS n, d.bytes
			FROM unnest(r_route, r_count) WITH ORDINALITY AS r(route, count, i), LATERAL (
				SELECT e.seq, octet_length(e.payload) AS bytes FROM events AS e
				WHERE e.state = 'waiting' AND e.head AND e.owner IS NULL AND e.route = r.route AND e.next_at <= moment
				AND (e.key IS NULL OR e.key = ANY (keys))
				ORDER BY e.next_at, e.seq LIMIT r.count FOR UPDATE SKIP LOCKED
			) AS d
		), fitting AS (
			SELECT seq, i FROM (SELECT seq, i, sum(bytes) OVER (ORDER BY n) - bytes AS before FROM due) AS summed
			WHERE before < ${claimedBytes}
		), claimed AS (
			UPDATE events AS e SET owner = node FROM fitting WHERE e.seq = fitting.seq RETURNING e.seq, fitting.i
		)
		SELECT coalesce((SELECT array_agg(seq) FROM claimed), '{}'), array_agg(
			r.count - (SELECT count(*) FROM claimed WHERE claimed.i = r.i)::integer ORDER BY r.i
		) INTO taken, r_left FROM unnest(r_count) WITH ORDINALITY AS r(count, i);
		IF cardinality(taken) > 0 THEN
			RETURN QUERY SELECT e.id, e.route, e.lane, e.key, e.payload, e.attempts,
				extract(epoch FROM moment - e.accepted_at)::float8 * 1000, e.lapses > 0, NULL::float8, NULL::bigint
			FROM events AS e WHERE e.seq = ANY (taken);
		END IF;
	END IF;

	IF cardinality(n_id) > 0 THEN
		WITH n AS MATERIALIZED (
			SELECT n.*, n.lane IS NULL OR (row_number() OVER (PARTITION BY n.lane ORDER BY n.i) = 1 AND NOT EXISTS (
				SELECT FROM events AS e WHERE e.state = 'waiting' AND e.lane = n.lane AND (blocks OR e.attempts = 0)
			)) AS head
			FROM unnest(n_id, n_route, n_lane, n_wait, n_mine, n_key, n_from, n_length)
				WITH ORDINALITY AS n(id, route, lane, wait, mine, key, start, length, i)
			-- What a batch stored of which the answer was lost comes again.
			WHERE NOT EXISTS (SELECT FROM events AS e WHERE e.id = n.id)
		), ranked AS (
			SELECT n.*, n.head AND NOT n.mine AND n.wait <= 0 AS due, row_number() OVER (
				PARTITION BY n.route, n.head AND NOT n.mine AND n.wait <= 0 ORDER BY n.i
			) AS rank FROM n
		), added AS (
			INSERT INTO events AS e (id, route, lane, head, owner, accepted_at, next_at, key, payload)
			SELECT ranked.id, ranked.route, ranked.lane, ranked.head,
				CASE WHEN ranked.mine OR (due AND rank <= r.room) THEN node END, moment,
				moment + ranked.wait * interval '1 ms', ranked.key, substring(payloads FROM start FOR length)
			FROM ranked LEFT JOIN unnest(r_route, r_left) AS r(route, room) ON r.route = ranked.route
			ORDER BY ranked.i
			ON CONFLICT DO NOTHING RETURNING e.id, e.route, e.owner, octet_length(e.payload) + ${rowBytes} AS bytes
		), mine AS (
			SELECT array_agg(added.id) AS ids FROM added JOIN n ON n.id = added.id
			WHERE added.owner = node AND NOT n.mine
		)
		SELECT (SELECT sum(bytes) FROM added), mine.ids, array_agg(
			r.room - (SELECT count(*) FROM added WHERE added.route = r.route AND added.id = ANY (mine.ids))::integer ORDER BY r.i
		) INTO part, claimed_new, r_left
		FROM mine LEFT JOIN unnest(r_route, r_left) WITH ORDINALITY AS r(route, room, i) ON true GROUP BY mine.ids;
		change := change + coalesce(part, 0);
		RETURN QUERY SELECT new.id, NULL::text, NULL::bytea, NULL::text, NULL::bytea, 0, 0::float8, false, NULL::float8, NULL::bigint
		FROM unnest(claimed_new) AS new(id);
	END IF;

	IF change <> 0 OR change_ended <> 0 THEN
		UPDATE nodes SET bytes = bytes + change, ended_bytes = ended_bytes + change_ended WHERE nodes.id = node;
	END IF;

	SELECT min(next.next_at) FILTER (WHERE r.room > 0), min(next.next_at) FILTER (WHERE r.room <= 0)
	INTO moment_next, waiting_since
	FROM unnest(r_route, r_left) AS r(route, room), LATERAL (
		SELECT e.next_at FROM events AS e
		WHERE e.state = 'waiting' AND e.head AND e.owner IS NULL AND e.route = r.route AND (e.key IS NULL OR e.key = ANY (keys))
		ORDER BY e.next_at LIMIT 1
	) AS next;
	-- There is no room here for what is due: perhaps another process has some.
	IF may_notify AND waiting_since <= moment THEN NOTIFY dragoman_outbox; END IF;
	RETURN QUERY SELECT NULL::text, NULL::text, NULL::bytea, NULL::text, NULL::bytea, NULL::integer, NULL::float8, NULL::boolean,
		extract(epoch FROM moment_next - moment)::float8 * 1000, (SELECT sum(bytes)::bigint FROM nodes);
END
$function$;
`

/** Makes the next event of each lane its head, where an event ended or failed. The stripes are locked. */
const promote = `
CREATE FUNCTION dragoman.promote_1(lanes bytea[], blocks boolean) RETURNS void
LANGUAGE plpgsql SET search_path = dragoman, pg_temp AS $function$
BEGIN
	UPDATE events SET head = true WHERE seq IN (
		SELECT next.seq FROM unnest(lanes) AS l(lane), LATERAL (
			SELECT e.seq FROM events AS e WHERE e.state = 'waiting' AND e.lane = l.lane AND NOT e.head ORDER BY e.seq LIMIT 1
		) AS next
		WHERE NOT EXISTS (
			SELECT FROM events AS e
			WHERE e.state = 'waiting' AND e.lane = l.lane AND e.head AND (blocks OR e.attempts = 0)
		)
	);
END
$function$;
`

/**
 * Takes back the events of processes that ended: whose lock can be taken. An event that was in progress when so many ended
 * may be the cause, and becomes a dead letter. Returns the number of processes.
 */
const takeBack = `
CREATE FUNCTION dragoman.take_back_1(node integer, blocks boolean, max_lapses integer) RETURNS integer
LANGUAGE plpgsql SET search_path = dragoman, pg_temp AS $function$
DECLARE
	gone integer[];
	suspects bytea[];
	suspect_bytes bigint;
BEGIN
	SELECT array_agg(id) INTO gone FROM nodes WHERE id NOT IN (0, node) AND pg_try_advisory_xact_lock(${lockClass.node}, id);
	IF gone IS NULL THEN RETURN 0; END IF;
	PERFORM pg_advisory_xact_lock(${lockClass.stripe}, stripe) FROM generate_series(0, ${stripes - 1}) AS stripe;
	WITH released AS (
		UPDATE events SET owner = NULL, lapses = lapses + 1,
			state = CASE WHEN lapses + 1 < max_lapses THEN 'waiting' ELSE 'dead' END,
			head = head AND lapses + 1 < max_lapses,
			ended_at = CASE WHEN lapses + 1 < max_lapses THEN NULL ELSE clock_timestamp() END,
			error = CASE WHEN lapses + 1 < max_lapses THEN error ELSE 'internal' END
		WHERE state = 'waiting' AND owner = ANY (gone)
		RETURNING state, lane, octet_length(payload) AS bytes
	), dead AS (SELECT lane, bytes FROM released WHERE state = 'dead')
	SELECT array_agg(DISTINCT lane) FILTER (WHERE lane IS NOT NULL), coalesce(sum(bytes), 0) INTO suspects, suspect_bytes
	FROM dead;
	PERFORM promote_1(suspects, blocks);
	WITH removed AS (DELETE FROM nodes WHERE id = ANY (gone) RETURNING bytes, ended_bytes),
		summed AS (SELECT sum(bytes) AS bytes, sum(ended_bytes) AS ended_bytes FROM removed)
	UPDATE nodes SET bytes = nodes.bytes + coalesce(summed.bytes, 0),
		ended_bytes = nodes.ended_bytes + coalesce(summed.ended_bytes, 0) + suspect_bytes
	FROM summed WHERE id = 0;
	NOTIFY dragoman_outbox;
	RETURN cardinality(gone);
END
$function$;
`

/**
 * Deletes ended events when they are old, and the oldest of them when they take too many bytes, delivered ones first; at
 * most so many at once. One process at a time does so. Returns how many went before their time, and whether there is more.
 */
const sweep = `
CREATE FUNCTION dragoman.sweep_1(keep_delivered float8, keep_dead float8, max_bytes bigint, most integer)
RETURNS TABLE (crowded_out integer, more boolean) LANGUAGE plpgsql SET search_path = dragoman, pg_temp AS $function$
#variable_conflict use_column
DECLARE
	room integer := most;
	excess bigint;
	deleted integer;
	bytes_deleted bigint;
	deleted_in_all integer := 0;
	bytes_in_all bigint := 0;
	early integer := 0;
	old record;
BEGIN
	IF NOT pg_try_advisory_xact_lock(${lockClass.sweep}, 0) THEN RETURN QUERY SELECT 0, false; RETURN; END IF;
	SELECT sum(ended_bytes) - max_bytes INTO excess FROM nodes;
	FOR old IN
		SELECT 'delivered' AS state, clock_timestamp() - keep_delivered * interval '1 ms' AS until, false AS early
		UNION ALL SELECT 'dead', clock_timestamp() - keep_dead * interval '1 ms', false
		UNION ALL SELECT 'delivered', 'infinity', true UNION ALL SELECT 'dead', 'infinity', true
	LOOP
		CONTINUE WHEN room <= 0 OR (old.early AND excess <= 0);
		WITH found AS (
			SELECT seq, bytes, row_number() OVER (ORDER BY ended_at, seq) AS n FROM (
				-- What an operator is changing now stays for the next sweep: to wait for it could be to wait in a circle.
				SELECT seq, octet_length(payload) AS bytes, ended_at FROM events
				WHERE state = old.state AND state <> 'waiting' AND ended_at <= old.until
				ORDER BY ended_at, seq LIMIT room FOR UPDATE SKIP LOCKED
			) AS oldest
		), going AS (
			SELECT seq FROM (SELECT seq, sum(bytes) OVER (ORDER BY n) - bytes AS before FROM found) AS summed
			WHERE NOT old.early OR before < excess
		), removed AS (
			DELETE FROM events USING going WHERE events.seq = going.seq
			RETURNING octet_length(events.payload) AS bytes
		)
		SELECT count(*), coalesce(sum(bytes), 0) INTO deleted, bytes_deleted FROM removed;
		room := room - deleted;
		excess := excess - bytes_deleted;
		deleted_in_all := deleted_in_all + deleted;
		bytes_in_all := bytes_in_all + bytes_deleted;
		IF old.early THEN early := early + deleted; END IF;
	END LOOP;
	IF deleted_in_all > 0 THEN
		UPDATE nodes SET bytes = bytes - bytes_in_all - deleted_in_all * ${rowBytes},
			ended_bytes = ended_bytes - bytes_in_all WHERE id = 0;
	END IF;
	RETURN QUERY SELECT early, room <= 0;
END
$function$;
`

export const outboxFunctions = promote + commit + takeBack + sweep
