/** Headers of a caller end at the gateway: the upstream gets those that the gateway writes, and nothing learns of the others. */
import { message } from '../calls.ts'
import { type Heard, says, startEcho } from '../echo.ts'
import { startGateway } from '../gateway.ts'
import { oneOf, randomFrom } from '../random.ts'
import type { Row } from '../row.ts'
import { asBytes, exchange } from '../sockets.ts'

const poison = 'poison'
/** Sets of headers. */
const demanded = 10_000

/** What the upstream may be sent, and the two that the configuration of this row adds. */
const allowed = new Set([
	...['host', 'connection', 'content-type', 'content-length', 'accept', 'accept-encoding', 'user-agent'],
	...['webhook-id', 'webhook-timestamp', 'webhook-signature', 'x-team', 'cdn-loop'],
])

const poisoned = [
	...[
		'x-forwarded-for',
		'x-forwarded-host',
		'x-forwarded-proto',
		'x-forwarded-port',
		'x-forwarded-prefix',
		'forwarded',
		'via',
	],
	...[
		'x-real-ip',
		'true-client-ip',
		'cf-connecting-ip',
		'x-client-ip',
		'x-cluster-client-ip',
		'client-ip',
		'fastly-client-ip',
	],
	...['x-original-url', 'x-rewrite-url', 'x-http-method-override', 'x-method-override', 'x-original-host', 'x-host'],
	...[
		'authorization',
		'proxy-authorization',
		'cookie',
		'set-cookie',
		'x-api-key',
		'x_api_key',
		'X_Forwarded_For',
		'content_length',
	],
	...[
		'te',
		'trailer',
		'keep-alive',
		'proxy-connection',
		'proxy-authenticate',
		'http2-settings',
		'alt-svc',
		'cdn-loop',
		'upgrade-insecure-requests',
	],
	...[
		'webhook-id',
		'webhook-signature',
		'webhook-timestamp',
		'dragoman-changes',
		'x-dragoman-route',
		'x-team',
		'user-agent',
	],
	...[
		'accept',
		'accept-encoding',
		'accept-language',
		'range',
		'if-none-match',
		'if-match',
		'cache-control',
		'origin',
		'referer',
	],
	...['traceparent', 'tracestate', 'baggage', 'x-request-id', 'x-amzn-trace-id', 'from', 'date', 'server', 'link', 'x'],
	...['__proto__', 'constructor', 'prototype', 'tostring', 'hasownproperty'],
]

/** Values of Connection: each asks to strip, or to pass on, what it names. */
const connections = [
	'close',
	'keep-alive',
	'close, authorization',
	'close, content-length, host, webhook-signature',
	'x-team, close',
]

export const poisonedHeaders: Row = {
	id: 'D16',
	fault: 'Headers that proxies write, hop by hop ones, the gateway’s own, names with _: in random sets',
	demand: '0 of them at the upstream, in an answer or in the log, in 10,000 sets',
	async run(trial) {
		const random = randomFrom(trial.seed)
		const upstream = await startEcho(trial, () => says('Hello'))
		const key = { SIGN: `whsec_${Buffer.alloc(32, 7).toString('base64')}` }
		const gateway = await startGateway(
			trial,
			{
				upstream: { url: upstream.url, headers: { 'X-Team': 'bots' }, sign: [{ env: 'SIGN' }] },
				routes: [{ name: 'own', path: '/own', platform: 'canonical', debug: true }],
			},
			{ env: key },
		)
		const sets = trial.at(500, 4000, demanded)
		const broken: string[] = []
		let answered = 0
		let left = sets
		const caller = async (): Promise<void> => {
			while (left-- > 0) {
				// Node's own client refuses some of them.
				const bytes = asBytes({ path: '/own', body: message('Hi'), headers: setOf(random) })
				const { statuses, text } = await exchange(gateway.url, bytes)
				if (statuses.join() !== '200') broken.push(`status ${statuses.join() || 'none'}: ${text.slice(-200)}`)
				else answered++
				if (text.includes(poison)) broken.push(`an answer has it: ${text}`)
			}
		}
		await Promise.all(Array.from({ length: 16 }, caller))
		for (const heard of upstream.heard) broken.push(...leaksIn(heard))
		if (upstream.heard.length !== sets) broken.push(`${upstream.heard.length} calls for ${sets}`)
		await gateway.end()
		if (gateway.written().includes(poison)) broken.push('the log has it')
		return {
			reached: `${sets} sets of headers, ${answered} answered: ${broken.length} leaks`,
			broken: broken.slice(0, 10),
			missed: sets < demanded ? [`${sets}, for want of time; all of them with --full`] : [],
		}
	},
}

function leaksIn({ headers, body, target }: Heard): string[] {
	const names = headers.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase())
	const strange = names.filter((name, i) => !allowed.has(name) || names.indexOf(name) < i)
	const leaks = strange.map((name) => `the upstream gets ${name}`)
	if (JSON.stringify([headers, body, target]).includes(poison))
		leaks.push(`the upstream gets ${JSON.stringify(headers)}`)
	const at = names.indexOf('x-team')
	if (headers[at * 2 + 1] !== 'bots') leaks.push('the upstream does not get the header of the configuration')
	return leaks
}

/** A call's headers: its type, up to twelve poisoned ones in any case, some of them twice, and a Connection. */
function setOf(random: () => number): [string, string][] {
	const some = Array.from({ length: 1 + Math.floor(random() * 12) }, (): [string, string] => {
		const name = oneOf(poisoned, random)
		const value = oneOf(
			[poison, `${poison}, ${poison}`, `127.0.0.1, ${poison}`, `for=${poison};host=${poison}`],
			random,
		)
		return [random() < 0.3 ? name.toUpperCase() : name, value]
	})
	return [['content-type', 'application/json'], ...some, ['connection', oneOf(connections, random)]]
}
