/** Answers that are invalid or malicious: one row per kind, all tested in the same way. */

import { setTimeout as pause } from 'node:timers/promises'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import type { Fields } from '../../../src/format/index.ts'
import { header, jsonType } from '../../harness/http.ts'
import { answered, own } from '../../harness/platforms.ts'
import { oneOf } from '../../harness/random.ts'
import { headOf, type Received, type Script } from '../../harness/upstream.ts'
import {
	answer,
	type Behaviour,
	bomb,
	misbehaviours,
	page,
	pour,
	replies,
	replyTo,
	twoLengths,
	typed,
} from '../behaviours.ts'
import { faultsOf, watchMemory } from '../health.ts'
import { none, type Outcome, over, type Row, type Trial, together, unless } from '../row.ts'
import { each, excerpt, heardOf, nonceOf, slowest, type Turn, tally, turnsWith, unexpected } from '../turns.ts'

type Random = () => number
type Ways = { readonly [name: string]: Behaviour }

/** A row: ways to answer, and how many turns are to get one of them, picked by chance. */
interface Answers extends Pick<Row, 'id' | 'fault' | 'demand'> {
	ways(random: Random): Ways
	readonly turns: readonly [short: number, normal: number, full: number]
	/** Turns under way at once; 50 by default. */
	readonly atOnce?: number
	/** What there were so many of. */
	readonly unit?: string
	/** Megabytes by which memory may grow: as demanded, and at all. */
	readonly memory?: readonly [demanded: number, most: number]
	also?(trial: Trial): Promise<Outcome>
}

const reply = ['reply']
const invalid = ['upstream-reply-invalid']
const silence = ['silence']

/** A reply with other headers than it should have. */
const replyWith =
	(headers: Fields): Script =>
	(call) =>
		answer(replyTo(call), headers)

// A5

const breakingOff = ['resets', 'ends-unasked', 'says-less', 'says-more', 'says-twice', 'no-http']

function breaksOff(random: Random): Ways {
	return Object.fromEntries(Object.entries(misbehaviours(random)).filter(([name]) => breakingOff.includes(name)))
}

// A6

/** A reply with a field that replies do not have: whatever else is done to it, it is no reply. */
function noReply(call: Received): string {
	return `{"messages":[{"type":"text","text":"${nonceOf(call)} whole"}],"odd":{"text":"${excerpt.repeat(20)} é😀","n":[1,2.5,null,true]}}`
}

const jsonTypes = ['application/json', ...['utf-8', 'iso-8859-1'].map((set) => `application/json; charset=${set}`)]

const place = (body: Buffer, random: Random): number => 1 + Math.floor(random() * (body.length - 1))
const put = (body: Buffer, at: number, more: Buffer | string): Buffer =>
	Buffer.concat([body.subarray(0, at), Buffer.from(more), body.subarray(at)])
const byte = (random: Random): Buffer => Buffer.of(Math.floor(random() * 256))

/** Ways to spoil a body, by chance. */
const spoils: { readonly [name: string]: (body: Buffer, random: Random) => Buffer } = {
	'broken-off': (body, random) => body.subarray(0, place(body, random)),
	'other-bytes': (body, random) => Buffer.from(body).fill(byte(random), place(body, random)),
	'one-byte': (body, random) => {
		const at = place(body, random)
		return Buffer.concat([body.subarray(0, at), byte(random), body.subarray(at + 1)])
	},
	'more-bytes': (body, random) => put(body, place(body, random), Buffer.concat([byte(random), byte(random)])),
	'latin-1': (body) => Buffer.from(body.toString(), 'latin1'),
	'utf-16': (body) => Buffer.from(body.toString(), 'utf16le'),
	'utf-16-with-mark': (body) => Buffer.from(`\ufeff${body}`, 'utf16le'),
	'mark-first': (body) => put(body, 0, '\ufeff'),
	'mark-inside': (body, random) => put(body, place(body, random), '\ufeff'),
	'lone-surrogate': (body) => Buffer.from(body.toString().replace('é', '\\ud800')),
	'surrogate-as-bytes': (body, random) => put(body, place(body, random), Buffer.of(0xed, 0xa0, 0x80)),
	'too-deep': (body, random) => put(body, place(body, random), '['.repeat(1 + Math.floor(random() * 50_000))),
	'twice-in-one': (body) => Buffer.concat([body, body]),
	'reserved-key': (body) => Buffer.from(body.toString().replace('{"text"', '{"__proto__":{"text":1},"text"')),
	'odd-numbers': (body) => Buffer.from(body.toString().replace('2.5', '1e999,-0,12345678901234567890')),
}

