/** The arguments of `dragoman connections`, checked as far as they can be without the configuration. */
import { parseArgs } from 'node:util'
import type { Environment } from '../../config/index.ts'
import { closestName } from '../../schema/index.ts'
import { writtenCommand } from '../written-command.ts'

/** The command was wrong. */
export class UsageError extends Error {}

const defaultTokenName = 'CHATBOT_API_TOKEN'

const options = {
	story: { type: 'string' },
	route: { type: 'string' },
	id: { type: 'string' },
	name: { type: 'string' },
	url: { type: 'string' },
	'public-url': { type: 'string' },
	'token-env': { type: 'string' },
	'header-env': { type: 'string', multiple: true },
	'username-env': { type: 'string' },
	'password-env': { type: 'string' },
	v1: { type: 'boolean', default: false },
	apply: { type: 'boolean', default: false },
	api: { type: 'string' },
	'api-token-env': { type: 'string', default: defaultTokenName },
	json: { type: 'boolean', default: false },
	help: { type: 'boolean', default: false },
} as const

type Option = keyof typeof options

const everywhere = ['api', 'api-token-env', 'json', 'help'] as const
const settings = ['name', 'token-env', 'header-env', 'username-env', 'password-env'] as const

/** What each command takes beside its id. */
const commands = {
	list: ['v1'],
	show: ['v1'],
	create: ['story', 'route', 'public-url', 'url', ...settings],
	update: ['url', ...settings],
	delete: [],
	sync: ['route', 'public-url', 'story', 'id', 'apply', ...settings],
} as const satisfies { readonly [command: string]: readonly Option[] }

type Command = keyof typeof commands

/** What was asked for. */
export interface Given {
	readonly command: Command
	/** Of the webhook. Empty: the command takes none. */
	readonly id: string
	readonly story?: string
	readonly route?: string
	readonly publicUrl?: string
	/** Settings that are given by themselves; those of a route come from the configuration. */
	readonly settings: GivenSettings
	readonly v1: boolean
	readonly apply: boolean
	readonly api?: string
	/** The developer access token. */
	readonly apiToken: string
	/** The environment variable that it is from. */
	readonly apiTokenName: string
	readonly json: boolean
}

interface GivenSettings {
	readonly name?: string
	readonly url?: string
	readonly token?: string
	readonly headers?: { readonly [name: string]: string }
	readonly auth?: { readonly username: string; readonly password: string }
}

/** Reads the arguments; undefined if they ask for help. Throws a UsageError. */
export function readArguments(args: readonly string[], env: Environment): Given | undefined {
	const { values, positionals } = parse(args)
	const [command, ...rest] = positionals
	if (values.help || command === undefined) return undefined
	if (!isCommand(command))
		throw new UsageError(`Unknown command "${command}"${suggest(command, Object.keys(commands))}`)
	const allowed: readonly string[] = [...everywhere, ...commands[command]]
	const stray = args.map(optionIn).find((name) => name !== undefined && !allowed.includes(name))
	if (stray !== undefined) throw new UsageError(`${command} has no option --${stray}.`)
	const id = command === 'sync' ? values.id : rest.shift()
	if (rest.length > 0 || (id !== undefined && (command === 'list' || command === 'create'))) {
		throw new UsageError('Unexpected argument.')
	}
	const needsId = command === 'show' || command === 'update' || command === 'delete'
	if (needsId && id === undefined) {
		throw new UsageError(`Give the ID of a webhook: ${writtenCommand(`connections ${command} ID`)}`)
	}
	const given = {
		...{ command, id: id ?? '', settings: readSettings(values, env), v1: values.v1, apply: values.apply },
		...(values.story !== undefined && { story: values.story }),
		...(values.route !== undefined && { route: values.route }),
		...(values['public-url'] !== undefined && { publicUrl: readPublicUrl(values['public-url']) }),
		...(values.api !== undefined && { api: values.api }),
		...{ json: values.json, apiTokenName: values['api-token-env'] },
	}
	checkTogether(given)
	return { ...given, apiToken: readVariable('api-token-env', given.apiTokenName, env) }
}

