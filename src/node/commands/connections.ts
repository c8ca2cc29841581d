/** `dragoman connections`: manages the webhooks of a ChatBot account. */
import { readConfigFile } from '../config-file.ts'
import { runConnections } from '../connections/connections-command.ts'
import { readDotenv } from '../dotenv.ts'
import type { Command } from './command.ts'

export const command: Command = {
	async run(args, { configFile, env: own }) {
		const { env } = await readDotenv(configFile, own)
		return runConnections(args, {
			env,
			config: () => readConfigFile(configFile),
			say: console.log,
			report: console.error,
		})
	},
}
