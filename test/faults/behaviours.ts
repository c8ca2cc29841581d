/** How an upstream can misbehave: one name per behaviour, and which results a platform may get from it. */
import { gzipSync } from 'node:zlib'
import type { Fields } from '../../src/format/index.ts'
import { jsonType, says } from '../harness/http.ts'
import { bytesOf, type Connection, headOf, type Received, type Script } from '../harness/upstream.ts'
import { excerpt, type Heard, nonceOf } from './turns.ts'

/** A behaviour, and what may be heard of it. */
export interface Behaviour {
	readonly hears: readonly Heard[]
	readonly script: Script
	/** It takes all the time there is. */
	readonly slow?: true
	/** It fails behind a head that says 200, which is all that is read for a platform that reads no answer. */
	readonly afterHead?: true
}

/** The reply that says the nonce of the turn. A part of it has not all the words. */
export function replyTo(call: Received): string {
	return JSON.stringify(says(`${nonceOf(call)} whole`))
}

/** An answer of these bytes, as bytes. */
export function answer(body: string | Buffer, headers: Fields = jsonType, status = 200): Buffer {
	return bytesOf({ status, headers, body })
}

/** A header that tells this type. */
export function typed(type: string): Fields {
	return [['content-type', type]]
}

/** Replies as it should. */
export const replies: Script = (call) => answer(replyTo(call))

/** Replies after these milliseconds. */
export function repliesAfter(milliseconds: number): Script {
	return async (call, connection) => {
		await connection.pause(milliseconds)
		return answer(replyTo(call))
	}
}

/** Answers with the first bytes of a reply, and with nothing more. */
function fallsSilent(first: (bytes: Buffer) => number): Script {
	return async (call, connection) => {
		const bytes = answer(replyTo(call))
		await connection.write(bytes.subarray(0, first(bytes)))
		await connection.gone
	}
}

const bodyAt = (bytes: Buffer): number => bytes.indexOf('\r\n\r\n') + 4

/** The head, then a byte of the reply each 200 ms, so that no silence is ever long. */
export const drips: Script = async (call, connection) => {
	const bytes = answer(replyTo(call).padEnd(1000))
	const from = bodyAt(bytes)
	await connection.write(bytes.subarray(0, from))
	for (let i = from; i < bytes.length && connection.open; i++) {
		await connection.write(bytes.subarray(i, i + 1))
		await connection.pause(200)
	}
}

/** Replies up to this part of its bytes, and resets the connection there. */
export function resetsAt(part: () => number): Script {
	return async (call, connection) => {
		const bytes = answer(replyTo(call))
		await connection.write(bytes.subarray(0, Math.floor(part() * bytes.length)))
		connection.socket.resetAndDestroy()
	}
}

/** Ends the connection without an answer. */
export const hangsUp: Script = (_, { socket }) => {
	socket.end()
}

/** Says less than it declared, and ends the connection. */
const saysLess: Script = async (call, connection) => {
	await connection.write(answer(replyTo(call)).subarray(0, -1))
	connection.socket.end()
	await connection.gone
}

/** A second answer, to no call, behind the first. */
const saysTwice: Script = (call) =>
	Buffer.concat([answer(replyTo(call)), answer(JSON.stringify(says('nonce-0-0 whole')))])

/** Says more than it declared. */
const saysMore: Script = (call) => Buffer.concat([answer(replyTo(call)), Buffer.from(excerpt.repeat(50))])

/** A body of blanks that never ends, as fast as it is taken. */
export function pours(chunked: boolean): Script {
	const blanks = Buffer.alloc(65_536, ' ')
	const chunk = Buffer.concat([Buffer.from('10000\r\n'), blanks, Buffer.from('\r\n')])
	const framing: Fields = [chunked ? ['transfer-encoding', 'chunked'] : ['content-length', '1073741824']]
	return async (_, connection) => {
		await connection.write(headOf(200, [...jsonType, ...framing]))
		await pour(connection, chunked ? chunk : blanks)
	}
}

/** Writes the bytes again and again, as fast as they are taken. */
export async function pour(connection: Connection, bytes: Buffer): Promise<undefined> {
	while (connection.open) await connection.write(bytes)
}

/** 50 kB that unpack to 50 MB. */
export const bomb = gzipSync(Buffer.alloc(50_000_000, ' '))

/** Answers with a status that is no success, and a page. */
export function fails(status: number, headers: Fields = []): Script {
	return () => answer(`<h1>${excerpt}</h1>`, [...typed('text/html'), ...headers], status)
}

/** Does one or the other, by chance. */
export function either(random: () => number, part: number, one: Script, other: Script = replies): Script {
	return (call, connection) => (random() < part ? one(call, connection) : other(call, connection))
}