function malformed(random: Random): Ways {
	return Object.fromEntries(
		Object.entries(spoils).map(([name, spoil]): [string, Behaviour] => {
			const script: Script = (call) =>
				answer(spoil(Buffer.from(noReply(call)), random), typed(oneOf([...jsonTypes, 'text/plain'], random)))
			return [name, { hears: invalid, script }]
		}),
	)
}

// A8

function bombs(): Ways {
	const blanks = Buffer.alloc(50_000_000, ' ')
	const coded = (coding: string, body: Buffer): Behaviour => {
		const headers: Fields = [...jsonType, ['content-encoding', coding]]
		return { hears: invalid, script: () => answer(body, headers) }
	}
	const chunk = Buffer.concat([Buffer.from(`${bomb.length.toString(16)}\r\n`), bomb, Buffer.from('\r\n0\r\n\r\n')])
	const head = headOf(200, [...jsonType, ['transfer-encoding', 'gzip, chunked']])
	return {
		gzip: coded('gzip', bomb),
		'GZip, spelt otherwise': coded('GZip', bomb),
		'x-gzip': coded('x-gzip', bomb),
		deflate: coded('deflate', deflateSync(blanks)),
		br: coded('br', brotliCompressSync(blanks)),
		'a chain of five': coded(
			'gzip, gzip, gzip, gzip, gzip',
			[1, 2, 3, 4].reduce((body) => gzipSync(body), bomb),
		),
		'unlabelled, so not JSON': { hears: invalid, script: () => answer(bomb) },
		'as a transfer coding': { hears: invalid, script: () => Buffer.concat([head, chunk]) },
	}
}

// A9

/** Labels of bodies, right and wrong. None of them decides anything: PHP labels JSON as HTML by default. */
const labels = [
	...[...jsonTypes.slice(0, 2), 'Application/JSON', 'text/plain', 'application/ld+json'],
	...['text/html', 'text/html; charset=utf-8', 'application/xhtml+xml', 'application/xml', 'text/xml', 'image/svg+xml'],
	...['text/css', 'text/javascript', 'application/javascript', 'image/png', 'application/octet-stream', 'json'],
	...['multipart/form-data; boundary=x', 'application/x-www-form-urlencoded', 'text/json5', 'x'.repeat(2000)],
]

function types(): Ways {
	const replyAs = (type: string) => [`reply as ${type}`, { hears: reply, script: replyWith(typed(type)) }] as const
	const pageAs = (type: string) =>
		[`page as ${type}`, { hears: invalid, script: () => answer(page, typed(type)) }] as const
	return {
		...Object.fromEntries([...labels.map(replyAs), ...labels.map(pageAs)]),
		'reply without a type': { hears: reply, script: replyWith([]) },
		'page without a type': { hears: invalid, script: () => answer(page, []) },
		'words as text': { hears: invalid, script: () => answer(excerpt, typed('text/plain')) },
		'a form as a form': {
			hears: invalid,
			script: () => answer(`text=${excerpt}`, typed('application/x-www-form-urlencoded')),
		},
		'reply of two types': { hears: reply, script: replyWith([...typed('text/html'), ...jsonType]) },
		'page of two types': { hears: invalid, script: () => answer(page, [...typed('text/html'), ...jsonType]) },
		204: { hears: silence, script: () => answer('', [], 204) },
		'204 of a page': { hears: silence, script: () => answer('', typed('text/html'), 204) },
		205: { hears: silence, script: () => answer('', [], 205) },
		'200 without a body': { hears: silence, script: () => answer('', []) },
	}
}

// A12

function redirects(): Ways {
	const to = (location: (host: string) => string): Behaviour => ({
		hears: ['upstream-redirect'],
		script: (call) => answer('', [['location', location(header(call, 'host') ?? '')]], 308),
	})
	return {
		'to itself': to((host) => `http://${host}/`),
		elsewhere: to((host) => `http://${host}/elsewhere`),
		'to its other name': to((host) => `http://${host.replace('127.0.0.1', 'localhost')}/`),
		'to a private address': to(() => 'http://169.254.169.254/latest'),
		'to this machine': to(() => '//[::1]/'),
		'to nowhere': to(() => ''),
	}
}

// A14

const names =
	`set-cookie set-cookie2 location refresh server via x-powered-by x-any www-authenticate strict-transport-security
	clear-site-data access-control-allow-origin alt-svc link age vary cache-control content-type-options dragoman-changes
	content-disposition content-location etag connection proxy-connection trailer expires retry-after allow status date
	__proto__`.split(/\s+/)
