/** The startup banner: where each platform calls, with a `curl` command to try it. */
import type { Crypto } from '../format/index.ts'
import type { CanonicalEvent } from '../model/index.ts'
import type { Route } from '../route.ts'
import { curlCommand } from '../simulator/index.ts'

/** An event whose values look like those of a platform. */
const sample: CanonicalEvent = {
	id: '00000000-0000-4000-8000-000000000001',
	kind: 'message',
	conversation: '000000000000000000000001',
	user: { id: '000000000000000000000002', attributes: {} },
	text: 'help',
	attributes: {},
}

/** Routes to show; the operator of a larger gateway knows them. */
const maxRoutes = 20

/** The banner's text. Each platform of a route has a `curl` command that makes a call like its own. */
export async function startupBanner(url: string, routes: readonly Route[], crypto: Crypto): Promise<string> {
	const lines = [`Listening on ${url}`]
	for (const route of routes.slice(0, maxRoutes)) {
		lines.push('', `${route.name}: ${route.platforms.map(({ name }) => name).join(', ')} -> ${describeUpstream(route)}`)
		for (const { adapter } of route.platforms) {
			lines.push(`  ${await curlCommand(url, route, adapter, sample, { crypto, now: new Date().toISOString() })}`)
			if (!adapter.reply(sample)) lines.push('  (the platform reads no answer)')
		}
	}
	if (routes.length > maxRoutes) lines.push('', `and ${routes.length - maxRoutes} more routes`)
	return lines.join('\n')
}

// Not the path or the query, which may contain a secret.
function describeUpstream({ upstream: { endpoints, send } }: Route): string {
	const [{ url }] = endpoints
	return send ? url : new URL(url).origin
}
