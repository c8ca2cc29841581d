/** Version 2: the state of conversations that several Nodes share. */
import { limits } from '../../../limits.ts'
import type { Migration } from './migration.ts'

/** The first number of the advisory locks of conversations; the second is a hash of the conversation. */
const lockClass = 0x44726164

/** Hours of a partition. Three of them hold all that is not forgotten, and the fourth is emptied meanwhile. */
const hours = limits.rememberedTime.value / 2

const partitions = [0, 1, 2, 3]

/**
 * `memories`: a row is a call with its claim and then its answer, a reply with open choices (most often both in one), or a
 * late reply. Nothing is deleted one by one where it can be helped: partitions are emptied as a whole, so that expiry costs
 * nothing, and there is little for the vacuum. Pages have room for the answers to the claims on them, so that an answer
 * needs no entry in the index. A row of a released claim has no `until`.
 *
 * `take_steps`: the steps of any turns, a row of a word and a value for each, in their order; see postgres-store.ts. The
 * locks of the conversations come in one order, so that two batches do not wait for each other. All times are the server's.
 * Without statistics the planner would read whole partitions.
 *
 * `empty_partition`: empties the partition that is used next, unless somebody uses it at the moment.
 */
const sql = `
	CREATE TABLE dragoman.memories (
		part smallint NOT NULL,
		conversation text NOT NULL,
		at timestamptz NOT NULL,
		call text,
		fence bigint,
		until timestamptz,
		waited boolean,
		answer text,
		bytes integer,
		reply text,
		offers integer,
		late text
	) PARTITION BY LIST (part);
	${partitions
		.map(
			(part) => `CREATE UNLOGGED TABLE dragoman.memories_${part}
				PARTITION OF dragoman.memories FOR VALUES IN (${part}) WITH (autovacuum_enabled = false, fillfactor = 50);`,
		)
		.join('\n')}
	CREATE INDEX memories_conversation ON dragoman.memories (conversation);

	CREATE FUNCTION dragoman.take_steps(steps json) RETURNS TABLE (word text, value text)
	LANGUAGE plpgsql SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
	#variable_conflict use_column
	DECLARE
		step record;
		known record;
		moment timestamptz;
		oldest timestamptz;
		current_part smallint;
		kept text;
		attached boolean;
		is_whole boolean;
		replies_bytes bigint;
	BEGIN
		PERFORM pg_advisory_xact_lock(${lockClass}, locks.key) FROM (
			SELECT DISTINCT hashtext(each ->> 'conversation') AS key FROM json_array_elements(steps) AS each ORDER BY 1
		) AS locks;
		FOR step IN SELECT * FROM json_to_recordset(steps) AS given (
			kind text, conversation text, call text, fence bigint, lease float8, choices text,
			answer text, reply text, offers integer
		) LOOP
			moment := clock_timestamp();
			oldest := moment - interval '${limits.rememberedTime.value} hours';
			current_part := floor(extract(epoch FROM moment) / ${hours * 3600})::bigint % ${partitions.length};
			word := NULL;
			value := NULL;

			IF step.kind = 'begin' THEN
				IF step.call IS NOT NULL THEN
					SELECT m.answer, m.fence, m.until, m.at INTO known FROM dragoman.memories m
					WHERE m.conversation = step.conversation AND m.call = step.call AND m.at > oldest
						AND (m.answer IS NOT NULL OR m.until > moment)
					ORDER BY m.at DESC LIMIT 1;
					IF FOUND AND known.answer IS NULL THEN
						UPDATE dragoman.memories m SET waited = true
						WHERE m.conversation = step.conversation AND m.call = step.call AND m.fence = known.fence;
						word := 'pending';
						value := ceil(extract(epoch FROM known.until - moment) * 1000)::text;
					ELSIF FOUND AND (
						SELECT count(*) <= ${limits.rememberedAnswers.value} AND sum(m.bytes) <= ${limits.rememberedAnswersBytes.value}
						FROM dragoman.memories m
						WHERE m.conversation = step.conversation AND m.answer IS NOT NULL AND m.at >= known.at
					) THEN
						word := 'answer';
						value := known.answer;
					ELSIF step.lease > 0 THEN
						INSERT INTO dragoman.memories (part, conversation, at, call, fence, until)
						VALUES (current_part, step.conversation, moment, step.call, step.fence, moment + step.lease * interval '1 ms');
					END IF;
				END IF;
				IF word IS NULL THEN
					word := 'replies';
					IF step.choices = 'close' THEN
						UPDATE dragoman.memories m SET reply = NULL, offers = NULL
						WHERE m.conversation = step.conversation AND m.reply IS NOT NULL;
					ELSIF step.choices = 'read' THEN
						SELECT json_agg(newest.reply ORDER BY newest.at DESC)::text INTO value FROM (
							SELECT m.reply, m.at FROM dragoman.memories m
							WHERE m.conversation = step.conversation AND m.reply IS NOT NULL AND m.at > oldest
							ORDER BY m.at DESC LIMIT ${limits.openReplies.value}
						) AS newest;
					END IF;
				END IF;

			ELSIF step.kind = 'settle' THEN
				kept := step.reply;
				is_whole := true;
				IF kept IS NOT NULL THEN
					SELECT (array_agg(newest.reply = step.reply ORDER BY newest.at DESC))[1] AS is_same,
						coalesce(bool_or(newest.offers > 2), false) AS any_open, coalesce(sum(newest.offers), 0) AS bytes
					INTO known FROM (
						SELECT m.reply, m.offers, m.at FROM dragoman.memories m
						WHERE m.conversation = step.conversation AND m.reply IS NOT NULL AND m.at > oldest
						ORDER BY m.at DESC LIMIT ${limits.openReplies.value}
					) AS newest;
					replies_bytes := known.bytes;
					IF known.is_same OR (step.offers = 2 AND NOT known.any_open) THEN kept := NULL; END IF;
				END IF;
				attached := false;
				IF step.call IS NOT NULL THEN
					UPDATE dragoman.memories m SET
						answer = step.answer,
						bytes = octet_length(step.answer),
						until = NULL,
						reply = kept,
						offers = CASE WHEN kept IS NULL THEN NULL ELSE step.offers END,
						at = moment
					WHERE m.conversation = step.conversation AND m.call = step.call AND m.fence = step.fence AND m.until > moment
					RETURNING m.waited INTO known;
					attached := FOUND;
					IF FOUND AND known.waited THEN
						PERFORM pg_notify('dragoman_state', step.conversation || ':' || step.call);
					END IF;
				END IF;
				IF kept IS NOT NULL THEN
					IF NOT attached THEN
						INSERT INTO dragoman.memories (part, conversation, at, reply, offers)
						VALUES (current_part, step.conversation, moment, kept, step.offers);
					END IF;
					IF replies_bytes + step.offers > ${limits.openChoicesBytes.value} THEN
						WITH newest AS (
							SELECT m.at, m.offers, sum(m.offers) OVER recent AS total, row_number() OVER recent AS place
							FROM dragoman.memories m
							WHERE m.conversation = step.conversation AND m.reply IS NOT NULL
							WINDOW recent AS (ORDER BY m.at DESC)
						), forgotten AS (
							UPDATE dragoman.memories m SET reply = NULL, offers = NULL FROM newest
							WHERE m.conversation = step.conversation AND m.reply IS NOT NULL AND m.at = newest.at
								AND (newest.place > ${limits.openReplies.value} OR newest.total > ${limits.openChoicesBytes.value})
							RETURNING newest.place <= ${limits.openReplies.value} AND newest.offers > 2 AS counts
						)
						SELECT coalesce(NOT bool_or(forgotten.counts), true) INTO is_whole FROM forgotten;
					END IF;
				END IF;
				IF random() < 0.02 THEN
					DELETE FROM dragoman.memories m USING (
						SELECT a.at, a.call, sum(a.bytes) OVER recent AS total, row_number() OVER recent AS place
						FROM dragoman.memories a
						WHERE a.conversation = step.conversation AND a.answer IS NOT NULL
						WINDOW recent AS (ORDER BY a.at DESC)
					) AS old
					WHERE m.conversation = step.conversation AND m.call = old.call AND m.at = old.at AND m.reply IS NULL
						AND (old.place > ${limits.rememberedAnswers.value} OR old.total > ${limits.rememberedAnswersBytes.value});
				END IF;
				word := 'whole';
				value := is_whole::text;

			ELSIF step.kind = 'addLateReply' THEN
				SELECT count(*) < ${limits.lateReplies.value}
					AND coalesce(sum(m.bytes), 0) + octet_length(step.reply) <= ${limits.lateRepliesBytes.value} AS fits
				INTO known FROM dragoman.memories m
				WHERE m.conversation = step.conversation AND m.late IS NOT NULL AND m.at > oldest;
				IF known.fits THEN
					INSERT INTO dragoman.memories (part, conversation, at, late, bytes)
					VALUES (current_part, step.conversation, moment, step.reply, octet_length(step.reply));
				END IF;
				word := 'stored';
				value := known.fits::text;

			ELSIF step.kind = 'takeLateReplies' THEN
				WITH taken AS (
					DELETE FROM dragoman.memories m WHERE m.conversation = step.conversation AND m.late IS NOT NULL
					RETURNING m.late, m.at
				)
				SELECT json_agg(taken.late ORDER BY taken.at)::text INTO value FROM taken WHERE taken.at > oldest;
				word := 'replies';
			END IF;
			RETURN NEXT;
		END LOOP;
	END
	$$;

	CREATE FUNCTION dragoman.empty_partition() RETURNS void
	LANGUAGE plpgsql SET lock_timeout = '100ms' AS $$
	DECLARE
		next_part integer := (floor(extract(epoch FROM clock_timestamp()) / ${hours * 3600})::bigint + 1) % ${partitions.length};
	BEGIN
		PERFORM 1 FROM dragoman.memories WHERE part = next_part LIMIT 1;
		IF FOUND THEN EXECUTE format('TRUNCATE dragoman.memories_%s', next_part); END IF;
	EXCEPTION WHEN lock_not_available THEN NULL;
	END
	$$;
`

export const state: Migration = { name: 'state', sql, compatible: 1 }
