/** The simulator on the command line: `npm run simulate -- --help`. */
import { randomUUID } from 'node:crypto'
import { parseArgs } from 'node:util'
import * as v from 'valibot'
import { adapters } from '../../adapters/index.ts'
import { conversationApis, managementApis } from '../../adapters/simulated-apis.ts'
import { GatewayError } from '../errors.ts'
import { type Adapter, type AdapterFactory, type ApiAnswer, type ApiCall, compact } from '../format/index.ts'
import { readLimited } from '../http/index.ts'
import { type CanonicalReply, type Choice, emptyReply } from '../model/index.ts'
import type { OutgoingCall } from '../runtime.ts'
import { describeExpected, keysOf, pathOf } from '../schema/index.ts'
import {
	describeChange,
	Refused,
	renderReply,
	type SimulatedTurn,
	type Simulation,
	selectableOptions,
	simulate,
	type UserAction,
} from '../simulator/index.ts'
import { createRuntime } from './node-runtime.ts'
import { type SimulatedApiServer, serveSimulatedApi } from './simulated-api-server.ts'

const help = `Plays a platform: calls a webhook as the platform would, and shows what its user would see.

  npm run simulate -- ADAPTER --url URL [--text TEXT | --start] [--choose N]...
  npm run simulate -- ADAPTER --url URL --text TEXT --api PORT [--choose N]...
  npm run simulate -- ADAPTER --api PORT

For example, against the demo bot of a gateway on this machine:

  npm run simulate -- canonical --url http://127.0.0.1:8787/canonical --text choices --choose 1

ADAPTER is one of: ${adapters.map(({ name }) => name).join(', ')}.
These have an API for conversations: ${Object.keys(conversationApis).join(', ')}.
These have an API for webhooks: ${Object.keys(managementApis).join(', ')}.

  --url URL            URL of the webhook, as entered in the platform's settings
  --text TEXT          what the user says
  --start              the user opens the chat
  --choose N           then the user picks option N of the answer; repeat it to answer further
  --secret VALUE       secret of the route
  --secret-env NAME    secret of the route, from an environment variable
  --option NAME=VALUE  option of the adapter, as in the route's configuration; JSON values are parsed
  --conversation ID    conversation to continue
  --default-reply TEXT the platform's own reply, on platforms that have one
  --raw                also print the HTTP messages, those of the platform's API included
  --api PORT           serve the platform's own API on this machine until you press Ctrl-C. With --url: the API for
                       conversations, at http://127.0.0.1:PORT; what comes that way is printed as it comes, and --choose
                       waits for it. Without --url: the API for webhooks; --secret and --secret-env set the token that
                       it expects, otherwise any will do
  --help               print this text

Exit codes: 0 success, 1 the platform would reject the answer (with the reason), 2 wrong usage.`

/** The command was wrong: shown without a stack. */
class UsageError extends Error {}

try {
	const args = readArgs()
	if (!args) console.log(help)
	else if ('port' in args) await serveApi(args)
	else await run(args)
} catch (thrown) {
	process.exitCode = thrown instanceof UsageError ? 2 : 1
	if (!(thrown instanceof UsageError || thrown instanceof Refused)) throw thrown
	console.error(thrown.message)
	if (thrown instanceof Refused && thrown.defaultReply) {
		console.log(renderReply({ ...emptyReply, messages: thrown.defaultReply }))
	}
	if (thrown instanceof Refused && thrown.answer?.status === 404) {
		console.error('404: wrong path, or missing or wrong secret (--secret-env NAME)')
	}
}

interface Args {
	readonly factory: AdapterFactory
	readonly adapter: Adapter
	readonly url: string
	readonly deed: UserAction
	readonly choose: readonly number[]
	readonly secret?: string
	readonly conversation?: string
	readonly defaultReply?: string
	readonly raw: boolean
	/** The port of the API for conversations. */
	readonly apiPort?: number
}

/** The API to serve, instead of a call to make. */
interface ApiArgs {
	readonly name: string
	readonly port: number
	readonly secret?: string
}

