/** HTTP messages that parsers are known to disagree on, as bytes; each has its own mark in the texts of its calls. */
import { message } from '../../harness/http.ts'
/** A message, or several on one connection. */
export interface Message {
	readonly what: string
	/** In Latin-1. */
	readonly bytes: string
	/** Stands in the body of each call in it. */
	readonly mark: string
	/** Whole calls in it, however it is read: no more of them may reach the upstream. */
	readonly calls: number
	/** A gateway without a proxy in front is to take none of it. */
	readonly refused: boolean
}

type Unmarked = Omit<Message, 'mark'>

/** Of the length of every mark. */
const noMark = 'mark-000'
const mark = /mark-\d{3}/

/** The mark in a body. */
export function markOf(body: string): string {
	return mark.exec(body)?.[0] ?? ''
}

const body = message(noMark)
const size = body.length
const hex = size.toString(16)
const json = 'content-type: application/json'
const post = 'POST /own HTTP/1.1'
const host = 'host: gateway.test'
const length = `content-length: ${size}`
const chunked = `${hex}\r\n${body}\r\n0\r\n\r\n`

/** A call that is as it should be; for a smuggler, what is to be read as a call of its own. */
export const plain = `${[post, host, json, length].join('\r\n')}\r\n\r\n${body}`

/** Lines of a head as they are, then a body. */
function raw(what: string, lines: readonly string[], text: string, more: Partial<Unmarked> = {}): Unmarked {
	return { what, bytes: `${lines.join('\r\n')}\r\n\r\n${text}`, calls: 1, refused: true, ...more }
}

/** A value of no length, and of the right one as others might spell it. */
const lengths = [
	...[`+${size}`, `-${size}`, `0x${hex}`, '1e2', `${size} ${size}`, `${size},${size}`, `${size}, 5`, `${size};`],
	...['٥', '', 'a', `${size}a`, `${size}.0`, `"${size}"`, '9'.repeat(30)],
]
const codings = [
	...['xchunked', 'chunked, identity', 'identity', 'gzip', 'gzip, chunked', 'gzip, chunked, gzip', 'chunked, chunked'],
	...['chunkedx', '"chunked"', 'chun ked', 'chunked;a=b', 'chunked,', ',chunked', '\x0bchunked', 'chunked\x00', ''],
]
const chunkSizes = [
	...[`0x${hex}`, `-${hex}`, `+${hex}`, ` ${hex}`, `${hex} `, `${hex}g`, 'g', '', `${'f'.repeat(15)}${hex}`],
	...[`${hex};a\nb`, `${hex}\n`, `${hex}\r`, `${hex};a\0`, `${hex}\t`, `${hex}_0`],
]
const chunks = [
	...chunkSizes.map((each) => `${each}\r\n${body}\r\n0\r\n\r\n`),
	`${hex}\r\n${body}0\r\n\r\n`,
	`${(size - 1).toString(16)}\r\n${body}\r\n0\r\n\r\n`,
	`${hex}\n${body}\n0\n\n`,
	`${hex}\r\n${body}\r\n0\r\na b: c\r\n\r\n`,
	`${hex}\r\n${body}\r\n0\r\ncontent-length : 5\r\n\r\n`,
	`${hex}\r\n${body}\r\n0\n\r\n`,
	`${hex}\r\n${body}\r\n00x\r\n\r\n`,
]
const fields = [
	...['a b: c', ' a: b', 'a : b', ': b', 'a', 'a\0: b', 'a\x7f: b', 'ä: b', 'a(b): c', 'a,b: c', 'a\tb: c', '"a": b'],
	...['a\x0b: c', 'content-length : 5', 'content-length\t: 5', ' content-length: 5', 'content-length\0: 5'],
	...['transfer-encoding : chunked', 'transfer-encoding\x0b: chunked', '\x0btransfer-encoding: chunked'],
]
const values = ['a\0b', 'a\nb: c', 'a\rb', 'a\r b', 'b\x01c', 'b\x08c', 'b\x7fc']
const methods = ['TRACE', 'QUERY', 'CONNECT', 'post', 'POSTX', 'FOO', 'PO ST', 'P\0ST', 'GET\t', '', 'BREW', 'PRI']
const targets = [
	...['http://evil.test/own', 'http://evil.test:80/own', 'http://gateway.test:81/own', 'http://a@gateway.test/own'],
	...['//evil.test/own', '*', 'own', '/own\0', '/own#a', '/o wn', '/own\\', '\\own', '/own/../own', '/%6fwn', '/own/'],
	...['/./own', 'gateway.test:80', '/own\t', '/ö', '/own;a', '/own%00'],
]
const versions = ['HTTP/2.0', 'HTTP/0.9', 'HTTP/1.2', 'HTTP/1', 'http/1.1', 'HTTP/11', 'HTTP/1.1x', 'HTTPS/1.1', '']

