/** The upstream of the runtime suite: what it does stands in the path. */
import { deflateSync } from 'node:zlib'
import { bytesOf, type Script } from '../harness/upstream.ts'
import { json, says, statusOnly } from '../servers.ts'
import { samples } from './samples.ts'

const type = [['content-type', 'application/json']] as const
const big = Buffer.from(JSON.stringify(says('x'.repeat(1024 * 1024))))

/** An answer of JSON, whatever its bytes are. */
const bytes = (body: string | Buffer, headers: readonly (readonly [string, string])[] = []) =>
	bytesOf({ status: 200, headers: [...type, ...headers], body })

const choices = [
	{ title: 'Red & blue', value: 'colour-1' },
	{ title: 'Grün 🎈', value: 'colour-2' },
	{ title: 'Red & blue', value: 'colour-3' },
]

// What one platform or another would take for more than text.
const markup = ['* one', '', '{{two}} $' + '{three} ::next:: \\four'].join('\n')

const several = { messages: [...says('one').messages, ...says('two').messages], control: { close: true } }

/** The conversation that is pushed to, and the calls of its platform's API. */
export const talk = { project: 'p1', conversation: 'support-group-p1-1' }
const pushPaths = ['messages', 'close'].map((what) => `/${talk.project}/requests/${talk.conversation}/${what}`)

/** All that a reply can show, and what the event said: words that ask for choices get choices only. */
function echo(body: string): object {
	const { event } = JSON.parse(body)
	if (event.choice) return says(`You chose ${event.choice.value}.`)
	if (event.kind === 'start') return says('Welcome.')
	if (event.text === 'choices') return { messages: [{ type: 'choices', text: 'Which?', choices }] }
	return {
		messages: [
			{ type: 'text', text: `You said: ${event.text ?? event.kind}`, delay: 200 },
			{ type: 'text', text: markup, buttons: [{ type: 'postback', title: 'Go', value: 'go' }] },
			{ type: 'image', url: 'https://example.com/a.png', alt: 'A picture' },
			{ type: 'cards', cards: [{ title: 'A card', subtitle: 'of paper', imageUrl: 'https://example.com/b.png' }] },
			{ type: 'choices', text: 'Which?', choices },
		],
		attributes: { session: { colour: 'blue', count: 2 }, user: { member: true } },
	}
}

/** What an upstream can do wrong, by its path. */
const faults: { readonly [name: string]: Script } = {
	500: () => ({ status: 500, headers: [['content-type', 'text/html']], body: '<h1>secret trace</h1>' }),
	404: () => statusOnly(404),
	redirect: () => statusOnly(302, [['location', '/echo']]),
	204: () => statusOnly(204),
	html: () => ({ status: 200, headers: [['content-type', 'text/html']], body: '<h1>Hello</h1>' }),
	'not-json': () => bytes('{"messages":'),
	'not-a-reply': () => json({ messages: [{ type: 'nothing' }] }),
	'not-utf8': () => bytes(Buffer.from([0x22, 0xff, 0x22])),
	marked: () => bytes('\uFEFF{"messages":[]}'),
	big: () => bytes(big),
	'big-in-pieces': () => {
		const piece = [Buffer.from(`${big.length.toString(16)}\r\n`), big, Buffer.from('\r\n0\r\n\r\n')]
		return bytes(Buffer.concat(piece), [['transfer-encoding', 'chunked']])
	},
	// workerd undoes gzip and br itself.
	compressed: () => bytes(deflateSync('{"messages":[]}'), [['content-encoding', 'deflate']]),
	cut: async (_, { write, socket }) => {
		await write(bytes('{"messages":', [['content-length', '100']]))
		socket.destroy()
	},
	'hang-up': (_, { socket }) => void socket.destroy(),
	slow: (_, { pause }) => pause(3000).then(() => bytes('')),
	headers: () =>
		json(says('Hello'), 200, [
			['set-cookie', 'a=b'],
			['set-cookie', 'c=d'],
			['x-powered-by', 'secrets'],
		]),
}

/** Paths of the upstream that answer wrongly, each with a route of its own, `up-NAME`. */
export const faultNames = Object.keys(faults)

/** What the upstream does by its path: pinned replies at `/wire/NAME`. */
export function suiteScripts(): { readonly [path: string]: Script } {
	let counted = 0
	let failed = 0
	const wires = samples.flatMap(({ replies }) => replies)
	return {
		...Object.fromEntries(wires.map(({ name, wire }): [string, Script] => [`/wire/${name}`, () => wire])),
		...Object.fromEntries(Object.entries(faults).map(([name, script]) => [`/${name}`, script])),
		'/echo': ({ body }) => json(echo(body)),
		'/count': async (_, { pause }) => {
			const answer = json(says(`Answer ${++counted}`))
			// Long enough for the same call to come again meanwhile.
			await pause(100)
			return answer
		},
		'/several': () => json(several),
		'/late': (_, { pause }) => pause(1000).then(() => json(several)),
		...Object.fromEntries(pushPaths.map((path): [string, Script] => [`/api${path}`, () => json({ success: true })])),
		'/fail-first': () => (++failed % 2 === 1 ? statusOnly(500) : json(says('Hello'))),
	}
}
