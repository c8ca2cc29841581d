/** Serves the playground: reads the files of its pages, and listens. */
import { readdir, readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { dirname, extname, join } from 'node:path'
import { getRequestListener } from '@hono/node-server'
import { type Asset, createPlayground, type Live, type Pushes, type TalkingGateway } from '../playground/index.ts'
import { isLocal } from './listener.ts'
import { routeContract } from './route-contract.ts'
import type { Gateway } from './serve.ts'
import { sendCall } from './simulate/send-call.ts'

/** Where the playground listens, and what it shows. */
export interface PlaygroundServerOptions {
	readonly host: string
	/** 0: any that is free. */
	readonly port: number
	/** Asked for in the browser. Undefined: nobody is asked, which is allowed on this machine only. */
	readonly password: string | undefined
	/** The gateway beside it. */
	readonly gateway: Pick<Gateway, 'url' | 'routes' | 'runtime'>
	/** Its turns. */
	readonly live: Live
	/** The simulated APIs of the platforms. */
	readonly pushes: Pushes
	/** The folder with the files of the pages. Absent: where the build puts them. */
	readonly files?: string
}

/** A playground that listens. */
export interface PlaygroundServer {
	readonly url: string
	close(): Promise<void>
}

/** The playground cannot start. The message says what to do. */
export class PlaygroundError extends Error {
	override readonly name = 'PlaygroundError'
}

const types: { readonly [extension: string]: string } = {
	'.js': 'text/javascript; charset=utf-8',
	'.css': 'text/css; charset=utf-8',
	'.json': 'application/json',
	'.svg': 'image/svg+xml',
	'.txt': 'text/plain; charset=utf-8',
}

/**
 * Starts it. Rejects with a PlaygroundError if other machines could reach it without a password, or if its files have not
 * been built; and with the system's error when it cannot listen.
 */
export async function servePlayground(options: PlaygroundServerOptions): Promise<PlaygroundServer> {
	const { host, port, password, gateway, live, pushes, files = join(packageFolder(), 'dist/playground') } = options
	if (!isLocal({ host, port }) && password === undefined) {
		throw new PlaygroundError(
			`The playground would be open to other machines on ${host}. Set PLAYGROUND_PASSWORD, or listen on 127.0.0.1.`,
		)
	}
	const assets = await readAssets(files).catch((cause: unknown) => {
		throw new PlaygroundError('The pages of the playground are not built. Run npm run build:playground.', { cause })
	})
	const contract = await readAssets(join(packageFolder(), 'schema'))
	const server = createServer()
	await new Promise<void>((listening, failed) => {
		server.once('error', failed).listen(port, host, listening)
	})
	const { port: taken } = server.address() as AddressInfo
	const named = host.includes(':') ? `[${host}]` : host
	const hosts = [named, 'localhost', '127.0.0.1', '[::1]'].map((name) => `${name}:${taken}`.toLowerCase())
	const app = createPlayground({
		assets,
		contract,
		contractOf: routeContract,
		gateway: talkedTo(gateway),
		live,
		pushes,
		password,
		hosts: password === undefined ? hosts : undefined,
	})
	server.on('request', getRequestListener(app.fetch))
	return {
		url: `http://${named}:${taken}`,
		close() {
			server.closeAllConnections()
			return new Promise((closed) => server.close(() => closed()))
		},
	}
}

/** The gateway as the playground calls it: with the bodies of errors, which developers want to read. */
function talkedTo(gateway: PlaygroundServerOptions['gateway']): TalkingGateway {
	return {
		url: gateway.url,
		get routes() {
			return gateway.routes
		},
		runtime: { ...gateway.runtime, send: sendCall },
	}
}

function packageFolder(): string {
	return dirname(createRequire(import.meta.url).resolve('dragoman/package.json'))
}

async function readAssets(folder: string): Promise<Map<string, Asset>> {
	const read = (await readdir(folder)).map(async (name): Promise<[string, Asset]> => {
		const type = types[extname(name)] ?? 'application/octet-stream'
		return [name, { type, body: new Uint8Array(await readFile(join(folder, name))) }]
	})
	return new Map(await Promise.all(read))
}
