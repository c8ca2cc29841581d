/** The tables are migrated while Nodes use them. */
import { setTimeout as wait } from 'node:timers/promises'
import { migrate, migrations, programVersion } from '../../../src/node/postgres/migrations.ts'
import { startPostgres } from '../../harness/postgres.ts'
import { has } from '../../tools.ts'
import { type Row, unless, untried } from '../row.ts'
import { arrived, preparedDatabase, startNodes, takeTurns, tellEvents } from '../shared-outbox.ts'
import { slowest, tally, unexpected } from '../turns.ts'

/** What the next release may do to the tables: it works on them, and this one goes on. */
const next = {
	name: 'next',
	sql: `
		ALTER TABLE dragoman.events ADD COLUMN next_release integer NOT NULL DEFAULT 0;
		CREATE INDEX events_next_release ON dragoman.events (next_release, seq);
	`,
	compatible: programVersion,
}

export const migrationsUnderLoad: Row = {
	id: 'E14',
	fault: 'The tables are migrated under load, by several at once; the next release changes them while this one runs',
	demand:
		'each version is made once; every event is acknowledged, 0 lost, order kept; turns keep their replies; a Node of this release starts on the tables of the next one',
	except:
		'no release had other tables, so the change of the next release is one made up: a column with an index on the table of events',
	async run(trial) {
		if (!has('postgres')) return untried('postgres', 'PostgreSQL is not there')
		const server = await startPostgres(trial)
		const url = await preparedDatabase(server)
		const settings = { url, migrate: false }
		const cluster = await startNodes(trial, url, {
			outbox: { postgres: { env: 'DATABASE_URL', migrate: true } },
		})
		const [events, turns] = [tellEvents(trial, cluster), takeTurns(trial, cluster)]
		const rounds = trial.at(2, 10, 50)
		for (let n = 0; n < rounds; n++) {
			await wait(300)
			await Promise.all([migrate(settings), migrate(settings)])
		}
		const steps = [...migrations, next]
		const changed = await Promise.all([migrate(settings, steps), migrate(settings, steps), migrate(settings)])
		await wait(500)
		await cluster.replace(0)
		await wait(trial.at(500, 3000, 10_000))
		await Promise.all([events.stop(), turns.stop()])
		const { reached, broken } = await arrived(cluster, events.said)
		const versions = await server.query('SELECT version FROM dragoman.versions ORDER BY version', url)
		const made = versions.map(({ version }) => Number(version))
		const [told, taken] = [events.said.flat(), turns.said.flat()]
		return {
			reached: `migrated ${2 * rounds + changed.length} times, versions ${made.join(', ')}; ${reached}; slowest event ${slowest(told).toFixed(0)} ms, slowest turn ${slowest(taken).toFixed(0)} ms`,
			broken: [
				...broken,
				...unexpected(told, ['accepted']),
				...unexpected(taken, ['reply']),
				...unless(
					made.length === steps.length && made.every((version, i) => version === i + 1),
					`the tables have the versions ${made.join(', ')}`,
				),
				...unless(
					changed.filter(({ from, to }) => from < to).length === 1,
					`it was migrated by ${tally(changed.map(({ from, to }) => `${from} to ${to}`))}`,
				),
			],
		}
	},
}
