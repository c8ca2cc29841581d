/** The upstream of the runtime suite: what it does stands in the path. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Fields, WireResponse } from '../../src/format/index.ts'

/** A call as the upstream got it. */
export interface Call {
	readonly path: string
	readonly headers: IncomingMessage['headers']
	readonly body: string
}

export interface SuiteUpstream {
	readonly url: string
	readonly calls: Call[]
	/** Answers at `/wire/NAME`. */
	readonly wires: Map<string, WireResponse>
	close(): Promise<void>
}

const json = 'application/json'
const big = JSON.stringify({ messages: [{ type: 'text', text: 'x'.repeat(1024 * 1024) }] })

type Answer = (response: ServerResponse, call: Call) => void

/** What an upstream can do, wrong and right. */
const answers: { readonly [path: string]: Answer } = {
	'/echo': (response, { body }) => reply(response, echo(body)),
	'/500': (response) => response.writeHead(500, { 'content-type': 'text/html' }).end('<h1>secret trace</h1>'),
	'/404': (response) => response.writeHead(404).end(),
	'/redirect': (response) => response.writeHead(302, { location: '/echo' }).end(),
	'/204': (response) => response.writeHead(204).end(),
	'/html': (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Hello</h1>'),
	'/not-json': (response) => response.writeHead(200, { 'content-type': json }).end('{"messages":'),
	'/not-a-reply': (response) => reply(response, { messages: [{ type: 'nothing' }] }),
	'/not-utf8': (response) => response.writeHead(200, { 'content-type': json }).end(Buffer.from([0x22, 0xff, 0x22])),
	'/marked': (response) => response.writeHead(200, { 'content-type': json }).end('\uFEFF{"messages":[]}'),
	'/big': (response) => response.writeHead(200, { 'content-type': json, 'content-length': big.length }).end(big),
	'/big-in-pieces': (response) => response.writeHead(200, { 'content-type': json }).write(big, () => response.end()),
	'/compressed': (response) =>
		response.writeHead(200, { 'content-type': json, 'content-encoding': 'gzip' }).end(Buffer.from('1f8b', 'hex')),
	'/cut': (response) => {
		response.writeHead(200, { 'content-type': json, 'content-length': '100' }).write('{"messages":', () => {
			response.destroy()
		})
	},
	'/hang-up': (response) => response.destroy(),
	'/slow': (response) => void setTimeout(() => response.end(), 3000).unref(),
	'/headers': (response) => {
		response.setHeader('set-cookie', ['a=b', 'c=d']).setHeader('x-powered-by', 'secrets')
		reply(response, says('Hello'))
	},
}

function says(...texts: string[]) {
	return { messages: texts.map((text) => ({ type: 'text', text })) }
}

const choices = [
	{ title: 'Red & blue', value: 'colour-1' },
	{ title: 'Grün 🎈', value: 'colour-2' },
	{ title: 'Red & blue', value: 'colour-3' },
]

// What one platform or another would take for more than text.
const markup = ['* one', '', '{{two}} $' + '{three} ::next:: \\four'].join('\n')

/** All that a reply can show, and what the event said: words that ask for choices get choices only. */
function echo(body: string): object {
	const { event } = JSON.parse(body)
	if (event.choice) return says(`You chose ${event.choice.value}.`)
	if (event.text === 'choices') return { messages: [{ type: 'choices', text: 'Which?', choices }] }
	return {
		messages: [
			{ type: 'text', text: `You said: ${event.text ?? event.kind}`, delay: 200 },
			{
				type: 'text',
				text: markup,
				buttons: [{ type: 'postback', title: 'Go', value: 'go' }],
			},
			{ type: 'image', url: 'https://example.com/a.png', alt: 'A picture' },
			{ type: 'cards', cards: [{ title: 'A card', subtitle: 'of paper', imageUrl: 'https://example.com/b.png' }] },
			{ type: 'choices', text: 'Which?', choices },
		],
		attributes: { session: { colour: 'blue', count: 2 }, user: { member: true } },
	}
}

function reply(response: ServerResponse, body: object): void {
	response.writeHead(200, { 'content-type': json }).end(JSON.stringify(body))
}

export async function suiteUpstream(): Promise<SuiteUpstream> {
	const calls: Call[] = []
	const wires = new Map<string, WireResponse>()
	let counted = 0
	const server = createServer(async (request, response) => {
		let body = ''
		for await (const chunk of request) body += chunk
		const call = { path: request.url ?? '', headers: request.headers, body }
		calls.push(call)
		const { pathname } = new URL(call.path, 'http://upstream.test')
		const wire = wires.get(pathname)
		if (wire) respond(response, wire)
		// Long enough for the same call to come again meanwhile.
		else if (pathname === '/count') setTimeout(reply, 100, response, says(`Answer ${++counted}`))
		else if (pathname === '/fail-first') {
			if (++counted % 2 === 1) response.writeHead(500).end()
			else reply(response, says('Hello'))
		} else (answers[pathname] ?? answers['/404'])?.(response, call)
	})
	await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
	const address = server.address()
	return {
		url: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`,
		...{ calls, wires },
		close: () =>
			new Promise((closed) => {
				server.close(() => closed())
				server.closeAllConnections()
			}),
	}
}

function respond(response: ServerResponse, { status, headers, body }: WireResponse): void {
	response.writeHead(status, flat(headers)).end(body)
}

function flat(headers: Fields): string[] {
	return headers.flat()
}
