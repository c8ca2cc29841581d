/** The simulated APIs of platforms, served on this machine. */
import { randomUUID } from 'node:crypto'
import { managementApis } from '../../../adapters/simulated-apis.ts'
import { UsageError } from '../commands/usage-error.ts'
import { type SimulatedApiServer, serveSimulatedApi } from '../simulated-api-server.ts'

/** Serves a platform's API for webhooks until the process is ended. `token`: the one that it expects; absent: any will do. */
export async function serveManagementApi(name: string, port: number, token: string | undefined): Promise<void> {
	const create = apiOf(managementApis, name, 'for webhooks')
	const api = create({ now: Date.now, newId: randomUUID, ...(token !== undefined && { token }) })
	const { url } = await listen(api, port, ({ note }) => {
		if (note !== undefined) console.log(note)
	})
	console.log(`The API of ${name} listens on ${url}`)
}

/** The API of an adapter. Throws a UsageError that lists those which have one. */
export function apiOf<T>(apis: { readonly [adapter: string]: T }, name: string, what: string): T {
	const create = Object.hasOwn(apis, name) ? apis[name] : undefined
	if (!create) throw new UsageError(`${name} has no API ${what}; these have one: ${Object.keys(apis).join(', ')}.`)
	return create
}

/** As `serveSimulatedApi`; rejects with a UsageError if the port is in use. */
export async function listen(...serving: Parameters<typeof serveSimulatedApi>): Promise<SimulatedApiServer> {
	try {
		return await serveSimulatedApi(...serving)
	} catch (thrown) {
		if ((thrown as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw thrown
		throw new UsageError(`Port ${serving[1]} is in use. Give --api another.`)
	}
}
