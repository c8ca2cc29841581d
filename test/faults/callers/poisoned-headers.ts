/** Headers of a caller end at the gateway: the upstream gets those that the gateway writes, and nothing learns of the others. */

import type { Fields } from '../../../src/format/index.ts'
import { header, jsonType, message } from '../../harness/http.ts'
import { ownTo } from '../../harness/platforms.ts'
import { oneOf } from '../../harness/random.ts'
import { asBytes, exchange } from '../../harness/sockets.ts'
import type { Received } from '../../harness/upstream.ts'
import { type Row, unless } from '../row.ts'
import { each } from '../turns.ts'

const poison = 'poison'
/** Sets of headers. */
const demanded = 10_000

/** What the upstream may be sent, and the two that the configuration of this row adds. */
const allowed =
	`host connection content-type content-length accept accept-encoding user-agent webhook-id webhook-timestamp
	webhook-signature x-team cdn-loop`.split(/\s+/)

const poisoned =
	`x-forwarded-for x-forwarded-host x-forwarded-proto x-forwarded-port x-forwarded-prefix forwarded via x-real-ip
	true-client-ip cf-connecting-ip x-client-ip x-cluster-client-ip client-ip fastly-client-ip x-original-url x-rewrite-url
	x-http-method-override x-method-override x-original-host x-host authorization proxy-authorization cookie set-cookie
	x-api-key x_api_key X_Forwarded_For content_length te trailer keep-alive proxy-connection proxy-authenticate
	http2-settings alt-svc cdn-loop upgrade-insecure-requests webhook-id webhook-signature webhook-timestamp
	dragoman-changes x-dragoman-route x-team user-agent accept accept-encoding accept-language range if-none-match if-match
	cache-control origin referer traceparent tracestate baggage x-request-id x-amzn-trace-id from date server link x
	__proto__ constructor prototype tostring hasownproperty`.split(/\s+/)

/** Values of Connection: each asks to strip, or to pass on, what it names. */
const connections = [
	...['close', 'keep-alive', 'close, authorization', 'x-team, close'],
	'close, content-length, host, webhook-signature',
]

export const poisonedHeaders: Row = {
	id: 'D16',
	fault: 'Random sets of headers that proxies write, hop-by-hop headers, the gateway’s own, names with _',
	demand: '10,000 sets: 0 of them in calls to the upstream, in answers or in the log',
	async run(trial) {
		const upstream = await trial.upstream()
		const gateway = await trial.start(
			ownTo({ url: upstream.url, headers: { 'X-Team': 'bots' }, sign: [{ env: 'SIGN' }] }, { debug: true }),
			{ env: { SIGN: `whsec_${Buffer.alloc(32, 7).toString('base64')}` } },
		)
		const sets = trial.at(500, 4000, demanded)
		const broken: string[] = []
		await each(sets, 16, async () => {
			// Node's own client refuses some of them.
			const bytes = asBytes({ path: '/own', body: message('Hi'), headers: setOf(trial.random) })
			const { statuses, text } = await exchange(gateway.url, bytes)
			broken.push(
				...unless(statuses.join() === '200', `status ${statuses.join() || 'none'}: ${text.slice(-200)}`),
				...unless(!text.includes(poison), `an answer has it: ${text}`),
			)
		})
		broken.push(...upstream.calls.flatMap(leaksIn))
		await gateway.end()
		return {
			reached: `${sets} sets of headers: ${broken.length} leaks`,
			broken: [
				...broken,
				...unless(upstream.calls.length === sets, `${upstream.calls.length} calls for ${sets}`),
				...unless(!gateway.written().includes(poison), 'the log has it'),
			],
			missed: unless(sets >= demanded, `${sets}, for lack of time; --full runs all`),
		}
	},
}

function leaksIn(call: Received): string[] {
	const names = call.headers.map(([name]) => name)
	const strange = names.filter((name, i) => !allowed.includes(name) || names.indexOf(name) < i)
	return [
		...strange.map((name) => `the upstream gets ${name}`),
		...unless(!JSON.stringify(call).includes(poison), `the upstream gets ${JSON.stringify(call.headers)}`),
		...unless(header(call, 'x-team') === 'bots', 'the upstream does not get the header of the configuration'),
	]
}

/** A call's headers: its type, up to twelve poisoned ones in any case, some of them twice, and a Connection. */
function setOf(random: () => number): Fields {
	const values = [poison, `${poison}, ${poison}`, `127.0.0.1, ${poison}`, `for=${poison};host=${poison}`]
	const some = Array.from({ length: 1 + Math.floor(random() * 12) }, (): readonly [string, string] => {
		const name = oneOf(poisoned, random)
		return [random() < 0.3 ? name.toUpperCase() : name, oneOf(values, random)]
	})
	return [...jsonType, ...some, ['connection', oneOf(connections, random)]]
}
