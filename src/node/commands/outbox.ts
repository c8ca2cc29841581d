/** `dragoman outbox`: lists stored events, and puts back or deletes them. */
import { ConfigError, readOutbox } from '../../config/index.ts'
import { readConfigFile } from '../config-file.ts'
import { readDotenv } from '../dotenv.ts'
import { exitCode } from '../exit-code.ts'
import { asksForHelp, outboxHelp, runOutbox } from '../outbox/outbox-command.ts'
import type { Command } from './command.ts'

export const command: Command = {
	async run(args, { configFile, env: own }) {
		if (asksForHelp(args)) {
			console.log(outboxHelp)
			return exitCode.ok
		}
		const { env } = await readDotenv(configFile, own)
		const settings = readOutbox(await readConfigFile(configFile), env)
		if (!settings) throw new ConfigError(['outbox: is missing'])
		return runOutbox(args, settings, console.log, console.error)
	},
}
