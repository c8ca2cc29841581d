/** What V8's inspector records inside a program that is under load. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { folder } from '../test/harness/scope.ts'
import type { Trial } from './experiment.ts'
import { load } from './load.ts'
import { configOf, startBare, startGateway } from './peers.ts'
import type { Running } from './processes.ts'
import { startUpstream } from './turns.ts'
import { call, target } from './work.ts'

/** What to record, as methods of the inspector. */
export interface Recording {
	/** Called in this order to begin, with their parameters. */
	readonly start: readonly (readonly [method: string, parameters: object])[]
	readonly stop: string
}

/** What was recorded, and in how many turns. */
export interface Recorded {
	readonly recorded: unknown
	readonly turns: number
}

/** Records in the gateway, and then in the bare program. */
export async function recordBoth(
	trial: Trial,
	recording: Recording,
): Promise<{ readonly gateway: Recorded; readonly bare: Recorded }> {
	const upstream = await startUpstream(trial)
	const hook = `${upstream.url}/hook`
	const home = folder(trial)
	const files = { gateway: join(home, 'gateway'), bare: join(home, 'bare') }
	const gateway = await startGateway(trial, configOf(hook), { args: recorder(recording, files.gateway) })
	const bare = await startBare(trial, hook, recorder(recording, files.bare))
	return { gateway: await record(trial, gateway, files.gateway), bare: await record(trial, bare, files.bare) }
}

/** Options of Node for a program that begins to record when it is asked to, and then writes the record to a file. */
function recorder({ start, stop }: Recording, file: string): readonly string[] {
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

/** Records for one round on 32 connections, once the program is compiled. */
async function record(trial: Trial, { pid, url }: Running, file: string): Promise<Recorded> {
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
