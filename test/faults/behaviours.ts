/** How an upstream can misbehave: one behaviour a name, and what a platform may hear of it. */
import { gzipSync } from 'node:zlib'
import type { Act, Line, Reached } from './upstream.ts'

/** What came to the platform: 'reply', 'silence' (a reply that says nothing), or the code of an error. */
export type Heard = string

/** A behaviour, and what may be heard of it. */
export interface Behaviour {
	readonly hears: readonly Heard[]
	readonly act: Act
	/** It takes all the time there is. */
	readonly slow?: true
}

/** Stands in bodies that are no reply: no answer and no line of the log may have it. Short, since parsers quote little. */
export const excerpt = 'qxzq'

/** The reply that says the nonce. Whoever gets a part of it does not get all the words. */
export function replyTo({ nonce }: Reached): string {
	return JSON.stringify({ messages: [{ type: 'text', text: `${nonce} whole` }] })
}

const json = 'content-type: application/json'

/** An answer as bytes: a line for each field, and the length. */
export function answer(body: string | Buffer, fields: readonly string[] = [json], status = 200): Buffer {
	return Buffer.concat([head([...fields, `content-length: ${Buffer.byteLength(body)}`], status), Buffer.from(body)])
}

/** The head of an answer as bytes. */
export function head(fields: readonly string[], status = 200): Buffer {
	return Buffer.from([`HTTP/1.1 ${status} Said`, ...fields, '', ''].join('\r\n'), 'latin1')
}

/** Answers with these bytes. */
export function says(bytes: (call: Reached) => string | Buffer): Act {
	return (line, call) => line.write(bytes(call))
}

/** Replies, after so many milliseconds. */
export function repliesAfter(milliseconds: number): Act {
	return async (line, call) => {
		await line.pause(milliseconds)
		await line.write(answer(replyTo(call)))
	}
}

/** Answers with the first bytes of a reply, and with nothing more. */
function fallsSilent(first: (bytes: Buffer) => number): Act {
	return async (line, call) => {
		const bytes = answer(replyTo(call))
		await line.write(bytes.subarray(0, first(bytes)))
		await line.gone
	}
}

const bodyAt = (bytes: Buffer): number => bytes.indexOf('\r\n\r\n') + 4

/** The head, then a byte of the reply each 200 ms, so that no silence is ever long. */
export const drips: Act = async (line, call) => {
	const bytes = answer(replyTo(call).padEnd(1000))
	const from = bodyAt(bytes)
	await line.write(bytes.subarray(0, from))
	for (let i = from; i < bytes.length && line.open; i++) {
		await line.write(bytes.subarray(i, i + 1))
		await line.pause(200)
	}
}

/** Replies up to a byte that chance picks, and resets the connection there. */
function resets(random: () => number): Act {
	return async (line, call) => {
		const bytes = answer(replyTo(call))
		await line.write(bytes.subarray(0, Math.floor(random() * bytes.length)))
		line.socket.resetAndDestroy()
	}
}

/** Says less than it declared, and ends the connection. */
const saysLess: Act = async (line, call) => {
	await line.write(answer(replyTo(call)).subarray(0, -1))
	line.socket.end()
	await line.gone
}

/** A second answer, to nobody, behind the first. */
const saysTwice: Act = says((call) => {
	const first = answer(replyTo(call))
	return Buffer.concat([first, answer(replyTo({ ...call, nonce: 'nonce-0-0' }))])
})

/** Says more than it declared. */
const saysMore: Act = says((call) => Buffer.concat([answer(replyTo(call)), Buffer.from(excerpt.repeat(50))]))

/** A body of blanks that never ends, as fast as it is taken. */
export function pours(chunked: boolean): Act {
	const blanks = Buffer.alloc(65_536, ' ')
	const chunk = Buffer.concat([Buffer.from('10000\r\n'), blanks, Buffer.from('\r\n')])
	return async (line) => {
		await line.write(head([json, chunked ? 'transfer-encoding: chunked' : 'content-length: 1073741824']))
		await pour(line, chunked ? chunk : blanks)
	}
}

/** Writes the bytes again and again, as fast as they are taken. */
export async function pour(line: Line, bytes: Buffer): Promise<void> {
	while (line.open) await line.write(bytes)
}

/** 50 kB that unpack to 50 MB. */
export const bomb = gzipSync(Buffer.alloc(50_000_000, ' '))

/** Answers with a status that is no success, and a page. */
export function status(code: number, fields: readonly string[] = []): Act {
	return says(() => answer(`<h1>${excerpt}</h1>`, ['content-type: text/html', ...fields], code))
}