const values = [
	...[excerpt, `a=${excerpt}; Path=/`, `x-any, ${excerpt}`, `\u00e9${excerpt}`, ''],
	`${excerpt}${'x'.repeat(3000)}`,
]
const hint = `HTTP/1.1 103 Early Hints\r\nlink: <${excerpt}>\r\nset-cookie: ${excerpt}\r\n\r\n`

function headers(random: Random): Ways {
	const some = (): Fields =>
		Array.from({ length: Math.ceil(4 * random()) }, () => [oneOf(names, random), oneOf(values, random)])
	const and = (...more: Fields): Script => replyWith([...jsonType, ...more])
	const behind = (hints: number): Script => {
		return (call) => Buffer.concat([Buffer.from(hint.repeat(hints)), answer(replyTo(call))])
	}
	return {
		'any headers': { hears: reply, script: (...to) => and(...some())(...to) },
		'any headers of an error': {
			hears: ['upstream-status'],
			script: () => answer(excerpt, [...jsonType, ...some()], 500),
		},
		'ten hints': { hears: reply, script: behind(10) },
		'a thousand hints': { hears: invalid, script: behind(1000) },
		'a head of 20 kB': { hears: invalid, script: and(['x', 'x'.repeat(20_000)]) },
		'3,000 headers': {
			hears: invalid,
			script: and(...Array.from({ length: 3000 }, (_, i) => [`x${i}`, 'y'] as const)),
		},
		'two lengths': { hears: invalid, script: twoLengths },
		'the same length twice': {
			hears: invalid,
			script(call, connection) {
				const length = ['content-length', String(replyTo(call).length)] as const
				return and(length, length)(call, connection)
			},
		},
		'a length and chunks': {
			hears: invalid,
			script(call, connection) {
				const length = ['content-length', String(replyTo(call).length)] as const
				return and(['transfer-encoding', 'chunked'], length)(call, connection)
			},
		},
		'a name with a blank': { hears: invalid, script: and(['set cookie', excerpt]) },
		'a folded line': { hears: invalid, script: and(['x', `y\r\n z: ${excerpt}`]) },
		'no end of the head': {
			hears: invalid,
			script: () => Buffer.concat([headOf(200, jsonType).subarray(0, -2), Buffer.alloc(20_000, 'x')]),
		},
	}
}

/** Turns whose upstream sends hints as fast as they are taken, and the turns of others meanwhile. */
async function floodOfHints(trial: Trial): Promise<Outcome> {
	const upstream = await trial.upstream({
		'/flood': (_, connection) => pour(connection, Buffer.from(hint.repeat(500))),
		'/echo': replies,
	})
	const gateway = await trial.start({
		routes: ['flood', 'echo'].map((name) => own.route({ upstream: { url: `${upstream.url}/${name}` } }, name)),
	})
	const take = turnsWith(trial, gateway)
	await each(50, 5, () => take(own, 'echo'))
	const flooding = each(4, 4, () => take(own, 'flood'))
	const others = await each(200, 5, () => take(own, 'echo'))
	const flooded = await flooding
	return {
		reached: `a flood was cut off after ${(slowest(flooded) / 1000).toFixed(2)} s (${heardOf(flooded)}), the slowest of 200 others took ${slowest(others).toFixed(0)} ms`,
		broken: [
			...faultsOf(gateway),
			...unexpected(flooded, ['upstream-timeout', ...invalid]),
			...unexpected(others, reply),
		],
		missed: over(slowest(others), 500, (it) => `another turn took ${it} ms beside the flood`),
	}
}

const table: readonly Answers[] = [
	{
		id: 'A5',
		fault: 'Connection reset at any byte, a body shorter or longer than declared, a second answer',
		demand: '10,000 answers: 0 partial replies, 0 crashes, 100 % typed, 0 answers of another turn',
		ways: breaksOff,
		turns: [400, 10_000, 20_000],
	},
	{
		id: 'A6',
		fault: 'Invalid JSON, wrong character set, byte order mark, lone surrogates',
		demand:
			'10,000 mutants: 0 crashes, 100 % typed upstream-reply-invalid; nothing of the body in an answer or in the log',
		ways: malformed,
		turns: [400, 10_000, 20_000],
		unit: 'mutants',
	},
	{
		id: 'A8',
		fault: 'A decompression bomb: 50 kB that unpack to 50 MB, also with five codings in a row',
		demand: '100 of them: rejected unread, memory grows by at most 5 MB',
		ways: bombs,
		turns: [100, 100, 1000],
		atOnce: 4,
		memory: [5, 50],
	},
	{
		id: 'A9',
		fault: 'Wrong or missing content type, 204, an HTML page',
		demand: '20 or more types: 100 % typed, 0 HTML passed through',
		ways: types,
		turns: [600, 1000, 5000],
	},
	{
		id: 'A12',
		fault: 'The upstream redirects: elsewhere, to itself, to a private address',
		demand: '0 second requests in 1,000 turns; every answer typed',
		ways: redirects,
		turns: [100, 1000, 1000],
	},
	{
		id: 'A14',
		fault: 'Hostile headers: Set-Cookie, Connection, floods of 1xx, over 16 kB, two lengths',
		demand: '1,000 random sets: 0 leaks to the platform; a flood of 1xx is cut off, and delays no other call',
		ways: headers,
		turns: [200, 1000, 5000],
		unit: 'sets',
		also: floodOfHints,
	},
]

