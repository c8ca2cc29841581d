/** `dragoman outbox`: lists stored events, and puts back or deletes them; and migrates the tables in PostgreSQL. */
import { ConfigError, readDatabases, readOutbox } from '../../config/index.ts'
import { readConfigFile } from '../config-file.ts'
import { readDotenv } from '../dotenv.ts'
import { exitCode } from '../exit-code.ts'
import { asksToMigrate, runMigrate } from '../outbox/migrate-command.ts'
import { asksForHelp, outboxHelp, runOutbox } from '../outbox/outbox-command.ts'
import type { Command } from './command.ts'

export const command: Command = {
	async run(args, { configFile, env: own }) {
		if (asksForHelp(args)) {
			console.log(outboxHelp)
			return exitCode.ok
		}
		const { env } = await readDotenv(configFile, own)
		const json = await readConfigFile(configFile)
		if (asksToMigrate(args)) return runMigrate(args, readDatabases(json, env), console.log)
		const settings = readOutbox(json, env)
		if (!settings) throw new ConfigError(['outbox: is missing'])
		return runOutbox(args, settings, console.log, console.error)
	},
}
