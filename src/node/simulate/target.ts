/** Which adapter a simulation plays, with which options, and which webhook it calls: as given, or as a route has it. */
import * as v from 'valibot'
import { ConfigError } from '../../config/index.ts'
import type { Adapter, AdapterFactory } from '../../format/index.ts'
import { describeExpected, keysOf, pathOf } from '../../schema/index.ts'
import { didYouMean, UsageError } from '../commands/usage-error.ts'
import { type Configuration, checkConfiguration } from '../configuration.ts'
import { listenAddress } from '../listen-address.ts'
import { isLocal } from '../listener.ts'
import { writtenCommand } from '../written-command.ts'

/** What is played, and against what. */
export interface Target {
	readonly factory: AdapterFactory
	readonly adapter: Adapter
	readonly url: string
	readonly secret?: string
}

/** The adapter of that name. Throws a UsageError that suggests one. */
export function adapterNamed(name: string | undefined, adapters: readonly AdapterFactory[]): AdapterFactory {
	const names = adapters.map((each) => each.name)
	if (name === undefined) throw new UsageError(`Give the name of an adapter: ${names.join(', ')}.`)
	const factory = adapters.find((each) => each.name === name)
	if (factory) return factory
	throw new UsageError(`No adapter is named "${name}"${didYouMean(name, names)} Available: ${names.join(', ')}.`)
}

/** A route of the configuration. `platform`: the one to play, where the route has several. */
export function routeTarget(name: string, platform: string | undefined, configuration: Configuration): Target {
	const address = listenAddress(configuration.env)
	const checked = checkConfiguration(configuration, isLocal(address))
	if ('mistakes' in checked) throw new ConfigError(checked.mistakes, checked.unset)
	const { routes } = checked.settings
	const route = routes.find((each) => each.name === name)
	if (!route) {
		const names = routes.map((each) => each.name)
		throw new UsageError(`No route is named "${name}"${didYouMean(name, names)} Available: ${names.join(', ')}.`)
	}
	const names = route.platforms.map((each) => each.name)
	const [only] = names.length === 1 ? names : []
	const played = route.platforms.find((each) => each.name === (platform ?? only))
	if (!played) {
		throw new UsageError(
			platform === undefined
				? `Route ${name} has several platforms. Give one: ${writtenCommand(`simulate ${names[0]} --route ${name}`)}`
				: `${platform} is not a platform of route ${name}; it has ${names.join(', ')}.`,
		)
	}
	const [secret] = route.secrets
	// Nobody can call the address that stands for all of them.
	const host = address.host === '0.0.0.0' || address.host === '::' ? '127.0.0.1' : address.host
	return {
		factory: adapterNamed(played.name, configuration.adapters),
		adapter: played.adapter,
		url: `http://${host.includes(':') ? `[${host}]` : host}:${address.port}${route.path}`,
		...(secret !== undefined && { secret }),
	}
}

/** The adapter with options that are written as NAME=VALUE. Throws a UsageError. */
export function createAdapter({ create, name, options: schema }: AdapterFactory, options: readonly string[]): Adapter {
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
