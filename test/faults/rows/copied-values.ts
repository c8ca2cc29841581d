/** Ids, names and keys of others that we copy into URLs, headers and forms add no line, no field and no call to them. */
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { errors } from '../../../src/errors.ts'
import type { CanonicalEvent } from '../../../src/model/index.ts'
import { send } from '../../runtime/http.ts'
import { platforms } from '../calls.ts'
import { startEcho } from '../echo.ts'
import { startGateway } from '../gateway.ts'
import type { Row, Trial } from '../row.ts'

const values = [
	...[
		'a\r\nx-injected: 1',
		'\r\n\r\nPOST /injected HTTP/1.1\r\nhost: a\r\n\r\n',
		'a\nx-injected: 1',
		'a\rx-injected: 1',
		'a\0b',
		'\x7f',
		'\x1b[31m',
	],
	...[
		'%0d%0ax-injected:%201',
		'%00',
		'%',
		'%zz',
		'&x-injected=1',
		'?x-injected=1',
		'#x-injected',
		';x-injected=1',
		'/../x-injected',
		'\\',
		' ',
	],
	...[
		'é',
		'ż',
		'日本',
		'😀',
		'\u2028x-injected: 1',
		'\u0085x-injected: 1',
		'\ud83d',
		'\ude00',
		'\u202e',
		'\ufeff',
		'e\u0301',
		'\u560d\u560ax-injected: 1',
	],
	...['"', "'", '<b>', '=?utf-8?q?=0d=0a?=', 'a:b', ',', '__proto__', 'x'.repeat(5000), `${'é'.repeat(3000)}\r\n`],
]

/** Every way in which a format is written: with its options, too. */
const formats = platforms.flatMap(({ name, options }): { name: string; options: object }[] => {
	if (name === 'botdistrikt') return ['GET', 'POST'].map((method) => ({ name, options: { method } }))
	if (name === 'pingstreams') {
		return ['runtime', 'server', 'external', 'subscription'].map((dialect) => ({ name, options: { dialect } }))
	}
	return [{ name, options: typeof options === 'object' && options !== null ? options : {} }]
})

export const copiedValues: Row = {
	id: 'D17',
	fault: 'Line ends, NUL, Unicode and separators in ids, names, keys and texts that we copy into calls and answers',
	demand: '0 lines or calls added, 0 faults of the gateway; what cannot stand somewhere is encoded or dropped',
	async run(trial) {
		const upstream = await startRaw(trial)
		const replying = await startEcho(trial, ({ body }) => replyOf(JSON.parse(body).event.text))
		const gateway = await startGateway(trial, {
			upstream: { url: upstream.url },
			routes: [
				...formats.map(({ name, options }, i) => ({
					...{ name: `to-${i}`, path: `/to-${i}`, platform: 'canonical', debug: true },
					upstream: { url: upstream.url, adapter: name, options },
				})),
				...platforms.map(({ name, options }) => ({
					...{ name: `from-${name}`, path: `/from-${name}`, platform: name, options, debug: true },
					upstream: { url: replying.url },
				})),
				{ name: 'reply', path: '/reply', platform: 'canonical', debug: true, upstream: { url: replying.url } },
			],
		})
		const broken: string[] = []
		let turns = 0
		let sent = 0
		const take = async (what: string, path: string, body: string, headers?: [string, string][]): Promise<number> => {
			turns++
			const got = await send(gateway.url, { path, body, ...(headers && { headers }) })
			const fields = got.headers.map(([name]) => name)
			if (fields.some((name) => name.includes('injected'))) broken.push(`${what}: the answer has ${fields.join()}`)
			const title = got.status >= 500 ? titleOf(got.body) : ''
			if (title === undefined || title === 'internal') broken.push(`${what}: ${got.status} ${got.body.slice(0, 200)}`)
			return got.status
		}
		for (const [i, { name, options }] of formats.entries()) {
			for (const value of values) {
				const before = upstream.calls()
				const what = `to ${name} ${JSON.stringify(options)} with ${JSON.stringify(value.slice(0, 40))}`
				await take(what, `/to-${i}`, JSON.stringify({ version: 1, event: eventOf(value) }))
				sent += upstream.calls() - before
				if (upstream.calls() - before > 1) broken.push(`${what}: ${upstream.calls() - before} calls`)
			}
		}
		for (const value of values) {
			await take(`a reply of ${JSON.stringify(value.slice(0, 40))}`, '/reply', messageOf(value))
			for (const { name, wire } of platforms) {
				const what = `${name}'s answer with ${JSON.stringify(value.slice(0, 40))}`
				// Each of its strings at once: what is an id there comes back in some answers.
				const body = wire.body.startsWith('{') ? everywhere(wire.body, value) : wire.body
				await take(what, `/from-${name}`, body, [
					...wire.headers.map(([field, text]): [string, string] => [field, text]),
				])
			}
		}
		if (upstream.strange().length > 0) broken.push(`the upstream got ${upstream.strange().slice(0, 3).join(' | ')}`)
		if (sent < formats.length * values.length * 0.5) broken.push(`only ${sent} calls came: nothing was tried`)
		for (const { msg, cause, error } of gateway.lines)
			if (msg === 'uncaught' || error === 'internal') broken.push(`${cause}`)
		return {
			reached: `${turns} turns with ${values.length} values, ${sent} calls in ${formats.length} formats: ${broken.length} injected or failed`,
			broken: broken.slice(0, 10),
		}
	},
}