export const answers: readonly Row[] = table.map(({ id, fault, demand, also, ...answers }) => ({
	...{ id, fault, demand },
	async run(trial) {
		const tried = await tryAnswers(trial, answers)
		return also ? together([tried, await also(trial)]) : tried
	},
}))

/** The part of the turns that get one of the answers: too many, and the circuit would be open all the time. */
const part = 0.75

/** What a platform gets of headers: those that the gateway writes itself, and those of HTTP/1.1. */
const allowed = new Set(
	'cache-control content-type x-content-type-options content-length date connection keep-alive'.split(' '),
)

async function tryAnswers(
	trial: Trial,
	{
		ways: make,
		turns,
		atOnce = 50,
		unit = '',
		memory: [demanded, most] = [Infinity, Infinity],
	}: Omit<Answers, keyof Row>,
): Promise<Outcome> {
	const { random } = trial
	const ways = make(random)
	const names = Object.keys(ways)
	const count = trial.at(...turns)
	/** The way in which each turn was answered; none: as it should be. */
	const did = new Map<string, string>()
	let warm = false
	const upstream = await trial.upstream((call, connection) => {
		const way = warm && random() < part ? oneOf(names, random) : ''
		// A call that follows a redirect has no nonce.
		if (nonceOf(call) !== '') did.set(nonceOf(call), way)
		return (ways[way]?.script ?? replies)(call, connection)
	})
	const gateway = await trial.start({
		upstream: { url: upstream.url },
		routes: answered.map((platform) => platform.route()),
	})
	const taking = turnsWith(trial, gateway)
	const take = async (): Promise<Turn & { way: string }> => {
		for (;;) {
			const turn = await taking(oneOf(answered, random))
			if (turn.heard !== 'upstream-circuit-open') return { ...turn, way: did.get(turn.text) ?? '[nothing]' }
			await pause(100)
		}
	}
	const warming = await each(200, atOnce, take)
	const grown = watchMemory(gateway)
	warm = true
	const all = [...warming, ...(await each(Math.ceil(count / part), atOnce, take))]
	const megabytes = grown()

	const tried = all.filter(({ way }) => way !== '')
	const wrong = all.filter(({ way, heard }) => !(way === '' ? reply : (ways[way]?.hears ?? [])).includes(heard))
	const leaks = all.filter(({ answer }) =>
		answer.headers.some(([name, value]) => !allowed.has(name) || value.includes(excerpt)),
	)
	const untried = names.filter((name) => !tried.some(({ way }) => way === name))
	const again = upstream.calls.length - did.size
	const told = tally(wrong.map(({ platform, way, heard }) => `${heard} on ${platform.name} for ${way || 'a reply'}`))
	return {
		reached: `${tried.length}${unit && ` ${unit}`} of ${names.length} kinds: ${heardOf(tried)}; ${again} reached the upstream twice, ${leaks.length} with its headers${demanded < Infinity ? `; memory grew by ${megabytes.toFixed(1)} MB` : ''}`,
		broken: [
			...faultsOf(gateway),
			...none(wrong.length, `of ${all.length} answers were not the right one: ${told.slice(0, 500)}`),
			...none(leaks.length, "answers had other headers than the gateway's"),
			...none(again, 'turns reached the upstream more than once'),
			...unless(count < 10 * names.length || untried.length === 0, `never tried: ${untried}`),
			...unless(megabytes <= most, `memory grew by ${megabytes.toFixed(0)} MB: an answer was unpacked`),
		],
		missed: over(
			megabytes,
			demanded,
			(it) => `memory grew by ${it} MB: of which most is garbage that was not collected yet`,
		),
	}
}
