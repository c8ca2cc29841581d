/** The command `dragoman connections`: manages the webhooks of a ChatBot account. */
import {
	ChatBotError,
	createChatBotClient,
	managedPlatform,
	type Webhook,
	type WebhookSettings,
} from '../../../adapters/chatbot/management/index.ts'
import { type Environment, readWebhookRoute } from '../../config/index.ts'
import { writtenCommand } from '../written-command.ts'
import { type Given, readArguments, UsageError } from './arguments.ts'
import { complete, conclude, eachSecond, exit, type Job, set } from './job.ts'
import { createMask, lineOf, linesOf, maskSummary, maskWebhook, secretsOf } from './masked.ts'
import { sync } from './sync.ts'

const help = `Usage: dragoman connections COMMAND [OPTIONS]

Manages the webhooks of a ChatBot account, through ChatBot's API.

  list                       list all webhooks
  show ID                    show a webhook and which settings it has
  create                     create a webhook; ChatBot calls its URL at once, so the gateway must be running
  update ID                  change the settings that are given, and keep the others
  delete ID                  delete a webhook
  sync --route NAME          show how the webhook of a route differs from the configuration; --apply changes it

  --story ID                 create, sync: the story of the webhook
  --route NAME               create, sync: take URL, name and token from this route of the configuration
  --public-url URL           where the gateway is reached from outside (default: the "publicUrl" of the configuration);
                             the path of the route is appended
  --id ID                    sync: the webhook, where several could be meant
  --name NAME                name of the webhook (default: that of the route)
  --url URL                  URL of the webhook, instead of a route's
  --token-env NAME           token that ChatBot sends with each call (default: the first secret of the route)
  --header-env HEADER=NAME   header that ChatBot sends with each call; repeat it for several
  --username-env NAME        basic authentication that ChatBot sends with each call,
  --password-env NAME        together with the password
  --apply                    sync: make the changes
  --v1                       list, show: webhooks of version 1 of the API
  --api URL                  base URL of the API (default: https://api.chatbot.com)
  --api-token-env NAME       developer access token of the account (default: CHATBOT_API_TOKEN)
  --json                     print JSON

The options that end in -env take the name of an environment variable that holds the secret. Secrets are never printed.
The configuration of --route is --config FILE, or DRAGOMAN_CONFIG, or config/gateway.json.

Examples:

  ${writtenCommand('connections list')}
  ${writtenCommand('connections create --route chatbot --story 634fef70c56fd000073f5730')}
  ${writtenCommand('connections sync --route chatbot --public-url https://bots.example.com')}

Exit codes: 0 success, 1 ChatBot refused or failed, 2 wrong usage, 3 sync found differences and did not change them.`

/** What a run depends on. */
export interface Surroundings {
	readonly env: Environment
	/** The parsed configuration, read only for a route. */
	readonly config: () => Promise<unknown>
	/** Prints a line of the result. */
	readonly say: (line: string) => void
	/** Prints a line of progress or of advice. */
	readonly report: (line: string) => void
	/** Default: the `fetch` of the runtime. */
	readonly fetch?: typeof fetch
}

/** Runs a command, and returns the exit code. Rejects with a ConfigError if the configuration cannot be used. */
export async function runConnections(args: readonly string[], surroundings: Surroundings): Promise<number> {
	const { env, say, report } = surroundings
	let given: Given | undefined
	try {
		given = readArguments(args, env)
		if (!given) {
			say(help)
			return exit.ok
		}
		return await commands[given.command](await prepare(given, surroundings))
	} catch (thrown) {
		if (thrown instanceof UsageError) {
			report(`${thrown.message}\nRun "${writtenCommand('connections --help')}" for help.`)
			return exit.usage
		}
		if (!(thrown instanceof ChatBotError) || !given) throw thrown
		const mask = createMask([given.apiToken, ...secretsOf(given.settings)])
		const { code, status, field, message } = thrown
		if (given.json) say(JSON.stringify({ error: { code, status, field, message: mask(message) } }, null, 2))
		report(mask(message))
		for (const line of adviceOn(thrown, given)) report(line)
		// Nothing was sent.
		return code === 'invalid-input' ? exit.usage : exit.failed
	}
}

