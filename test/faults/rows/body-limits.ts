/** How long a body is said to be, and how long it is: whatever differs, no more is read than the limit, and nothing runs. */
import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { until } from '../../until.ts'
import { message } from '../calls.ts'
import { startEcho } from '../echo.ts'
import { type Started, startGateway } from '../gateway.ts'
import { readBy } from '../health.ts'
import type { Row, Trial } from '../row.ts'
import { dial, exchange } from '../sockets.ts'

const limit = 1024 * 1024
/** Kilobytes beyond the limit that may be read before it is noticed: what comes at once. */
const slack = 64
/** Milliseconds for which a body without an end is sent at most. */
const patience = 15_000

const route = { name: 'own', path: '/own', platform: 'canonical' }
const body = message('hello')

interface Case {
	readonly what: string
	/** Everything behind the request line and the host. */
	readonly rest: string
	/** Those that may come; 0 stands for a connection that ends without a word. */
	readonly statuses: readonly number[]
	/** It is a whole call, and reaches the upstream. */
	readonly taken?: true
	/** The caller says no more. Absent: the connection stays open for more. */
	readonly ends?: true
}

const json = 'content-type: application/json\r\n'
const sized = (length: string | number, text: string) => `${json}content-length: ${length}\r\n\r\n${text}`
const pieces = (...texts: string[]) =>
	`${texts.map((text) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`).join('')}0\r\n\r\n`
const inPieces = (text: string) => `${json}transfer-encoding: chunked\r\n\r\n${text}`
const encoded = (encoding: string, bytes: Buffer) =>
	`${json}content-encoding: ${encoding}\r\ncontent-length: ${bytes.length}\r\n\r\n${bytes.toString('latin1')}`

const large = 'x'.repeat(limit + 1)
const cases: readonly Case[] = [
	{ what: 'as it is', rest: sized(body.length, body), statuses: [200], taken: true },
	{ what: 'in pieces', rest: inPieces(pieces(body.slice(0, 9), body.slice(9))), statuses: [200], taken: true },
	{ what: 'said to be one byte over the limit', rest: sized(limit + 1, ''), statuses: [413] },
	{ what: 'said to be 10 GB', rest: sized(10_000_000_000, ''), statuses: [413] },
	{ what: 'said to be 10 GB, and short', rest: sized(10_000_000_000, body), statuses: [413] },
	{ what: 'one byte over the limit', rest: sized(large.length, large), statuses: [413] },
	{ what: 'over the limit in one piece', rest: inPieces(pieces(large)), statuses: [413] },
	{
		what: 'over the limit in pieces',
		rest: inPieces(pieces(...Array(20).fill(large.slice(0, 60_000)))),
		statuses: [413],
	},
	{ what: 'over the limit, and never ends', rest: inPieces(pieces(large).slice(0, -5)), statuses: [413] },
	{ what: 'without a length', rest: `${json}\r\n`, statuses: [400] },
	{ what: 'without a length, and sent all the same', rest: `${json}\r\n${body}`, statuses: [400], ends: true },
	{ what: 'longer than said', rest: sized(body.length, `${body}more of it`), statuses: [200, 400], taken: true },
	{ what: 'shorter than said, and over', rest: sized(body.length + 10, body), statuses: [0, 400], ends: true },
	...['+5', '-1', '0x5', '5 5', '5,5', '1e3', '5;', '99999999999999999999999', '٥', ''].map(
		(length): Case => ({ what: `of the length "${length}"`, rest: sized(length, body), statuses: [400] }),
	),
	...[
		[body.length, body.length + 1],
		[body.length, 0],
	].map(
		([first, second]): Case => ({
			what: `of the lengths ${first} and ${second}`,
			rest: `content-length: ${first}\r\n${sized(second ?? 0, body)}`,
			statuses: [400],
		}),
	),
	{
		what: 'of a length, and in pieces',
		rest: `content-length: ${body.length}\r\n${inPieces(pieces(body))}`,
		statuses: [400],
	},
	...['xchunked', 'chunked, identity', 'identity, chunked, x', 'gzip, chunked', 'chunked;q=1'].map(
		(coding): Case => ({
			what: `transferred as "${coding}"`,
			rest: `${json}transfer-encoding: ${coding}\r\n\r\n${pieces(body)}`,
			statuses: [400, 501],
		}),
	),
	{ what: 'in a piece of no number', rest: inPieces('zz\r\n'), statuses: [400] },
	{ what: 'in a piece of a number too large', rest: inPieces('fffffffffffffffff\r\n'), statuses: [400] },
	{ what: 'in a piece that is longer than said', rest: inPieces(`2\r\n${body}\r\n0\r\n\r\n`), statuses: [400] },
	...[
		['gzip', gzipSync(body)],
		['GZIP', gzipSync(body)],
		['x-gzip', gzipSync(body)],
		['br', brotliCompressSync(body)],
		['deflate', deflateSync(body)],
		['gzip, gzip', gzipSync(gzipSync(body))],
		['identity, gzip', gzipSync(body)],
		['gzip', gzipSync(Buffer.alloc(100_000_000))],
		['none', Buffer.from(body)],
	].map(([encoding, bytes]): Case => {
		return { what: `encoded as ${encoding}`, rest: encoded(`${encoding}`, Buffer.from(bytes ?? '')), statuses: [415] }
	}),
	{ what: 'encoded as it is', rest: encoded('identity', Buffer.from(body)), statuses: [200], taken: true },
]

export const bodyLimits: Row = {
	id: 'D12',
	fault: 'Lengths that lie, are missing, doubled or no numbers; bodies over the limit; compressed bodies',
	demand: '413 with at most 64 kB read beyond the limit, 415 for compressed ones; nothing that is refused runs',
	async run(trial) {
		const upstream = await startEcho(trial)
		const config = { upstream: { url: upstream.url }, routes: [route] }
		const gateway = await startGateway(trial, config)
		const broken: string[] = []
		for (const { what, rest, statuses, taken, ends } of cases) {
			upstream.heard.length = 0
			const head = 'POST /own HTTP/1.1\r\nhost: gateway.test\r\n'
			const { statuses: got, hung } = await exchange(gateway.url, head + rest, { quiet: 60, ends })
			if (hung) broken.push(`a body ${what}: no answer`)
			else if (!statuses.includes(got[0] ?? 0)) broken.push(`a body ${what}: ${got.join(', ') || 'no answer'}`)
			if (taken) await until(() => upstream.heard.length > 0, 5000)
			if (upstream.heard.length !== (taken ? 1 : 0)) broken.push(`a body ${what}: ${upstream.heard.length} calls`)
		}
		const passed: string[] = []
		const read: string[] = []
		for (const [what, head, piece] of endless) {
			const { kilobytes, closedAfter } = await flood(trial, gateway, head, piece)
			if (closedAfter === undefined) broken.push(`${what}: still taken after ${patience / 1000} s`)
			const beyond = kilobytes - limit / 1024
			read.push(`${kilobytes.toFixed(0)} kB of ${what}`)
			if (beyond > slack) passed.push(what)
		}
		if (gateway.process.exitCode !== null) broken.push('the gateway ended')
		return {
			reached: `${cases.length} bodies, ${broken.length} not as demanded; read ${read.join(', ')}`,
			broken,
			missed:
				passed.length > 0
					? [
							`${passed.join(', ')}: read on for half a second and forgotten, so that a caller who still sends gets the answer`,
						]
					: [],
		}
	},
}

const blanks = ' '.repeat(65_536)
/** Bodies without an end that are to be refused, and what is sent of them over and over. */
const endless = [
	['a length of 10 GB', `${json}content-length: 10000000000\r\n\r\n`, blanks],
	['pieces without end', `${json}transfer-encoding: chunked\r\n\r\n`, `10000\r\n${blanks}\r\n`],
	[
		'compressed pieces',
		`${json}content-encoding: gzip\r\ntransfer-encoding: chunked\r\n\r\n`,
		`10000\r\n${blanks}\r\n`,
	],
] as const

/** Sends for as long as it is taken; what the gateway has read meanwhile. */
async function flood(
	trial: Trial,
	gateway: Started,
	head: string,
	piece: string,
): Promise<{ kilobytes: number; closedAfter: number | undefined }> {
	const before = readBy(gateway)
	const line = dial(trial, gateway.url)
	line.socket.write(`POST /own HTTP/1.1\r\nhost: gateway.test\r\n${head}`)
	const until = performance.now() + patience
	while (line.closedAfter() === undefined && performance.now() < until) {
		if (!line.socket.write(piece)) {
			await Promise.race([once(line.socket, 'drain').catch(() => {}), line.closed, wait(1000)])
		}
	}
	return { kilobytes: (readBy(gateway) - before) * 1024, closedAfter: line.closedAfter() }
}
