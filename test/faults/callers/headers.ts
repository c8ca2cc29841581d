/** What callers put into headers, ids, names and texts adds no header, line or call elsewhere. */

import type { Fields } from '../../../src/format/index.ts'
import type { CanonicalEvent } from '../../../src/model/index.ts'
import { type Call, header, json, jsonType, message } from '../../harness/http.ts'
import { own, ownTo, platforms } from '../../harness/platforms.ts'
import { oneOf } from '../../harness/random.ts'
import { asBytes, exchange } from '../../harness/sockets.ts'
import type { Received } from '../../harness/upstream.ts'
import { faultsOf } from '../health.ts'
import { type Row, unless } from '../row.ts'
import { codeOf, each } from '../turns.ts'

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

const values = [
	...[
		'a\r\nx-injected: 1',
		'\r\n\r\nPOST /injected HTTP/1.1\r\nhost: a\r\n\r\n',
		'a\nx-injected: 1',
		'a\rx-injected: 1',
	],
	...['a\0b', '\x7f', '\x1b[31m', '%0d%0ax-injected:%201', '%00', '%', '%zz', '&x-injected=1', '?x-injected=1'],
	...['#x-injected', ';x-injected=1', '/../x-injected', '\\', ' ', 'é', 'ż', '日本', '😀', '\u2028x-injected: 1'],
	...['\u0085x-injected: 1', '\ud83d', '\ude00', '\u202e', '\ufeff', 'e\u0301', '\u560d\u560ax-injected: 1'],
	...['"', "'", '<b>', '=?utf-8?q?=0d=0a?=', 'a:b', ',', '__proto__', 'x'.repeat(5000), `${'é'.repeat(3000)}\r\n`],
]

/** Lines of the head of a call as we write them. */
const ours = [
	/^(?:GET|POST) \/[\x21-\x7e]* HTTP\/1\.1$/,
	/^(?:host|connection|content-type|content-length|accept|accept-encoding|user-agent|cdn-loop): [\x20-\x7e]*$/i,
]

export const copiedValues: Row = {
	id: 'D17',
	fault: 'Line ends, NUL, Unicode and separators in ids, names, keys and texts that are copied into calls and answers',
	demand: '0 lines or calls added, 0 internal errors; what is not allowed in a place is encoded or dropped',
	async run(trial) {
		const upstream = await trial.upstream(() => json({}))
		const replying = await trial.upstream(({ body }) => json(replyOf(JSON.parse(body).event.text)))
		const replies = { upstream: { url: replying.url }, debug: true }
		const gateway = await trial.start({
			routes: [
				...platforms.map((platform) =>
					own.route({ upstream: platform.upstream(upstream.url), debug: true }, `to-${platform.name}`),
				),
				...platforms.map((platform) => platform.route(replies, `from-${platform.name}`)),
				own.route(replies, 'reply'),
			],
		})
		const broken: string[] = []
		let turns = 0
		const take = async (what: string, value: string, call: Call): Promise<void> => {
			turns++
			const before = upstream.calls.length
			const answer = await gateway.send(call)
			const names = answer.headers.map(([name]) => name)
			const code = answer.status < 500 ? '' : codeOf(answer)
			const faults = [
				...unless(!names.some((name) => name.includes('injected')), `the answer has ${names}`),
				...unless(code !== undefined && code !== 'internal', `${answer.status} ${answer.body.slice(0, 200)}`),
				...unless(upstream.calls.length <= before + 1, 'more than one call'),
			]
			broken.push(...faults.map((fault) => `${what} with ${JSON.stringify(value.slice(0, 40))}: ${fault}`))
		}
		for (const value of values) {
			await take('a reply', value, { path: '/reply', body: message(value) })
			for (const { name, wire } of platforms) {
				const event = JSON.stringify({ version: 1, event: eventOf(value) })
				await take(`to ${name}`, value, { path: `/to-${name}`, body: event })
				// Each of its strings at once: what is an id there comes back in some answers.
				const body = wire.body.startsWith('{') ? everywhere(wire.body, value) : wire.body
				await take(`${name}'s answer`, value, { ...wire, body, path: `/from-${name}` })
			}
		}
		const strange = upstream.calls.flatMap(({ head }) => head.filter((line) => !ours.some((each) => each.test(line))))
		const sent = upstream.calls.length
		return {
			reached: `${turns} turns with ${values.length} values, ${sent} calls in ${platforms.length} formats: ${broken.length + strange.length} injected or failed`,
			broken: [
				...broken,
				...faultsOf(gateway),
				...unless(strange.length === 0, `the upstream got ${strange.slice(0, 3).join(' | ')}`),
				...unless(sent >= platforms.length * values.length * 0.5, `only ${sent} calls came: nothing was tried`),
			],
		}
	},
}

function eventOf(value: string): CanonicalEvent {
	return {
		...{ id: value, kind: 'message', channel: value, conversation: value, language: value, text: value },
		bot: { id: value, name: value, project: value },
		user: { id: value, externalId: value, name: value, email: value, phone: value, attributes: attributesOf(value) },
		media: [{ kind: 'file', url: value, name: value, mimeType: value }],
		trigger: { kind: 'module', id: value, name: value, action: value },
		attributes: attributesOf(value),
	}
}

function attributesOf(value: string): { [key: string]: string } {
	return value === '__proto__' ? { value } : { [value]: value }
}

/** A reply that says the value in every place; the changes that it causes are told in a header. */
function replyOf(value: string | undefined): object {
	const said = value || 'nothing'
	return {
		messages: [
			{ type: 'text', text: said, alternatives: [said], buttons: [{ type: 'postback', title: said, value: said }] },
			{ type: 'choices', text: said, choices: [{ title: said, value: said }] },
			{ type: 'file', url: said, name: said, mimeType: said },
			{ type: 'cards', cards: [{ title: said, subtitle: said, imageUrl: said, url: said }] },
		],
		attributes: { session: attributesOf(said), user: attributesOf(said) },
		control: { goto: said, tags: [said], handover: { to: 'bot', name: said, id: said } },
	}
}

function everywhere(body: string, value: string): string {
	return JSON.stringify(JSON.parse(body), (_key, each) => (typeof each === 'string' ? value : each))
}