function readArgs(): Args | ApiArgs | undefined {
	const { values, positionals } = parseArguments()
	if (values.help || process.argv.length <= 2) return undefined
	const [name, ...others] = positionals
	const factory = adapters.find((each) => each.name === name)
	if (!factory || others.length > 0) throw new UsageError('Give the name of one adapter; --help lists them.')
	const secret = values['secret-env'] === undefined ? values.secret : process.env[values['secret-env']]
	if (values['secret-env'] !== undefined && !secret) throw new UsageError(`${values['secret-env']} is not set.`)
	const port = values.api === undefined ? undefined : readPort(values.api)
	if (port !== undefined && values.url === undefined) {
		return { name: factory.name, port, ...(secret !== undefined && { secret }) }
	}
	if (values.url === undefined)
		throw new UsageError('Give the URL of the webhook: --url http://127.0.0.1:8787/canonical')
	if (!/^https?:\/\/./.test(values.url) || !URL.canParse(values.url)) {
		throw new UsageError('--url must be an absolute URL that starts with http:// or https://.')
	}
	if ((values.text === undefined) === !values.start) throw new UsageError('Give either --text or --start.')
	if (values.text === '') throw new UsageError('--text must not be empty.')
	return {
		factory,
		adapter: createAdapter(factory, values.option),
		url: values.url,
		deed: values.text === undefined ? { start: true } : { text: values.text },
		choose: values.choose.map((text) => {
			if (!/^[1-9]\d{0,3}$/.test(text)) throw new UsageError('--choose must be the number of an option.')
			return Number(text)
		}),
		...(secret !== undefined && { secret }),
		...(values.conversation && { conversation: values.conversation }),
		...(values['default-reply'] && { defaultReply: values['default-reply'] }),
		raw: values.raw,
		...(port !== undefined && { apiPort: port }),
	}
}

function parseArguments() {
	try {
		return parseArgs({
			allowPositionals: true,
			options: {
				url: { type: 'string' },
				text: { type: 'string' },
				start: { type: 'boolean', default: false },
				choose: { type: 'string', multiple: true, default: [] },
				secret: { type: 'string' },
				'secret-env': { type: 'string' },
				option: { type: 'string', multiple: true, default: [] },
				conversation: { type: 'string' },
				'default-reply': { type: 'string' },
				raw: { type: 'boolean', default: false },
				api: { type: 'string' },
				help: { type: 'boolean', default: false },
			},
		})
	} catch (cause) {
		throw new UsageError(cause instanceof Error ? cause.message : String(cause))
	}
}

function readPort(text: string): number {
	if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) throw new UsageError('--api must be a port, up to 65535.')
	return Number(text)
}

function createAdapter({ create, name, options: schema }: AdapterFactory, options: readonly string[]): Adapter {
	const given = options.map((option): [string, unknown] => {
		const [key, value]: [string, string] = [option.slice(0, option.indexOf('=')), option.slice(option.indexOf('=') + 1)]
		if (!option.includes('=')) throw new UsageError('--option requires NAME=VALUE.')
		try {
			return [key, JSON.parse(value)]
		} catch {
			return [key, value]
		}
	})
	const names = keysOf(schema)
	const stray = given.find(([key]) => !names.includes(key))
	if (stray) {
		const has = names.length === 0 ? 'it has no options' : `available: ${names.join(', ')}`
		throw new UsageError(`${name} has no option ${stray[0]}; ${has}.`)
	}
	const value = Object.fromEntries(given)
	const [issue] = v.safeParse(schema, value).issues ?? []
	if (!issue) return create(value)
	const [key] = pathOf(issue)
	const expected = describeExpected(schema, value, issue) ?? 'another value'
	throw new UsageError(`Invalid ${key === undefined ? 'options' : `option ${key}`} of ${name}; expected: ${expected}.`)
}

/** Serves a platform's API for webhooks until the process is ended. */
async function serveApi({ name, port, secret }: ApiArgs): Promise<void> {
	const create = apiOf(managementApis, name, 'for webhooks')
	const api = create({ now: Date.now, newId: randomUUID, ...(secret !== undefined && { token: secret }) })
	const { url } = await listen(api, port, ({ note }) => {
		if (note !== undefined) console.log(note)
	})
	console.log(`The API of ${name} listens on ${url}`)
}

function apiOf<T>(apis: { readonly [adapter: string]: T }, name: string, what: string): T {
	const create = Object.hasOwn(apis, name) ? apis[name] : undefined
	if (!create) throw new UsageError(`${name} has no API ${what}; these have one: ${Object.keys(apis).join(', ')}.`)
	return create
}