export const page = `<!doctype html><title>${excerpt}</title>`

const reply = ['reply']
const invalid = ['upstream-reply-invalid']
const refused = ['upstream-status']
const timeout = ['upstream-timeout']
const tooLarge = ['upstream-reply-too-large']

/** Every way, by its name; what is random in them is made from `random`. */
export function misbehaviours(random: () => number): { readonly [name: string]: Behaviour } {
	const changed = (change: (reply: string) => string | Buffer, headers?: Fields): Script => {
		return (call) => answer(change(replyTo(call)), headers)
	}
	const with_ = (name: string, value: string) => changed((reply) => reply, [...jsonType, [name, value]])
	return {
		echo: { hears: reply, script: replies },
		'after-300-ms': { hears: reply, script: repliesAfter(300) },
		'after-8400-ms': { hears: ['reply', 'upstream-timeout'], script: repliesAfter(8400), slow: true },
		'after-8600-ms': { hears: timeout, script: repliesAfter(8600), slow: true },
		'after-12-s': { hears: timeout, script: repliesAfter(12_000), slow: true },
		silent: { hears: timeout, script: fallsSilent(() => 0), slow: true },
		'silent-in-the-head': { hears: timeout, script: fallsSilent((bytes) => bodyAt(bytes) - 4), slow: true },
		'silent-after-the-head': { hears: timeout, script: fallsSilent(bodyAt), slow: true, afterHead: true },
		'silent-in-the-body': {
			hears: timeout,
			script: fallsSilent((bytes) => bytes.length - 1),
			slow: true,
			afterHead: true,
		},
		drips: { hears: timeout, script: drips, slow: true, afterHead: true },
		resets: { hears: ['upstream-unreachable', ...invalid], script: resetsAt(random) },
		'ends-unasked': { hears: ['upstream-unreachable'], script: hangsUp },
		'says-less': { hears: invalid, script: saysLess },
		'says-more': { hears: reply, script: saysMore },
		'says-twice': { hears: reply, script: saysTwice },
		'no-http': { hears: invalid, script: () => `SSH-2.0-${excerpt}\r\n` },
		'broken-json': { hears: invalid, script: changed((reply) => reply.slice(0, -1)) },
		'other-json': { hears: invalid, script: () => answer(`{"text":"${excerpt}"}`) },
		'latin-1': { hears: invalid, script: changed((reply) => Buffer.from(`${reply.slice(0, -1)}é}`, 'latin1')) },
		'utf-16': { hears: invalid, script: changed((reply) => Buffer.from(reply, 'utf16le')) },
		bom: { hears: reply, script: changed((reply) => `\ufeff${reply}`) },
		'lone-surrogate': { hears: reply, script: changed((reply) => reply.replace('whole', 'whole\\ud800')) },
		'deep-json': { hears: invalid, script: () => answer('['.repeat(100_000)) },
		'too-long': { hears: tooLarge, script: pours(false), afterHead: true },
		'endless-chunks': { hears: tooLarge, script: pours(true), afterHead: true },
		bomb: { hears: invalid, script: () => answer(bomb, [...jsonType, ['content-encoding', 'gzip']]) },
		'no-type': { hears: reply, script: changed((reply) => reply, []) },
		'wrong-type': { hears: reply, script: changed((reply) => reply, typed('image/png')) },
		'no-content': { hears: ['silence'], script: () => answer('', jsonType, 204) },
		'html-with-200': { hears: invalid, script: () => answer(page, typed('text/html')) },
		'html-called-json': { hears: invalid, script: () => answer(page) },
		'status-400': { hears: refused, script: fails(400) },
		'status-404': { hears: refused, script: fails(404) },
		'status-500': { hears: refused, script: fails(500) },
		'status-502': { hears: refused, script: fails(502) },
		'retry-after-seconds': { hears: refused, script: fails(503, [['retry-after', '30']]) },
		'retry-after-garbage': { hears: refused, script: fails(429, [['retry-after', excerpt]]) },
		redirects: { hears: ['upstream-redirect'], script: fails(307, [['location', '/echo']]) },
		flaps: { hears: ['reply', ...refused], script: either(random, 0.5, fails(503)) },
		cookies: { hears: reply, script: with_('set-cookie', `a=${excerpt}`) },
		'two-lengths': { hears: invalid, script: twoLengths },
		'long-head': { hears: invalid, script: with_('x', 'x'.repeat(20_000)) },
	}
}

/** Declares two lengths. */
export const twoLengths: Script = (call) => {
	const body = replyTo(call)
	return answer(body, [...jsonType, ['content-length', '1'], ['content-length', String(body.length)]])
}
