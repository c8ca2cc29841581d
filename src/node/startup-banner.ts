/** What the operator reads when the gateway starts: where each platform calls, with a call to try it. */
import { fitEvent } from '../fit/index.ts'
import type { Crypto, NamedAdapter, WireRequest } from '../format/index.ts'
import type { CanonicalEvent } from '../model/index.ts'
import type { Route } from '../route.ts'

/** Stands where a secret belongs; the secrets themselves are never shown. */
const secretHere = 'YOUR-SECRET'

/** Values that only have to look like a platform's. */
const sample: CanonicalEvent = {
	id: '00000000-0000-4000-8000-000000000001',
	kind: 'message',
	conversation: '000000000000000000000001',
	user: { id: '000000000000000000000002', attributes: {} },
	text: 'help',
	attributes: {},
}

/** Routes that are shown; a gateway of many is run by somebody who knows them. */
const maxRoutes = 20

/** One line a platform of each route, with a `curl` that plays the platform. */
export async function startupBanner(url: string, routes: readonly Route[], crypto: Crypto): Promise<string> {
	const lines = [`Listening on ${url}`]
	for (const route of routes.slice(0, maxRoutes)) {
		lines.push('', `${route.name}: ${route.platforms.map(({ name }) => name).join(', ')} -> ${whereTo(route)}`)
		for (const platform of route.platforms) lines.push(`  ${await curl(url, route, platform, crypto)}`)
	}
	if (routes.length > maxRoutes) lines.push('', `and ${routes.length - maxRoutes} more routes`)
	return lines.join('\n')
}

// A path or a query may hold a secret of the upstream.
function whereTo({ upstream: { endpoints: targets, send } }: Route): string {
	const [{ url }] = targets
	return send ? url : new URL(url).origin
}

async function curl(url: string, route: Route, { adapter }: NamedAdapter, crypto: Crypto): Promise<string> {
	const context = { turnId: 'turn_sample', receivedAt: new Date().toISOString() }
	const plain = adapter.event.encode(fitEvent(sample, adapter.event, context).value)
	const secret = route.secrets.length > 0
	const call: WireRequest = secret && adapter.auth ? await adapter.auth.sign(plain, secretHere, crypto) : plain
	const path = secret && !adapter.auth ? `${route.path}/${secretHere}` : route.path
	const query = call.query.length > 0 ? `?${new URLSearchParams(call.query.map(([name, value]) => [name, value]))}` : ''
	return [
		`curl ${quote(`${url}${path}${query}`)}`,
		...(call.method === 'POST' || call.method === 'GET' ? [] : [`-X ${call.method}`]),
		...call.headers.map(([name, value]) => `-H ${quote(`${name}: ${value}`)}`),
		...(call.body === '' ? [] : [`-d ${quote(call.body)}`]),
	].join(' ')
}

function quote(text: string): string {
	return `'${text.replaceAll("'", `'\\''`)}'`
}