const framing: readonly Unmarked[] = [
	...lengths.flatMap((each) => [
		raw(`length "${each}"`, [post, host, json, `content-length: ${each}`], body + plain, { calls: 2 }),
		raw(`lengths, and "${each}"`, [post, host, json, length, `content-length: ${each}`], body + plain, { calls: 2 }),
	]),
	...codings.flatMap((each) => {
		const coding = `transfer-encoding: ${each}`
		return [
			raw(`coding "${each}"`, [post, host, json, coding], chunked + plain, { calls: 2 }),
			raw(`coding "${each}" and a length`, [post, host, json, length, coding], body + plain, { calls: 2 }),
		]
	}),
	...['chunked', 'Chunked', ' chunked'].flatMap((each) => {
		const coding = `transfer-encoding: ${each}`
		const short = 'content-length: 5'
		const two = { calls: 2 }
		return [
			raw(`a length, then ${each}`, [post, host, json, short, coding], chunked + plain, two),
			raw(`${each}, then a length`, [post, host, json, coding, short], chunked + plain, two),
			raw(`${each} in HTTP/1.0`, ['POST /own HTTP/1.0', host, json, coding], chunked + plain, two),
			raw(`${each} twice`, [post, host, json, coding, coding], chunked + plain, two),
			raw(`${each} twice, and a length`, [post, host, json, coding, coding, length], chunked),
		]
	}),
	...chunks.map((text) =>
		raw(
			`chunks ${JSON.stringify(text.replaceAll(body, 'BODY'))}`,
			[post, host, json, 'transfer-encoding: chunked'],
			text,
		),
	),
]

const heads: readonly Unmarked[] = [
	...fields.flatMap((line) => [
		raw(`field ${JSON.stringify(line)}`, [post, host, json, length, line], body),
		raw(`first field ${JSON.stringify(line)}`, [post, line, host, json, length], body),
	]),
	...values.map((value) => raw(`value ${JSON.stringify(value)}`, [post, host, json, length, `x: ${value}`], body)),
	raw('a folded field', [post, host, json, length, 'x: a\r\n b'], body),
	raw('a folded length', [post, host, json, `content-length:\r\n ${size}`], body),
	raw('a head of 17 kB', [post, host, json, length, `x: ${'a'.repeat(17_000)}`], body),
	raw('3,000 fields', [post, host, json, length, ...Array.from({ length: 3000 }, (_, i) => `x${i}: a`)], body),
	raw('a target of 17 kB', [`POST /own?${'a'.repeat(17_000)} HTTP/1.1`, host, json, length], body),
	raw('lines that end in LF', [`${[post, host, json, length].join('\n')}\n\n${body}`], ''),
	raw('lines that end in CR', [`${[post, host, json, length].join('\r')}\r\r${body}`], ''),
	raw('no host', [post, json, length], body),
	raw('two hosts', [post, host, 'host: evil.test', json, length], body),
	raw('the same host twice', [post, host, host, json, length], body),
	raw('a host that is none', [post, 'host: a b', json, length], body),
	raw('a host with a path', [post, 'host: gateway.test/own', json, length], body),
	raw('a host with a user', [post, 'host: user@gateway.test', json, length], body),
	...methods.map((each) => raw(`method ${JSON.stringify(each)}`, [`${each} /own HTTP/1.1`, host, json, length], body)),
	...targets.map((each) => raw(`target ${JSON.stringify(each)}`, [`POST ${each} HTTP/1.1`, host, json, length], body)),
	...versions.map((each) => raw(`version ${JSON.stringify(each)}`, [`POST /own ${each}`, host, json, length], body)),
	raw('an expectation that none has', [post, host, json, length, 'expect: miracles'], body),
	raw('a GET with a body', ['GET /own HTTP/1.1', host, json, length], body),
	raw('a GET with a call for its body', ['GET /own HTTP/1.1', host, `content-length: ${plain.length}`], plain),
	raw('a HEAD with a call for its body', ['HEAD /own HTTP/1.1', host, `content-length: ${plain.length}`], plain),
	raw('TLS', ['\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'], ''),
	raw('HTTP/2', ['PRI * HTTP/2.0'], 'SM\r\n\r\n', { calls: 0 }),
	raw('SOCKS', ['\x05\x01\x00'], '', { calls: 0 }),
	raw('bytes of no meaning', ['\0\x01\x02\xff\xfe'], '', { calls: 0 }),
]

const http2 = ['connection: upgrade, http2-settings', 'upgrade: h2c', 'http2-settings: AAMAAABkAARAAAAAAAIAAAAA']

/** What has one meaning. */
const whole: readonly Unmarked[] = [
	raw('a call', [post, host, json, length], body),
	raw('a call in chunks', [post, host, json, 'transfer-encoding: chunked'], chunked),
	raw('a call at a whole URL of this host', ['POST https://gateway.test/own HTTP/1.1', host, json, length], body),
	raw('two calls in one go', [post, host, json, length], body + plain, { calls: 2 }),
	raw('a call, then half of one', [post, host, json, length], body + plain.slice(0, -10)),
	raw('empty lines before a call', [`\r\n\r\n${post}`, host, json, length], body),
	raw('a call, then none', [post, host, json, length], `${body}xyz\r\n\r\n`),
	raw('an upgrade', [post, host, json, length, 'connection: upgrade', 'upgrade: websocket'], body),
	raw('an upgrade to HTTP/2', [post, host, json, length, ...http2], body),
].map((each) => ({ ...each, refused: false }))

/** All of them. */
export const messages: readonly Message[] = [...whole, ...framing, ...heads].map((each, i) => {
	const own = `mark-${String(i + 1).padStart(3, '0')}`
	return { ...each, mark: own, bytes: each.bytes.replaceAll(noMark, own) }
})