async function listen(...serving: Parameters<typeof serveSimulatedApi>): Promise<SimulatedApiServer> {
	try {
		return await serveSimulatedApi(...serving)
	} catch (thrown) {
		if ((thrown as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw thrown
		throw new UsageError(`Port ${serving[1]} is in use. Give --api another.`)
	}
}

async function run({ factory, adapter, deed, choose, raw, apiPort, ...where }: Args): Promise<void> {
	const runtime = createRuntime(() => {})
	const screen = newScreen()
	const api = apiPort === undefined ? undefined : apiOf(conversationApis, factory.name, 'for conversations')()
	const server = api && (await listen(api, apiPort ?? 0, (answer, call) => printApiCall(answer, call, screen, raw)))
	if (server) console.error(`The API of ${factory.name} listens on ${server.url}`)
	const lent = {
		send: sendCall,
		now: runtime.now,
		newId: runtime.newId,
		crypto: runtime.crypto,
		...(api && { admit: api.admit }),
	} satisfies Partial<Simulation>
	try {
		let turn = await simulate(adapter, { ...lent, ...where, ...deed })
		print(turn, screen, raw)
		for (const hint of hintsOf(turn, factory)) console.error(hint)
		for (const number of choose) {
			const shown = server ? await screen.options() : offered(turn.reply ?? emptyReply, turn.held)
			const choice = pressed(shown.options, number)
			const { conversation, user } = turn.event
			const same = compact({ conversation, user: user?.id })
			console.log(`> ${choice.label}`)
			const held = shown.held.get(choice.value)
			turn = await simulate(adapter, { ...lent, ...where, ...same, choice, held, handshake: false })
			print(turn, screen, raw)
		}
	} catch (thrown) {
		await server?.close()
		if (raw && thrown instanceof Refused && thrown.answer) console.log(JSON.stringify(thrown.answer, null, 2))
		throw thrown
	} finally {
		await runtime.close()
	}
}

/** What the user can press, and what the buttons of these values hold, where that is more than the value. */
interface Offered {
	readonly options: readonly Choice[]
	readonly held: ReadonlyMap<string, string>
}

function offered(reply: CanonicalReply, held: Offered['held'] = new Map()): Offered {
	return { options: selectableOptions(reply), held }
}

/** What the user sees, in the order in which it comes. */
interface Screen {
	show(reply: CanonicalReply, held?: Offered['held']): void
	/** The options of the last reply that had any, each once; waits for one. */
	options(): Promise<Offered>
}

function newScreen(): Screen {
	let last: Offered | undefined
	let wake = (): void => {}
	return {
		show(reply, held) {
			console.log(renderReply(reply))
			const shown = offered(reply, held)
			if (shown.options.length > 0) last = shown
			wake()
		},
		async options() {
			for (;;) {
				const shown = last
				last = undefined
				if (shown) return shown
				await new Promise<void>((seen) => (wake = seen))
			}
		},
	}
}

function print({ lost, call, answer, reply, unread, held }: SimulatedTurn, screen: Screen, raw: boolean): void {
	for (const change of lost) console.error(`this platform cannot express ${describeChange(change)}`)
	if (raw) console.log(JSON.stringify({ call, answer }, null, 2))
	if (reply) screen.show(reply, held)
	else console.log('(the platform reads no answer)')
	for (const path of unread) console.error(`this platform does not read ${path}`)
}

/** What came through the platform's API. The token is not printed: that of the call may be one of the platform itself. */
function printApiCall({ response, seen, held }: ApiAnswer, call: ApiCall, screen: Screen, raw: boolean): void {
	const headers = call.headers.map(([name, value]) => [name, name === 'authorization' ? '[redacted]' : value])
	if (raw) console.log(JSON.stringify({ apiCall: { ...call, headers }, answer: response }, null, 2))
	if (seen) screen.show(seen, held)
}

/** What is lost because an option is not set that says where it stands. */
function hintsOf({ lost }: SimulatedTurn, { name, options }: AdapterFactory): string[] {
	return lost.flatMap(({ did, feature }) => {
		const field = feature.slice(feature.lastIndexOf('.') + 1)
		if (did !== 'dropped' || !keysOf(options).includes(field)) return []
		return `the option "${field}" of ${name} names the field for it, for example --option ${field}=question`
	})
}

function pressed(options: readonly Choice[], number: number): { value: string; label: string } {
	const choice = options[number - 1]
	if (!choice) throw new UsageError(`The answer has ${options.length} options; ${number} is not one of them.`)
	if ('value' in choice) return { value: choice.value, label: choice.title }
	throw new UsageError(
		`"${choice.title}" jumps to ${choice.target} in the bot's own flow and does not call the webhook.`,
	)
}

/** Like the runtime's own, but keeps the body of an error, which developers of a webhook want to read. */
async function sendCall({ url, method, headers, body, timeout, maxBytes }: OutgoingCall) {
	const signal = AbortSignal.timeout(timeout)
	const init = { method, redirect: 'manual', signal, ...(body !== '' && { body }) } as const
	const failed = (cause: unknown) => {
		throw new GatewayError(signal.aborted ? 'upstream-timeout' : 'upstream-unreachable', {}, { cause })
	}
	const response = await fetch(url, { ...init, headers: headers.map(([name, value]) => [name, value]) }).catch(failed)
	// Not by its length: fetch decompresses it.
	const bytes = await readLimited(response, maxBytes).catch(failed)
	if (!bytes) throw new GatewayError('upstream-reply-too-large', { limit: maxBytes })
	return { status: response.status, headers: [...response.headers], body: new TextDecoder().decode(bytes) }
}
