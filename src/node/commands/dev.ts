/** `dragoman dev`: the gateway with its playground beside it, on a developer's machine. */
import { access } from 'node:fs/promises'
import { adapters } from '../../../adapters/index.ts'
import { conversationApis } from '../../../adapters/simulated-apis.ts'
import { createLive, createPushes } from '../../playground/index.ts'
import { type Configuration, loadConfiguration, requireLoaded } from '../configuration.ts'
import { createReload } from '../create-reload.ts'
import { exitCode } from '../exit-code.ts'
import { describeListenError, listenAddress } from '../listen-address.ts'
import { isLocal } from '../listener.ts'
import { PlaygroundError, servePlayground } from '../playground-server.ts'
import { type Gateway, serve } from '../serve.ts'
import type { Surroundings } from './command.ts'
import { defineCommand, refuseArguments } from './define-command.ts'
import { UsageError } from './usage-error.ts'

export const command = defineCommand({
	name: 'dev',
	usage: ['[OPTIONS]'],
	about: [
		'Starts the gateway and a playground: pages in the browser that show one reply on every platform, and what is lost. They load nothing from elsewhere.',
		'Without a configuration, every platform has a route to the demo bot.',
		'The configuration is read again when it, its .env or one of its adapters changes.',
		'HOST and PORT set the address of the gateway. The playground listens on this machine only, unless PLAYGROUND_PASSWORD is set: the browser then asks for it, and for the user "dragoman".',
	],
	options: {
		host: { type: 'string', default: '127.0.0.1', value: 'HOST', about: 'where the playground listens' },
		port: { type: 'string', default: '8780', value: 'PORT', about: 'its port' },
	},
	examples: [
		['dragoman dev', 'with config/gateway.json, if it is there; the playground on http://127.0.0.1:8780'],
		['dragoman dev --config my.json --port 9000', 'with another configuration, on another port'],
	],
	exitCodes: '0 ended by a signal, 2 wrong usage, 69 something is unavailable, 78 the configuration has mistakes',
	async run({ values, positionals }, surroundings) {
		refuseArguments(positionals)
		if (!/^\d{1,5}$/.test(values.port) || Number(values.port) > 65_535) {
			throw new UsageError('--port must be a port, up to 65535.')
		}
		const configuration = await loadOrDemo(surroundings)
		const { json: config, adapters, env } = configuration
		const at = listenAddress(env)
		const loopback = isLocal(at)
		requireLoaded(configuration, loopback)
		const live = createLive(Date.now)
		const terminal = process.stdout.isTTY ? { log: (await import('../terminal-log.ts')).logToTerminal } : {}
		const gateway = await serve({ config, adapters, env, ...at, ...terminal, observer: live.observer }).catch(
			(thrown: unknown) => {
				throw describeListenError(thrown, at)
			},
		)
		try {
			const playground = await servePlayground({
				host: values.host,
				port: Number(values.port),
				password: env.PLAYGROUND_PASSWORD || undefined,
				gateway,
				live,
				pushes: createPushes(new Map(Object.entries(conversationApis).map(([name, create]) => [name, create()]))),
			})
			endWith(gateway, () => playground.close())
			createReload({ gateway, loopback, load: () => loadOrDemo(surroundings), watched: configuration })
			console.error(`\n  Playground  ${playground.url}\n  Gateway     ${gateway.url}\n`)
			return undefined
		} catch (thrown) {
			await gateway.close()
			const { message } = thrown instanceof Error ? thrown : new Error(String(thrown))
			if (thrown instanceof PlaygroundError) console.error(message)
			else if (isListenError(thrown)) console.error(`The playground cannot listen: ${message}. Set --host or --port.`)
			else throw thrown
			return exitCode.unavailable
		}
	},
})

/** The configuration that there is, or else a route for each platform, to the demo bot. */
async function loadOrDemo({ configFile, env }: Surroundings): Promise<Configuration> {
	const isThere = await access(configFile).then(
		() => true,
		() => false,
	)
	if (isThere || configFile !== 'config/gateway.json') return await loadConfiguration(configFile, env)
	console.error(`There is no ${configFile}: every platform has a route to the demo bot.`)
	const routes = adapters.map(({ name, examples: [options] }) => ({
		name,
		path: `/${name}`,
		platform: name,
		options,
	}))
	const json = { upstream: { url: 'builtin:demo' }, routes }
	return { file: configFile, json, adapters, env, own: [], mistakes: [], files: [configFile] }
}

function isListenError(thrown: unknown): boolean {
	const codes = ['EADDRINUSE', 'EACCES', 'EADDRNOTAVAIL', 'ENOTFOUND']
	return thrown instanceof Error && 'code' in thrown && codes.includes(String(thrown.code))
}

/** Closes both on SIGTERM and SIGINT. */
function endWith(gateway: Gateway, close: () => Promise<void>): void {
	for (const signal of ['SIGTERM', 'SIGINT'] as const) {
		process.once(signal, async () => {
			await Promise.all([gateway.close(), close()])
			process.exit(exitCode.ok)
		})
	}
}
