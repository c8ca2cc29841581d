/** Version 3: the functions of the state have a number in their names, as those of the outbox do. */
import type { Migration } from './migration.ts'

/**
 * The release before calls the functions without a number, which lead to the others. The version after this one deletes
 * them.
 */
const sql = `
	ALTER FUNCTION dragoman.take_steps(json) RENAME TO take_steps_1;
	CREATE FUNCTION dragoman.take_steps(steps json) RETURNS TABLE (word text, value text)
	LANGUAGE sql AS $$ SELECT * FROM dragoman.take_steps_1(steps) $$;

	ALTER FUNCTION dragoman.empty_partition() RENAME TO empty_partition_1;
	CREATE FUNCTION dragoman.empty_partition() RETURNS void
	LANGUAGE sql AS $$ SELECT dragoman.empty_partition_1() $$;
`

export const stateFunctions: Migration = { name: 'state-functions', sql, compatible: 1 }
