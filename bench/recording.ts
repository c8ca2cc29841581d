/** What V8's inspector records inside a program that is under load. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import type { Trial } from './experiment.ts'
import { load } from './load.ts'
import type { Running } from './processes.ts'
import { call, target } from './work.ts'

/** What to record, as methods of the inspector. */
export interface Recording {
	/** Called in this order to begin, with their parameters. */
	readonly start: readonly (readonly [method: string, parameters: object])[]
	readonly stop: string
}

/** Options of Node for a program that begins to record when it is asked to, and then writes the record to a file. */
export function recorder({ start, stop }: Recording, file: string): readonly string[] {
	const program = `
		import { writeFileSync, renameSync } from 'node:fs'
		import { Session } from 'node:inspector'
		const file = ${JSON.stringify(file)}
		const session = new Session()
		session.connect()
		process.once('SIGUSR2', () => {
			process.once('SIGUSR2', () => {
				session.post(${JSON.stringify(stop)}, (_, { profile }) => {
					writeFileSync(file + '.part', JSON.stringify(profile))
					renameSync(file + '.part', file)
				})
			})
			for (const [method, parameters] of ${JSON.stringify(start)}) session.post(method, parameters)
		})
	`
	return ['--import', `data:text/javascript,${encodeURIComponent(program)}`]
}

/** Records for one round on 32 connections, once the program is compiled. Gives the record, and the turns of that round. */
export async function record(
	trial: Trial,
	{ pid, url }: Running,
	file: string,
): Promise<{ readonly recorded: unknown; readonly turns: number }> {
	const { warmUp, warmTurns, round } = trial.pace
	const body = `${file}.call`
	writeFileSync(body, call)
	for (let turns = 0, spent = 0; turns < warmTurns && spent < 3 * warmUp; spent += warmUp) {
		turns += (await load(`${url}${target}`, body, 32, warmUp)).turns
	}
	process.kill(pid, 'SIGUSR2')
	await wait(100)
	const { turns } = await load(`${url}${target}`, body, 32, round)
	process.kill(pid, 'SIGUSR2')
	while (!existsSync(file)) await wait(50)
	return { recorded: JSON.parse(readFileSync(file, 'utf8')), turns }
}
