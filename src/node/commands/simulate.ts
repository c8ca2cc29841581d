/** `dragoman simulate`: plays a platform. */
import { createInterface } from 'node:readline'
import { adapters } from '../../../adapters/index.ts'
import { conversationApis, managementApis } from '../../../adapters/simulated-apis.ts'
import type { Environment } from '../../config/index.ts'
import { Refused, type UserAction } from '../../simulator/index.ts'
import { loadConfiguration } from '../configuration.ts'
import { readDotenv } from '../dotenv.ts'
import { exitCode } from '../exit-code.ts'
import { serveManagementApi } from '../simulate/api.ts'
import { type Dialogue, openDialogue } from '../simulate/dialogue.ts'
import { adapterNamed, createAdapter, routeTarget, type Target } from '../simulate/target.ts'
import type { Given, Options, Surroundings } from './command.ts'
import { defineCommand } from './define-command.ts'
import { UsageError } from './usage-error.ts'

const options = {
	route: { type: 'string', value: 'NAME', about: 'take path, options and secret from this route of the configuration' },
	url: { type: 'string', value: 'URL', about: "URL of the webhook, as entered in the platform's settings" },
	text: { type: 'string', value: 'TEXT', about: 'what the user says' },
	start: { type: 'boolean', default: false, about: 'the user opens the chat' },
	choose: {
		type: 'string',
		multiple: true,
		value: 'N',
		about: 'then the user picks option N of the answer',
	},
	secret: { type: 'string', value: 'VALUE', about: 'secret of the route' },
	'secret-env': {
		type: 'string',
		value: 'NAME',
		about: 'secret of the route, from an environment variable or the .env beside the configuration',
	},
	option: {
		type: 'string',
		multiple: true,
		value: 'NAME=VALUE',
		about: 'option of the adapter, as in the configuration; JSON values are parsed',
	},
	conversation: { type: 'string', value: 'ID', about: 'conversation to continue' },
	'default-reply': { type: 'string', value: 'TEXT', about: "the platform's own reply, on platforms that have one" },
	api: {
		type: 'string',
		value: 'PORT',
		about:
			"serve the platform's own API on this machine until Ctrl-C. With a webhook to call: the API for conversations; what comes that way is printed as it comes, and --choose waits for it. Without: the API for webhooks; --secret and --secret-env set the token that it expects",
	},
	raw: { type: 'boolean', default: false, about: 'also print the HTTP messages, those of the API included' },
	verbose: { type: 'boolean', default: false, about: 'also print all that the platform has no field for' },
	json: { type: 'boolean', default: false, about: 'print one line of JSON for each turn' },
} as const satisfies Options

type SimulateArguments = Given<typeof options>

export const command = defineCommand({
	name: 'simulate',
	usage: [
		'ADAPTER --url URL [--text TEXT | --start] [--choose N]...',
		'[ADAPTER] --route NAME [--text TEXT | --start] [--choose N]...',
		'ADAPTER --api PORT',
	],
	about: [
		'Plays a platform: calls a webhook as the platform would, and shows what its user would see. Without --text and --start you talk: type a text, the number of an option, or /start; Ctrl-D ends the dialogue.',
		`ADAPTER is one of: ${adapters.map(({ name }) => name).join(', ')}, or one that the configuration loads.`,
		`These have an API for conversations: ${Object.keys(conversationApis).join(', ')}. These have an API for webhooks: ${Object.keys(managementApis).join(', ')}.`,
	],
	options,
	examples: [
		['dragoman simulate --route canonical', 'talk to the gateway on this machine'],
		[
			'dragoman simulate canonical --url http://127.0.0.1:8787/canonical --text choices --choose 1',
			'say one thing, and press the first option of the answer',
		],
	],
	exitCodes: '0 success, 1 the platform would refuse the answer (with the reason), 2 wrong usage',
	async run(given, surroundings) {
		const { values, positionals } = given
		const [name, ...others] = positionals
		if (others.length > 0) throw new UsageError(`Unexpected argument "${others[0]}".`)
		const port = values.api === undefined ? undefined : readPort(values.api)
		const secret = await readSecret(values, surroundings)
		if (port !== undefined && values.url === undefined && values.route === undefined) {
			await serveManagementApi(adapterNamed(name, adapters).name, port, secret)
			return undefined
		}
		const target = { ...(await readTarget(name, given, surroundings)), ...(secret !== undefined && { secret }) }
		const action = readAction(values)
		const numbers = (values.choose ?? []).map(readNumber)
		const dialogue = await openDialogue({
			...target,
			...(values.conversation && { conversation: values.conversation }),
			...(values['default-reply'] && { defaultReply: values['default-reply'] }),
			...{ raw: values.raw, verbose: values.verbose, json: values.json },
			...(port !== undefined && { apiPort: port }),
		})
		try {
			if (!action) return await talk(dialogue)
			await dialogue.act(action)
			for (const number of numbers) await dialogue.choose(number)
			// What comes by the API may still come.
			if (port !== undefined) await new Promise(() => {})
			return exitCode.ok
		} catch (thrown) {
			if (!(thrown instanceof Refused)) throw thrown
			return exitCode.failed
		} finally {
			await dialogue.close()
		}
	},
})

