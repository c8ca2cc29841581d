/** The tables are migrated while Nodes use them. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { migrations } from '../../../src/node/postgres/migrations.ts'
import { dragoman } from '../../harness/command.ts'
import { startPostgres } from '../../harness/postgres.ts'
import { folder } from '../../harness/scope.ts'
import { has } from '../../tools.ts'
import { none, type Row, type Trial, unless, untried } from '../row.ts'
import { arrived, startNodes, takeTurns, tellEvents } from '../shared-outbox.ts'
import { slowest, tally, unexpected } from '../turns.ts'

/** What the next release may do to the tables: it works on them, and this one goes on. */
const nextStep = `
	ALTER TABLE dragoman.events ADD COLUMN next_release integer NOT NULL DEFAULT 0;
	CREATE INDEX events_next_release ON dragoman.events (next_release, seq);
`

/** Makes the program the next release, which knows one version more. */
const nextRelease = `
	import { migrations, programVersion } from '${import.meta.resolve('../../../src/node/postgres/migrations.ts')}'
	migrations.push({ name: 'next', sql: ${JSON.stringify(nextStep)}, compatible: programVersion })
`

/** What a run of `dragoman outbox migrate` said. */
interface Ran {
	readonly said: string
	readonly failed: boolean
}

/** Runs `dragoman outbox migrate` on a database. `preload`: a module that runs before it. */
function migrating(trial: Trial, url: string): (preload?: string) => Promise<Ran> {
	const file = join(folder(trial), 'gateway.json')
	writeFileSync(file, JSON.stringify({ outbox: { postgres: { env: 'DATABASE_URL' } } }))
	return async (preload) => {
		const options = { env: { DATABASE_URL: url }, ...(preload !== undefined && { preload }) }
		const { code, out, err } = await dragoman(['outbox', 'migrate', '--config', file], options)
		return { said: `${out}${err}`.trim().replace(/^\S+: /, ''), failed: code !== 0 }
	}
}

export const migrationsUnderLoad: Row = {
	id: 'E14',
	fault:
		'The tables are migrated under load, by several runs of `dragoman outbox migrate` at once; the next release changes them while this one runs',
	demand:
		'each version is made once; every event is acknowledged, 0 lost, order kept; turns keep their replies; a Node of this release starts on the tables of the next one',
	except:
		'no release had other tables, so the change of the next release is one made up: a column with an index on the table of events',
	async run(trial) {
		if (!has('postgres')) return untried('postgres', 'PostgreSQL is not there')
		const server = await startPostgres(trial)
		const url = await server.database()
		const run = migrating(trial, url)
		const first = await Promise.all([run(), run()])
		const cluster = await startNodes(trial, url, {
			outbox: { postgres: { env: 'DATABASE_URL', migrate: true } },
		})
		const [events, turns] = [tellEvents(trial, cluster), takeTurns(trial, cluster)]
		const rounds = trial.at(1, 10, 50)
		const again: Ran[] = []
		for (let n = 0; n < rounds; n++) {
			await wait(300)
			again.push(...(await Promise.all([run(), run()])))
		}
		const changed = await Promise.all([run(nextRelease), run(nextRelease), run()])
		await wait(500)
		await cluster.replace(0)
		await wait(trial.at(500, 3000, 10_000))
		await Promise.all([events.stop(), turns.stop()])
		const { reached, broken } = await arrived(cluster, events.said)
		const versions = await server.query('SELECT version FROM dragoman.versions ORDER BY version', url)
		const made = versions.map(({ version }) => Number(version))
		const all = [...first, ...again, ...changed]
		const changes = (runs: readonly Ran[]) => runs.filter(({ said }) => said.includes('now have version')).length
		const [told, taken] = [events.said.flat(), turns.said.flat()]
		return {
			reached: `"dragoman outbox migrate" run ${all.length} times, versions ${made.join(', ')}; ${reached}; slowest event ${slowest(told).toFixed(0)} ms, slowest turn ${slowest(taken).toFixed(0)} ms`,
			broken: [
				...broken,
				...unexpected(told, ['accepted']),
				...unexpected(taken, ['reply']),
				...none(all.filter(({ failed }) => failed).length, `runs failed: ${tally(all.map(({ said }) => said))}`),
				...unless(
					made.length === migrations.length + 1 && made.every((version, i) => version === i + 1),
					`the tables have the versions ${made.join(', ')}`,
				),
				...unless(
					[first, again, changed].map(changes).join() === '1,0,1',
					`it was migrated by ${tally(all.map(({ said }) => said))}`,
				),
			],
		}
	},
}
