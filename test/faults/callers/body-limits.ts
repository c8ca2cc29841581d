/** Declared and actual lengths of bodies: no more is read than the limit, and nothing that is rejected is processed. */

import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import type { GatewayProcess } from '../../harness/gateway.ts'
import { message } from '../../harness/http.ts'
import { ownTo } from '../../harness/platforms.ts'
import { dial, exchange } from '../../harness/sockets.ts'
import { until } from '../../until.ts'
import { faultsOf, readBy } from '../health.ts'
import { type Row, type Trial, unless } from '../row.ts'

const limit = 1024 * 1024
/** Kilobytes beyond the limit that may be read before it is noticed: what comes at once. */
const slack = 64
/** Milliseconds for which a body without an end is sent at most. */
const patience = 15_000

const body = message('hello')
const head = 'POST /own HTTP/1.1\r\nhost: gateway.test\r\n'

interface Case {
	readonly what: string
	/** Everything behind the request line and the host. */
	readonly rest: string
	/** Those that may come; 0 stands for a connection that ends without a word. */
	readonly statuses: readonly number[]
	/** It is a whole call, and reaches the upstream. */
	readonly taken?: true
	/** Our side of the connection ends behind it. Absent: it stays open for more. */
	readonly ends?: true
}

const json = 'content-type: application/json\r\n'
const sized = (length: string | number, text: string) => `${json}content-length: ${length}\r\n\r\n${text}`
const pieces = (...texts: string[]) =>
	`${texts.map((text) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`).join('')}0\r\n\r\n`
const inPieces = (text: string) => `${json}transfer-encoding: chunked\r\n\r\n${text}`
const encoded = (encoding: string, bytes: Buffer) =>
	`${json}content-encoding: ${encoding}\r\ncontent-length: ${bytes.length}\r\n\r\n${bytes.toString('latin1')}`

/** Cases that all get the same status. */
const all = (status: number, cases: { readonly [what: string]: string }): Case[] =>
	Object.entries(cases).map(([what, rest]) => ({ what, rest, statuses: [status] }))
const each = (values: readonly string[], what: string, rest: (value: string) => string) =>
	Object.fromEntries(values.map((value) => [`${what} "${value}"`, rest(value)]))

const large = 'x'.repeat(limit + 1)
const size = body.length
const lengths = ['+5', '-1', '0x5', '5 5', '5,5', '1e3', '5;', '99999999999999999999999', '٥', '']
const codings = ['xchunked', 'chunked, identity', 'identity, chunked, x', 'gzip, chunked', 'chunked;q=1']
const gzipped = gzipSync(body)
const encodings: readonly (readonly [encoding: string, bytes: Buffer])[] = [
	...(['gzip', 'GZIP', 'x-gzip', 'identity, gzip'] as const).map((name) => [name, gzipped] as const),
	['br', brotliCompressSync(body)],
	['deflate', deflateSync(body)],
	['gzip, gzip', gzipSync(gzipped)],
	['gzip', gzipSync(Buffer.alloc(100_000_000))],
	['none', Buffer.from(body)],
]

const cases: readonly Case[] = [
	{ what: 'as it is', rest: sized(size, body), statuses: [200], taken: true },
	{ what: 'in pieces', rest: inPieces(pieces(body.slice(0, 9), body.slice(9))), statuses: [200], taken: true },
	{ what: 'encoded as it is', rest: encoded('identity', Buffer.from(body)), statuses: [200], taken: true },
	{ what: 'longer than said', rest: sized(size, `${body}more of it`), statuses: [200, 400], taken: true },
	{ what: 'shorter than said, and over', rest: sized(size + 10, body), statuses: [0, 400], ends: true },
	{ what: 'without a length, and sent all the same', rest: `${json}\r\n${body}`, statuses: [400], ends: true },
	...all(413, {
		'said to be one byte over the limit': sized(limit + 1, ''),
		'said to be 10 GB': sized(10_000_000_000, ''),
		'said to be 10 GB, and short': sized(10_000_000_000, body),
		'one byte over the limit': sized(large.length, large),
		'over the limit in one piece': inPieces(pieces(large)),
		'over the limit in pieces': inPieces(pieces(...Array<string>(20).fill(large.slice(0, 60_000)))),
		'over the limit, and never ends': inPieces(pieces(large).slice(0, -5)),
	}),
	...all(400, {
		'without a length': `${json}\r\n`,
		...each(lengths, 'of the length', (length) => sized(length, body)),
		...each(
			[`${size + 1}`, '0'],
			'of its length, and of',
			(second) => `content-length: ${size}\r\n${sized(second, body)}`,
		),
		'of a length, and in pieces': `content-length: ${size}\r\n${inPieces(pieces(body))}`,
		'in a piece of no number': inPieces('zz\r\n'),
		'in a piece of a number too large': inPieces('fffffffffffffffff\r\n'),
		'in a piece that is longer than said': inPieces(`2\r\n${body}\r\n0\r\n\r\n`),
	}),
	...codings.map((coding) => ({
		what: `transferred as "${coding}"`,
		rest: `${json}transfer-encoding: ${coding}\r\n\r\n${pieces(body)}`,
		statuses: [400, 501],
	})),
	...encodings.map(([encoding, bytes]) => ({
		what: `encoded as ${encoding}`,
		rest: encoded(encoding, bytes),
		statuses: [415],
	})),
]

const blanks = ' '.repeat(65_536)
const chunked = `${json}transfer-encoding: chunked\r\n`
/** Bodies without an end that are to be refused, and what is sent of them over and over. */
const endless = [
	['a length of 10 GB', `${json}content-length: 10000000000\r\n\r\n`, blanks],
	['pieces without end', `${chunked}\r\n`, `10000\r\n${blanks}\r\n`],
	['compressed pieces', `${chunked}content-encoding: gzip\r\n\r\n`, `10000\r\n${blanks}\r\n`],
] as const

export const bodyLimits: Row = {
	id: 'D12',
	fault: 'Content-Length that is wrong, missing, repeated or not a number; bodies over the limit; compressed bodies',
	demand:
		'413 with at most 64 kB read beyond the limit, 415 for compressed ones; nothing that is rejected is processed',
	async run(trial) {
		const upstream = await trial.upstream()
		const gateway = await trial.start(ownTo(upstream.url))
		const broken: string[] = []
		for (const { what, rest, statuses, taken = false, ends } of cases) {
			upstream.calls.length = 0
			const { statuses: got, hung } = await exchange(gateway.url, head + rest, { quiet: 60, ends })
			if (taken) await until(() => upstream.calls.length > 0, 5000)
			const { length } = upstream.calls
			broken.push(
				...unless(!hung && statuses.includes(got[0] ?? 0), `a body ${what}: ${got.join(', ') || 'no answer'}`),
				...unless(length === Number(taken), `a body ${what}: ${length} calls`),
			)
		}
		const flooded: { what: string; kilobytes: number }[] = []
		for (const [what, start, piece] of endless) {
			const { kilobytes, closed } = await flood(trial, gateway, start, piece)
			flooded.push({ what, kilobytes })
			broken.push(...unless(closed, `${what}: still taken after ${patience / 1000} s`))
		}
		const passed = flooded.filter(({ kilobytes }) => kilobytes - limit / 1024 > slack).map(({ what }) => what)
		const read = flooded.map(({ what, kilobytes }) => `${kilobytes.toFixed(0)} kB of ${what}`)
		return {
			reached: `${cases.length} bodies, ${broken.length} not as required; read ${read.join(', ')}`,
			broken: [...broken, ...faultsOf(gateway)],
			missed: unless(
				passed.length === 0,
				`${passed}: read for half a second more and discarded, so that a client that is still sending gets the answer`,
			),
		}
	},
}

/** Sends for as long as it is taken; what the gateway has read meanwhile, and whether it hung up. */
async function flood(trial: Trial, gateway: GatewayProcess, start: string, piece: string) {
	const before = readBy(gateway)
	const line = dial(trial, gateway.url)
	line.socket.write(head + start)
	const end = performance.now() + patience
	while (line.closedAfter() === undefined && performance.now() < end) {
		if (!line.socket.write(piece)) {
			await Promise.race([once(line.socket, 'drain').catch(() => {}), line.closed, wait(1000)])
		}
	}
	return { kilobytes: readBy(gateway) - before, closed: line.closedAfter() !== undefined }
}
