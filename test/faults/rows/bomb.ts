/** Answers that are small on the wire and large when they are unpacked. */
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { answer, type Behaviour, bomb as gzipped, head, says } from '../behaviours.ts'
import { over, watchMemory } from '../health.ts'
import type { Row } from '../row.ts'
import { tally } from '../turns.ts'
import { tryWays } from '../ways.ts'

const json = 'content-type: application/json'
const invalid = ['upstream-reply-invalid']
const blanks = Buffer.alloc(50_000_000, ' ')

function coded(coding: string, body: Buffer): Behaviour {
	return { hears: invalid, act: says(() => answer(body, [json, `content-encoding: ${coding}`])) }
}

const ways: { readonly [name: string]: Behaviour } = {
	gzip: coded('gzip', gzipped),
	'GZip, spelt otherwise': coded('GZip', gzipped),
	'x-gzip': coded('x-gzip', gzipped),
	deflate: coded('deflate', deflateSync(blanks)),
	br: coded('br', brotliCompressSync(blanks)),
	'a chain of five': coded(
		'gzip, gzip, gzip, gzip, gzip',
		[1, 2, 3, 4].reduce((body) => gzipSync(body), gzipped),
	),
	'unlabelled, so not JSON': { hears: invalid, act: says(() => answer(gzipped)) },
	'as a transfer coding': {
		hears: invalid,
		act: async (line) => {
			await line.write(head([json, 'transfer-encoding: gzip, chunked']))
			await line.write(Buffer.concat([Buffer.from(`${gzipped.length.toString(16)}\r\n`), gzipped]))
			await line.write('\r\n0\r\n\r\n')
		},
	},
}

export const bomb: Row = {
	id: 'A8',
	fault: 'A decompression bomb: 50 kB that unpack to 50 MB, also a chain of five codings',
	demand: '100 of them: refused unread, memory grows by 5 MB at most',
	async run(trial) {
		let grown = () => 0
		const { tried, broken } = await tryWays(trial, {
			...{ ways, turns: trial.at(100, 100, 1000), atOnce: 4 },
			ready(gateway) {
				grown = watchMemory(gateway)
			},
		})
		const megabytes = grown()
		if (megabytes > 50) broken.push(`memory grew by ${megabytes.toFixed(0)} MB: a bomb was unpacked`)
		return {
			reached: `${tried.length}: ${tally(tried.map(({ heard }) => heard))}; memory grew by ${megabytes.toFixed(1)} MB`,
			broken,
			missed: over(
				megabytes,
				5,
				(it) => `memory grew by ${it} MB: of which most is garbage that was not collected yet`,
			),
		}
	},
}
