/** Requests that somebody in front of the gateway could read otherwise are refused, byte by byte on a socket. */
import { connect } from 'node:net'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { canonical } from '../../adapters/canonical/index.ts'
import { serve } from '../../src/node/serve.ts'
import type { LogLine } from '../../src/runtime.ts'

const body = '{"version":1,"event":{"kind":"message","text":"Hi","attributes":{}}}'
const json = 'content-type: application/json\r\n'
const sized = `${json}content-length: ${body.length}\r\n`
const chunks = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`
/** What somebody would smuggle in behind the first request. */
const next = `POST /in HTTP/1.1\r\nhost: x\r\n${sized}connection: close\r\n\r\n${body}`

const lines: LogLine[] = []
let url = ''
beforeAll(async () => {
	const config = {
		upstream: { url: 'builtin:demo' },
		routes: [{ name: 'in', path: '/in', platform: 'canonical' }],
	}
	const gateway = await serve({ config, adapters: [canonical], log: (line) => lines.push(line) })
	url = gateway.url
	return gateway.close
})

/** Sends bytes and those of another request behind them, in one piece; what came back when the gateway closed the connection. */
function exchange(bytes: string): Promise<{ status: number; whole: string; answers: number; turns: number }> {
	const before = turns()
	return new Promise((done, failed) => {
		let whole = ''
		const socket = connect(Number(new URL(url).port), '127.0.0.1')
		onTestFinished(() => void socket.destroy())
		socket.write(bytes + next)
		socket
			.on('data', (chunk) => {
				whole += chunk
			})
			// Bytes behind a refused request meet a closed connection.
			.on('error', (error: NodeJS.ErrnoException) => {
				if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') failed(error)
			})
			.on('close', () => {
				const statuses = [...whole.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status))
				done({ status: statuses[0] ?? 0, whole, answers: statuses.length, turns: turns() - before })
			})
	})
}

const turns = () => lines.filter(({ msg }) => msg === 'turn').length

const read: { readonly [what: string]: string } = {
	'a call': `POST /in HTTP/1.1\r\nhost: x\r\n${sized}\r\n${body}`,
	'a call in pieces': `POST /in HTTP/1.1\r\nhost: x\r\n${json}transfer-encoding: chunked\r\n\r\n${chunks}`,
	'a whole URL as target': `POST http://x:80/in HTTP/1.1\r\nhost: X:80\r\n${sized}\r\n${body}`,
	'HTTP/1.0': `POST /in HTTP/1.0\r\nconnection: keep-alive\r\n${sized}\r\n${body}`,
}

test.each(Object.entries(read))('%s is taken, and so is the next one', async (_, bytes) => {
	const { status, answers, turns } = await exchange(bytes)
	expect({ status, answers, turns }).toEqual({ status: 200, answers: 2, turns: 2 })
})

const ambiguous: { readonly [what: string]: readonly [field: string, bytes: string] } = {
	'two hosts': ['host', `POST /in HTTP/1.1\r\nhost: x\r\nhost: y\r\n${sized}\r\n${body}`],
	'the same host twice': ['host', `POST /in HTTP/1.1\r\nHost: x\r\nHOST: x\r\n${sized}\r\n${body}`],
	'no host': ['host', `POST /in HTTP/1.1\r\n${sized}\r\n${body}`],
	'two hosts, at a path of the gateway': ['host', 'GET /readyz HTTP/1.1\r\nhost: x\r\nhost: y\r\n\r\n'],
	'a whole URL of another host': ['host', `POST http://other.example/in HTTP/1.1\r\nhost: x\r\n${sized}\r\n${body}`],
	'another port': ['host', `POST http://x:81/in HTTP/1.1\r\nhost: x\r\n${sized}\r\n${body}`],
	'a user in it': ['host', `POST http://x@y/in HTTP/1.1\r\nhost: y\r\n${sized}\r\n${body}`],
	'a whole URL, at a path of the gateway': ['host', 'GET http://other.example/readyz HTTP/1.1\r\nhost: x\r\n\r\n'],
	'a whole URL without a host beside it': ['host', `POST http://x/in HTTP/1.0\r\n${sized}\r\n${body}`],
	'HTTP/2.0 as text': ['version', `POST /in HTTP/2.0\r\nhost: x\r\n${sized}\r\n${body}`],
	'HTTP/0.9': ['version', 'GET /readyz\r\n\r\n'],
	'pieces in HTTP/1.0': [
		'transfer-encoding',
		`POST /in HTTP/1.0\r\nhost: x\r\n${json}transfer-encoding: chunked\r\n\r\n${chunks}`,
	],
	'a coding before chunked': [
		'transfer-encoding',
		`POST /in HTTP/1.1\r\nhost: x\r\n${json}transfer-encoding: gzip, chunked\r\n\r\n${chunks}`,
	],
	'a coding on a line of its own': [
		'transfer-encoding',
		`POST /in HTTP/1.1\r\nhost: x\r\n${json}transfer-encoding: gzip\r\ntransfer-encoding: chunked\r\n\r\n${chunks}`,
	],
}