function eventOf(value: string): CanonicalEvent {
	return {
		...{ id: value, kind: 'message', channel: value, conversation: value, language: value, text: value },
		bot: { id: value, name: value, project: value },
		user: { id: value, externalId: value, name: value, email: value, phone: value, attributes: attributesOf(value) },
		media: [{ kind: 'file', url: value, name: value, mimeType: value }],
		trigger: { kind: 'module', id: value, name: value, action: value },
		attributes: attributesOf(value),
	}
}

function attributesOf(value: string): { [key: string]: string } {
	return value === '__proto__' ? { value } : { [value]: value }
}

function messageOf(value: string): string {
	return JSON.stringify({ version: 1, event: { kind: 'message', text: value, attributes: {} } })
}

/** A reply that says the value in every place; the changes that it causes are told in a header. */
function replyOf(value: string | undefined): string {
	const said = value || 'nothing'
	return JSON.stringify({
		messages: [
			{ type: 'text', text: said, alternatives: [said], buttons: [{ type: 'postback', title: said, value: said }] },
			{ type: 'choices', text: said, choices: [{ title: said, value: said }] },
			{ type: 'file', url: said, name: said, mimeType: said },
			{ type: 'cards', cards: [{ title: said, subtitle: said, imageUrl: said, url: said }] },
		],
		attributes: { session: attributesOf(said), user: attributesOf(said) },
		control: { goto: said, tags: [said], handover: { to: 'bot', name: said, id: said } },
	})
}

function everywhere(body: string, value: string): string {
	return JSON.stringify(JSON.parse(body), (_key, each) => (typeof each === 'string' ? value : each))
}

function titleOf(body: string): string | undefined {
	try {
		const { title } = JSON.parse(body)
		return Object.hasOwn(errors, title) ? title : undefined
	} catch {
		return undefined
	}
}

/** An upstream that counts request lines, and keeps every line of a head that is not one of ours. */
async function startRaw(trial: Trial): Promise<{ url: string; calls(): number; strange(): string[] }> {
	const ours =
		/^(?:host|connection|content-type|content-length|accept|accept-encoding|user-agent|cdn-loop): [\x20-\x7e]*$/i
	const sockets = new Set<Socket>()
	const strange: string[] = []
	let calls = 0
	const server = createServer((socket) => {
		let rest = Buffer.alloc(0)
		sockets.add(socket)
		socket
			.on('error', () => {})
			.on('data', (chunk) => {
				rest = Buffer.concat([rest, chunk])
				for (;;) {
					const end = rest.indexOf('\r\n\r\n')
					if (end === -1) return
					const [line = '', ...fields] = rest.subarray(0, end).toString('latin1').split('\r\n')
					const length = Number(fields.map((field) => /^content-length: (\d+)$/i.exec(field)?.[1]).find(Boolean) ?? 0)
					if (rest.length < end + 4 + length) return
					rest = rest.subarray(end + 4 + length)
					calls++
					if (!/^(?:GET|POST) \/[\x21-\x7e]* HTTP\/1\.1$/.test(line)) strange.push(line)
					strange.push(...fields.filter((field) => !ours.test(field)))
					const answer = '{}'
					socket.write(
						`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${answer.length}\r\n\r\n${answer}`,
					)
				}
			})
	})
	await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
	trial.after(() => {
		server.close()
		for (const socket of sockets) socket.destroy()
	})
	const { port } = server.address() as AddressInfo
	return { url: `http://127.0.0.1:${port}/`, calls: () => calls, strange: () => strange }
}
