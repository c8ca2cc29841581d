/** Headers of an upstream that mean harm: to the platform, or to the gateway. */
import { answer, type Behaviour, excerpt, head, pour, replyTo, says } from '../behaviours.ts'
import { startGateway } from '../gateway.ts'
import { faultsOf, over } from '../health.ts'
import { oneOf, randomFrom } from '../random.ts'
import type { Row, Trial } from '../row.ts'
import { callerOf, each, nonces, speaker, tally, unexpected } from '../turns.ts'
import { faultUpstream } from '../upstream.ts'
import { tryWays } from '../ways.ts'

/** What a platform gets of headers: those that the gateway writes itself, and those of HTTP/1.1. */
const allowed = new Set([
	...['cache-control', 'content-type', 'x-content-type-options', 'content-length', 'date', 'connection', 'keep-alive'],
])
const names = [
	...['set-cookie', 'set-cookie2', 'location', 'refresh', 'server', 'via', 'x-powered-by', 'x-any', 'www-authenticate'],
	...['strict-transport-security', 'clear-site-data', 'access-control-allow-origin', 'alt-svc', 'link', 'age', 'vary'],
	...['cache-control', 'content-type-options', 'dragoman-changes', 'content-disposition', 'content-location', 'etag'],
	...['connection', 'proxy-connection', 'trailer', 'expires', 'retry-after', 'allow', 'status', 'date', '__proto__'],
]
const values = [
	excerpt,
	`a=${excerpt}; Path=/`,
	`x-any, ${excerpt}`,
	`\u00e9${excerpt}`,
	'',
	`${excerpt}${'x'.repeat(3000)}`,
]

const json = 'content-type: application/json'
const reply = ['reply']
const invalid = ['upstream-reply-invalid']
const hint = `HTTP/1.1 103 Early Hints\r\nlink: <${excerpt}>\r\nset-cookie: ${excerpt}\r\n\r\n`

function ways(random: () => number): { readonly [name: string]: Behaviour } {
	const some = () =>
		Array.from({ length: Math.ceil(4 * random()) }, () => `${oneOf(names, random)}: ${oneOf(values, random)}`)
	return {
		'any headers': { hears: reply, act: says((call) => answer(replyTo(call), [json, ...some()])) },
		'any headers of an error': { hears: ['upstream-status'], act: says(() => answer(excerpt, [json, ...some()], 500)) },
		'ten hints': {
			hears: reply,
			act: says((call) => Buffer.concat([Buffer.from(hint.repeat(10)), answer(replyTo(call))])),
		},
		'a thousand hints': {
			hears: invalid,
			act: says((call) => hint.repeat(1000) + answer(replyTo(call))),
		},
		'a head of 20 kB': {
			hears: invalid,
			act: says((call) => answer(replyTo(call), [json, `x: ${'x'.repeat(20_000)}`])),
		},
		'3,000 headers': {
			hears: invalid,
			act: says((call) => answer(replyTo(call), [json, ...Array.from({ length: 3000 }, (_, i) => `x${i}: y`)])),
		},
		'two lengths': { hears: invalid, act: says((call) => answer(replyTo(call), [json, 'content-length: 1'])) },
		'the same length twice': {
			hears: invalid,
			act: says((call) => answer(replyTo(call), [json, `content-length: ${replyTo(call).length}`])),
		},
		'a length and chunks': {
			hears: invalid,
			act: says((call) => answer(replyTo(call), [json, 'transfer-encoding: chunked'])),
		},
		'a name with a blank': {
			hears: invalid,
			act: says((call) => answer(replyTo(call), [json, `set cookie: ${excerpt}`])),
		},
		'a folded line': { hears: invalid, act: says((call) => answer(replyTo(call), [json, `x: y\r\n z: ${excerpt}`])) },
		'no end of the head': {
			hears: invalid,
			act: says(() => Buffer.concat([head([json]).subarray(0, -2), Buffer.alloc(20_000, 'x')])),
		},
	}
}

export const headers: Row = {
	id: 'A14',
	fault: 'Hostile headers: Set-Cookie, Connection, floods of 1xx, 16 kB and more, two lengths',
	demand: '1,000 random sets: 0 leaks to the platform; a flood of 1xx is ended, and nobody else waits for it',
	async run(trial) {
		const { tried, broken } = await tryWays(trial, {
			ways: ways(randomFrom(trial.seed + 1)),
			turns: trial.at(200, 1000, 5000),
		})
		const leaks = tried.filter(({ answer }) =>
			answer.headers.some(([name, value]) => !allowed.has(name) || value.includes(excerpt)),
		)
		if (leaks.length > 0) broken.push(`${leaks.length} answers had other headers than the gateway's`)
		const flood = await floodWith(trial)
		return {
			reached: `${tried.length} sets, ${leaks.length} leaks: ${tally(tried.map(({ heard }) => heard))}; ${flood.reached}`,
			broken: [...broken, ...flood.broken],
			missed: flood.missed,
		}
	},
}

/** Turns whose upstream sends hints as fast as they are taken, and the turns of others meanwhile. */
async function floodWith(trial: Trial) {
	const upstream = await faultUpstream(trial, {
		flood: { act: (line) => pour(line, Buffer.from(hint.repeat(500))) },
		echo: { act: (line, call) => line.write(answer(replyTo(call))) },
	})
	const own = speaker('canonical')
	const gateway = await startGateway(trial, {
		routes: ['flood', 'echo'].map((name) => own.route(name, { upstream: { url: upstream.at(name) } })),
	})
	const caller = callerOf(trial, gateway.url)
	const nonce = nonces(trial.seed)
	const take = (path: string) => caller.take(own, path, own.event(nonce()))
	await each(50, 5, () => take('echo'))
	const flooded = each(4, 4, () => take('flood'))
	const others = await each(200, 5, () => take('echo'))
	const ends = await flooded
	const seconds = Math.max(...ends.map(({ ms }) => ms)) / 1000
	const slowest = Math.max(...others.map(({ ms }) => ms))
	const heard = ends.map((turn) => turn.heard)
	return {
		reached: `a flood was ended after ${seconds.toFixed(2)} s (${tally(heard)}), the slowest of 200 others took ${slowest.toFixed(0)} ms`,
		broken: [
			...faultsOf(gateway),
			...unexpected(heard, ['upstream-timeout', 'upstream-reply-invalid']),
			...unexpected(
				others.map((turn) => turn.heard),
				['reply'],
			),
		],
		missed: over(slowest, 500, (it) => `another turn took ${it} ms beside the flood`),
	}
}