async function prepare(given: Given, { env, config, say, report, fetch }: Surroundings): Promise<Job> {
	const { api, apiToken: token, settings, route } = given
	const client = createChatBotClient({ token, ...(api !== undefined && { api }), ...(fetch && { fetch }) })
	const fromRoute = route === undefined ? {} : settingsOf(await config(), route, given.publicUrl, env)
	return { given, client, wanted: { ...fromRoute, ...settings }, say, report }
}

/** What the configuration says of a route's webhook. */
function settingsOf(
	config: unknown,
	name: string,
	givenUrl: string | undefined,
	env: Environment,
): Pick<WebhookSettings, 'name' | 'url' | 'token'> {
	const { path, platforms, secret, ...route } = readWebhookRoute(config, name, env)
	if (!platforms.includes(managedPlatform)) {
		throw new UsageError(`The platform of route ${name} is ${platforms.join(', ')}; this needs ${managedPlatform}.`)
	}
	const publicUrl = givenUrl ?? route.publicUrl
	if (publicUrl === undefined)
		throw new UsageError(
			`The configuration has no "publicUrl". Set it, or give it: --public-url https://bots.example.com`,
		)
	return { name, url: `${publicUrl}${path}`, ...(secret !== undefined && { token: secret }) }
}

const commands: { readonly [C in Given['command']]: (job: Job) => Promise<number> } = {
	async list({ given, client, say, report }) {
		const { apiToken, json, v1 } = given
		const mask = createMask([apiToken])
		const webhooks = await (v1 ? client.v1 : client).list({ onProgress: eachSecond(report) })
		if (json)
			say(
				JSON.stringify(
					webhooks.map((webhook) => maskSummary(webhook, mask)),
					null,
					2,
				),
			)
		else {
			for (const webhook of webhooks) say(lineOf(webhook, mask))
			say(webhooks.length === 1 ? '1 webhook' : `${webhooks.length || 'no'} webhooks`)
		}
		return exit.ok
	},

	async show({ given, client, say }) {
		const { id, apiToken, json, v1 } = given
		const webhook = await (v1 ? client.v1 : client).show(id)
		const mask = createMask([apiToken, ...secretsOf(webhook)])
		if (json) say(JSON.stringify(maskWebhook(webhook, mask), null, 2))
		else for (const line of linesOf(webhook, mask)) say(line)
		return exit.ok
	},

	async create({ given, client, wanted, say }) {
		const { json, story = '', apiToken } = given
		const { id } = await client.create({ storyId: story, ...complete(wanted) })
		say(json ? JSON.stringify({ id }, null, 2) : `Webhook ${createMask([apiToken])(id)} created.`)
		return exit.ok
	},

	async update({ given, client, wanted, say, report }) {
		const { id, json } = given
		const present = await client.show(id)
		const left = await set(client, present, { ...settingsIn(present), ...wanted }, given)
		say(json ? JSON.stringify({ id, left }, null, 2) : `Webhook ${id} updated.`)
		return conclude(left, report)
	},

	async delete({ given, client, say }) {
		const { id, json } = given
		await client.delete(id)
		say(json ? JSON.stringify({ id }, null, 2) : `Webhook ${id} deleted.`)
		return exit.ok
	},

	sync,
}

function settingsIn({ name, url, token, headers, auth }: Webhook): WebhookSettings {
	return { name, url, ...(token !== undefined && { token }), ...(headers && { headers }), ...(auth && { auth }) }
}

/** What to do about an error, beside what it says itself. */
function adviceOn({ code }: ChatBotError, { command, apiTokenName }: Given): string[] {
	const creates = command === 'create' || command === 'sync'
	if (code === 'unauthorized') return [`The token is from ${apiTokenName}; --api-token-env names another variable.`]
	if (code === 'refused' && creates) {
		return [
			'ChatBot calls a new webhook with its token: the gateway must be running, reachable at its URL, and know it.',
		]
	}
	if (creates && (code === 'timeout' || code === 'unreachable' || code === 'failed')) {
		return ['The webhook may exist all the same: list the webhooks before you try again.']
	}
	return []
}