async function readTarget(
	name: string | undefined,
	{ values: { route, url, option } }: SimulateArguments,
	{ configFile, env }: Surroundings,
): Promise<Target> {
	if (url !== undefined && (!/^https?:\/\/./.test(url) || !URL.canParse(url))) {
		throw new UsageError('--url must be an absolute URL that starts with http:// or https://.')
	}
	if (route !== undefined) {
		if (option) throw new UsageError('--option cannot be combined with --route, which has its options.')
		return { ...routeTarget(route, name, await loadConfiguration(configFile, env)), ...(url !== undefined && { url }) }
	}
	const shipped = adapters.find((each) => each.name === name)
	const factory = shipped ?? adapterNamed(name, await adaptersOf(configFile, env))
	if (url === undefined) {
		throw new UsageError('Give the URL of the webhook: --url http://127.0.0.1:8787/canonical, or a route: --route NAME')
	}
	return { factory, adapter: createAdapter(factory, option ?? []), url }
}

/** Those that come with the gateway, and those of the configuration if there is one. */
async function adaptersOf(configFile: string, env: Environment) {
	return await loadConfiguration(configFile, env).then(
		(configuration) => configuration.adapters,
		() => adapters,
	)
}

function readAction({ text, start }: SimulateArguments['values']): UserAction | undefined {
	if (text !== undefined && start) throw new UsageError('Give either --text or --start.')
	if (text === '') throw new UsageError('--text must not be empty.')
	if (start) return { start }
	return text === undefined ? undefined : { text }
}

async function readSecret(
	values: SimulateArguments['values'],
	{ configFile, env: own }: Surroundings,
): Promise<string | undefined> {
	const name = values['secret-env']
	if (name === undefined) return values.secret
	const { env } = await readDotenv(configFile, own)
	const value = env[name]
	if (!value) throw new UsageError(`${name} is not set.`)
	return value
}

function readPort(text: string): number {
	if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) throw new UsageError('--api must be a port, up to 65535.')
	return Number(text)
}

function readNumber(text: string): number {
	if (!/^[1-9]\d{0,3}$/.test(text)) throw new UsageError('--choose must be the number of an option.')
	return Number(text)
}

/** Takes what the user types, line by line, until the input ends. A refused answer does not end the dialogue. */
async function talk(dialogue: Dialogue): Promise<number> {
	const input = createInterface({
		input: process.stdin,
		output: process.stdout,
		terminal: process.stdin.isTTY,
		prompt: '> ',
	})
	let code: number = exitCode.ok
	const isTerminal = process.stdin.isTTY
	if (isTerminal) input.prompt()
	for await (const line of input) {
		const said = line.trim()
		try {
			if (/^[1-9]\d{0,3}$/.test(said) && Number(said) <= dialogue.options()) await dialogue.choose(Number(said))
			else if (said !== '') await dialogue.act(said === '/start' ? { start: true } : { text: said })
		} catch (thrown) {
			if (thrown instanceof UsageError) console.error(thrown.message)
			else if (!(thrown instanceof Refused)) throw thrown
			code = exitCode.failed
		}
		if (isTerminal) input.prompt()
	}
	return code
}
