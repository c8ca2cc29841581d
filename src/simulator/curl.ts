/** Writes a platform's call as a `curl` command. */
import { fitEvent } from '../fit/index.ts'
import type { Adapter, Crypto, WireRequest } from '../format/index.ts'
import type { CanonicalEvent } from '../model/index.ts'
import type { Route } from '../route.ts'

/** Shown in place of a secret. */
const secretPlaceholder = 'YOUR-SECRET'

/** The command that sends the event to the route as the platform would. `now`: RFC 3339. No secret is in it. */
export async function curlCommand(
	url: string,
	{ path, secrets }: Pick<Route, 'path' | 'secrets'>,
	adapter: Adapter,
	event: CanonicalEvent,
	{ crypto, now }: { readonly crypto: Crypto; readonly now: string },
): Promise<string> {
	const plain = adapter.event.encode(fitEvent(event, adapter.event, { turnId: 'turn_sample', receivedAt: now }).value)
	const hasSecret = secrets.length > 0
	const call: WireRequest =
		hasSecret && adapter.auth ? await adapter.auth.sign(plain, secretPlaceholder, crypto) : plain
	const target = hasSecret && !adapter.auth ? `${path}/${secretPlaceholder}` : path
	const query = call.query.length > 0 ? `?${new URLSearchParams(call.query.map(([name, value]) => [name, value]))}` : ''
	return [
		`curl ${shellQuote(`${url}${target}${query}`)}`,
		...(call.method === 'POST' || call.method === 'GET' ? [] : [`-X ${call.method}`]),
		...call.headers.map(([name, value]) => `-H ${shellQuote(`${name}: ${value}`)}`),
		...(call.body === '' ? [] : [`-d ${shellQuote(call.body)}`]),
	].join(' ')
}

function shellQuote(text: string): string {
	return `'${text.replaceAll("'", `'\\''`)}'`
}