test.each(Object.entries(ambiguous))(
	'%s is refused with a reason, and ends the connection',
	async (_, [field, bytes]) => {
		const { status, whole, answers, turns } = await exchange(bytes)
		expect({ status, answers, turns }).toEqual({ status: 400, answers: 1, turns: 0 })
		expect(JSON.parse(whole.slice(whole.indexOf('\r\n\r\n')))).toMatchObject({ title: 'request-ambiguous', field })
		expect(whole).toMatch(/^connection: close\r$/im)
		expect(whole).toMatch(/^cache-control: no-store\r$/im)
	},
)

const malformed: { readonly [what: string]: string } = {
	'a host that is none': `POST /in HTTP/1.1\r\nhost: a b\r\n${sized}connection: close\r\n\r\n${body}`,
	'a host with a path': `POST /in HTTP/1.1\r\nhost: x/in?\r\n${sized}connection: close\r\n\r\n${body}`,
	'a length and pieces': `POST /in HTTP/1.1\r\nhost: x\r\n${sized}transfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
	'pieces and a length': `POST /in HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n${sized}\r\n0\r\n\r\n`,
	'two lengths': `POST /in HTTP/1.1\r\nhost: x\r\n${sized}content-length: 0\r\n\r\n${body}`,
	'a list of lengths': `POST /in HTTP/1.1\r\nhost: x\r\n${json}content-length: 68, 68\r\n\r\n${body}`,
	'a length with a sign': `POST /in HTTP/1.1\r\nhost: x\r\n${json}content-length: +68\r\n\r\n${body}`,
	'a coding that is unknown': `POST /in HTTP/1.1\r\nhost: x\r\n${json}transfer-encoding: xchunked\r\n\r\n${chunks}`,
	'a coding behind chunked': `POST /in HTTP/1.1\r\nhost: x\r\n${json}transfer-encoding: chunked, identity\r\n\r\n${chunks}`,
	'a blank before the colon': `POST /in HTTP/1.1\r\nhost: x\r\ncontent-length : 68\r\n\r\n${body}`,
	'a folded line': `POST /in HTTP/1.1\r\nhost: x\r\nx-a: 1\r\n content-length: 68\r\n\r\n${body}`,
	'bare line feeds': `POST /in HTTP/1.1\nhost: x\ncontent-length: 68\n\n${body}`,
	'a bare carriage return': `POST /in HTTP/1.1\r\nhost: x\r\nx-a: 1\rcontent-length: 68\r\n\r\n${body}`,
	'a NUL': `POST /in HTTP/1.1\r\nhost: x\r\nx-a: \0\r\n${sized}\r\n${body}`,
	'a method that is unknown': `FETCH /in HTTP/1.1\r\nhost: x\r\n${sized}\r\n${body}`,
	'a method in small letters': `post /in HTTP/1.1\r\nhost: x\r\n${sized}\r\n${body}`,
	'a target without a slash': `POST in HTTP/1.1\r\nhost: x\r\n${sized}\r\n${body}`,
	'HTTP/1.2': `POST /in HTTP/1.2\r\nhost: x\r\n${sized}\r\n${body}`,
	'the preface of HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
}

test.each(Object.entries(malformed))('%s is refused, and ends the connection', async (_, bytes) => {
	const { status, answers, turns } = await exchange(bytes)
	expect({ status, answers, turns }).toEqual({ status: 400, answers: 1, turns: 0 })
})

test('CONNECT opens nothing', async () => {
	for (const target of ['other.example:443', '/in']) {
		expect(await exchange(`CONNECT ${target} HTTP/1.1\r\nhost: ${target}\r\n\r\n`)).toMatchObject({
			whole: '',
			turns: 0,
		})
	}
})

test.each(['TRACE', 'QUERY', 'PURGE', 'PROPFIND'])(
	'%s starts no turn, and its content is not sent back',
	async (method) => {
		const { status, whole, turns } = await exchange(`${method} /in HTTP/1.1\r\nhost: x\r\nx-secret: canary\r\n\r\n`)
		// The one turn is that of the request behind it.
		expect({ status, turns }).toEqual({ status: 405, turns: 1 })
		expect(whole).not.toContain('canary')
	},
)

test('two hundred rejections are one or two log lines', async () => {
	const before = lines.length
	for (let i = 0; i < 200; i++) await exchange(ambiguous['two hosts']?.[1] ?? '')
	expect(lines.slice(before).every(({ msg, error }) => msg === 'refused' && error === 'request-ambiguous')).toBe(true)
	expect(lines.length - before).toBeLessThanOrEqual(20)
})