function parse(args: readonly string[]) {
	const unknown = args.map(optionIn).find((name) => name !== undefined && !Object.hasOwn(options, name))
	if (unknown !== undefined)
		throw new UsageError(`Unknown option --${unknown}${suggest(unknown, Object.keys(options))}`)
	try {
		return parseArgs({ args: [...args], allowPositionals: true, options })
	} catch (cause) {
		throw new UsageError(cause instanceof Error ? cause.message : String(cause))
	}
}

/** The name of an option, without what may be its value. */
function optionIn(argument: string): string | undefined {
	return /^--([^=]+)/.exec(argument)?.[1]
}

function suggest(written: string, names: readonly string[]): string {
	const meant = closestName(written, names)
	return meant === undefined ? '.' : `; did you mean "${meant}"?`
}

function isCommand(name: string): name is Command {
	return Object.hasOwn(commands, name)
}

type Values = ReturnType<typeof parse>['values']

function readSettings(values: Values, env: Environment): GivenSettings {
	const {
		name,
		url,
		'token-env': token,
		'header-env': headers,
		'username-env': username,
		'password-env': password,
	} = values
	if ((username === undefined) !== (password === undefined)) {
		throw new UsageError('--username-env and --password-env belong together.')
	}
	return {
		...(name !== undefined && { name }),
		...(url !== undefined && { url }),
		...(token !== undefined && { token: readVariable('token-env', token, env) }),
		...(headers && { headers: readHeaders(headers, env) }),
		...(username !== undefined &&
			password !== undefined && {
				auth: {
					username: readVariable('username-env', username, env),
					password: readVariable('password-env', password, env),
				},
			}),
	}
}

function readHeaders(written: readonly string[], env: Environment): { [name: string]: string } {
	return Object.fromEntries(
		written.map((each) => {
			const [, name, variable] = /^([^=]+)=([^=]+)$/.exec(each) ?? []
			if (name === undefined || variable === undefined) throw new UsageError('--header-env requires HEADER=NAME.')
			return [name, readVariable('header-env', variable, env)]
		}),
	)
}

// A secret that is given in place of its variable's name must not be repeated.
function readVariable(option: Option, name: string, env: Environment): string {
	if (!/^[A-Za-z_]\w{0,63}$/.test(name))
		throw new UsageError(`--${option} requires the name of an environment variable.`)
	const value = Object.hasOwn(env, name) ? env[name] : undefined
	if (!value && name === defaultTokenName) {
		throw new UsageError(`${name} is not set. It has to hold the developer access token of the ChatBot account.`)
	}
	if (!value) throw new UsageError(`--${option}: no environment variable that is set has this name.`)
	return value
}

function readPublicUrl(text: string): string {
	const url = URL.parse(text)
	const isPlain = url && url.username === '' && url.password === '' && url.search === '' && url.hash === ''
	if (!isPlain || !/^https?:$/.test(url.protocol)) {
		throw new UsageError('--public-url must be an absolute http or https URL without credentials, query and fragment.')
	}
	return `${url.origin}${url.pathname.replace(/\/$/, '')}`
}

/** What belongs together, and what does not. */
function checkTogether({ command, route, story, publicUrl, settings }: Omit<Given, 'apiToken'>): void {
	const { name, url } = settings
	if (command === 'sync' && route === undefined) throw new UsageError('sync requires --route NAME.')
	if (command === 'create' && story === undefined) throw new UsageError('create requires --story ID.')
	if (command === 'create' && route === undefined && (name === undefined || url === undefined)) {
		throw new UsageError('create requires --route NAME, or --name and --url.')
	}
	if (route !== undefined && url !== undefined) {
		throw new UsageError('--url cannot be combined with --route, whose URL is --public-url and its path.')
	}
	if (route === undefined && publicUrl !== undefined) throw new UsageError('--public-url requires --route.')
	if (command === 'update' && Object.keys(settings).length === 0) throw new UsageError('update requires a setting.')
}
