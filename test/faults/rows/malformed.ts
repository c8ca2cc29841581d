/** Bodies that are no reply: broken JSON, other character sets, bytes where no bytes belong. */
import { answer, type Behaviour, excerpt, says } from '../behaviours.ts'
import { oneOf, randomFrom } from '../random.ts'
import type { Row } from '../row.ts'
import { tally } from '../turns.ts'
import type { Reached } from '../upstream.ts'
import { tryWays } from '../ways.ts'

/** A reply with a field that replies do not have: whatever else is done to it, it stays one that is none. */
function noReply({ nonce }: Reached): string {
	return `{"messages":[{"type":"text","text":"${nonce} whole"}],"odd":{"text":"${excerpt.repeat(20)} é😀","n":[1,2.5,null,true]}}`
}

const types = [
	'application/json',
	'application/json; charset=utf-8',
	'application/json; charset=iso-8859-1',
	'text/plain',
]

/** One way to spoil a body, by chance. */
type Spoil = (body: Buffer, random: () => number) => Buffer

const place = (body: Buffer, random: () => number): number => 1 + Math.floor(random() * (body.length - 1))
const put = (body: Buffer, at: number, more: Buffer | string): Buffer =>
	Buffer.concat([body.subarray(0, at), Buffer.from(more), body.subarray(at)])
const byte = (random: () => number): Buffer => Buffer.of(Math.floor(random() * 256))

const spoils: { readonly [name: string]: Spoil } = {
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
	'lone-surrogate': (body) =>
		Buffer.from(
			body.toString().replace(
				'é',
				oneOf(['\\ud800', '\\udfff\\ud800'], () => 0),
			),
		),
	'surrogate-as-bytes': (body, random) => put(body, place(body, random), Buffer.of(0xed, 0xa0, 0x80)),
	'too-deep': (body, random) => put(body, place(body, random), '['.repeat(1 + Math.floor(random() * 50_000))),
	'twice-in-one': (body) => Buffer.concat([body, body]),
	'reserved-key': (body) => Buffer.from(body.toString().replace('{"text"', '{"__proto__":{"text":1},"text"')),
	'odd-numbers': (body) => Buffer.from(body.toString().replace('2.5', '1e999,-0,12345678901234567890')),
}

export const malformed: Row = {
	id: 'A6',
	fault: 'Invalid JSON, the wrong character set, a byte order mark, lone surrogates',
	demand:
		'10,000 mutants: 0 crashes, 100 % typed upstream-reply-invalid; nothing of the body in an answer or in the log',
	async run(trial) {
		const random = randomFrom(trial.seed + 1)
		const ways = Object.fromEntries(
			Object.entries(spoils).map(([name, spoil]): [string, Behaviour] => {
				const body = (call: Reached) => spoil(Buffer.from(noReply(call)), random)
				const act = says((call) => answer(body(call), [`content-type: ${oneOf(types, random)}`]))
				return [name, { hears: ['upstream-reply-invalid'], act }]
			}),
		)
		const { tried, broken } = await tryWays(trial, { ways, turns: trial.at(400, 10_000, 20_000) })
		return { reached: `${tried.length} mutants: ${tally(tried.map(({ heard }) => heard))}`, broken }
	},
}