/** Fails every second time, by chance. */
export function flaps(random: () => number): Act {
	const fails = status(503)
	return (line, call) => (random() < 0.5 ? fails(line, call) : line.write(answer(replyTo(call))))
}

const invalid = ['upstream-reply-invalid']
const refused = ['upstream-status']
const late = ['upstream-timeout']
const reply = ['reply']

const page = `<!doctype html><title>${excerpt}</title>`

/** Every way, by its name; what is random in them is made from `random`. */
export function misbehaviours(random: () => number): { readonly [name: string]: Behaviour } {
	return {
		echo: { hears: reply, act: repliesAfter(0) },
		'after-300-ms': { hears: reply, act: repliesAfter(300) },
		'after-8400-ms': { hears: ['reply', 'upstream-timeout'], act: repliesAfter(8400), slow: true },
		'after-8600-ms': { hears: late, act: repliesAfter(8600), slow: true },
		'after-12-s': { hears: late, act: repliesAfter(12_000), slow: true },
		silent: { hears: late, act: fallsSilent(() => 0), slow: true },
		'silent-in-the-head': { hears: late, act: fallsSilent((bytes) => bodyAt(bytes) - 4), slow: true },
		'silent-after-the-head': { hears: late, act: fallsSilent(bodyAt), slow: true },
		'silent-in-the-body': { hears: late, act: fallsSilent((bytes) => bytes.length - 1), slow: true },
		drips: { hears: late, act: drips, slow: true },
		resets: { hears: ['upstream-unreachable', ...invalid], act: resets(random) },
		'ends-unasked': { hears: ['upstream-unreachable'], act: (line) => void line.socket.end() },
		'says-less': { hears: invalid, act: saysLess },
		'says-more': { hears: reply, act: saysMore },
		'says-twice': { hears: reply, act: saysTwice },
		'no-http': { hears: invalid, act: says(() => `SSH-2.0-${excerpt}\r\n`) },
		'broken-json': { hears: invalid, act: says((call) => answer(replyTo(call).slice(0, -1))) },
		'other-json': { hears: invalid, act: says(() => answer(`{"text":"${excerpt}"}`)) },
		'latin-1': {
			hears: invalid,
			act: says((call) => answer(Buffer.from(`${replyTo(call).slice(0, -1)}é}`, 'latin1'))),
		},
		'utf-16': { hears: invalid, act: says((call) => answer(Buffer.from(replyTo(call), 'utf16le'))) },
		bom: { hears: reply, act: says((call) => answer(`\ufeff${replyTo(call)}`)) },
		'lone-surrogate': { hears: reply, act: says((call) => answer(replyTo(call).replace('whole', 'whole\\ud800'))) },
		'deep-json': { hears: invalid, act: says(() => answer('['.repeat(100_000))) },
		'too-long': { hears: ['upstream-reply-too-large'], act: pours(false) },
		'endless-chunks': { hears: ['upstream-reply-too-large'], act: pours(true) },
		bomb: { hears: invalid, act: says(() => answer(bomb, [json, 'content-encoding: gzip'])) },
		'no-type': { hears: reply, act: says((call) => answer(replyTo(call), [])) },
		'wrong-type': { hears: invalid, act: says((call) => answer(replyTo(call), ['content-type: image/png'])) },
		'no-content': { hears: ['silence'], act: says(() => head([json], 204)) },
		'html-with-200': { hears: invalid, act: says(() => answer(page, ['content-type: text/html'])) },
		'html-called-json': { hears: invalid, act: says(() => answer(page)) },
		'status-400': { hears: refused, act: status(400) },
		'status-404': { hears: refused, act: status(404) },
		'status-500': { hears: refused, act: status(500) },
		'status-502': { hears: refused, act: status(502) },
		'retry-after-seconds': { hears: refused, act: status(503, ['retry-after: 30']) },
		'retry-after-garbage': { hears: refused, act: status(429, [`retry-after: ${excerpt}`]) },
		redirects: { hears: ['upstream-redirect'], act: status(307, ['location: /echo']) },
		flaps: { hears: ['reply', ...refused], act: flaps(random) },
		cookies: { hears: reply, act: says((call) => answer(replyTo(call), [json, `set-cookie: a=${excerpt}`])) },
		'two-lengths': { hears: invalid, act: says((call) => answer(replyTo(call), [json, 'content-length: 1'])) },
		'long-head': { hears: invalid, act: says((call) => answer(replyTo(call), [json, `x: ${'x'.repeat(20_000)}`])) },
	}
}
