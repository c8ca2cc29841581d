/** Callers on bare sockets: bytes as they are, at the pace they are told, and what becomes of the connection. */
import { connect } from 'node:net'

/** What came back for bytes that were sent as they are. */
export interface Exchanged {
	/** Everything that came, in Latin-1. */
	readonly text: string
	/** The statuses of the answers, in their order. */
	readonly statuses: readonly number[]
	/** Nothing had come, and the connection was still open, when the patience ended. */
	readonly hung: boolean
}

export interface ExchangeOptions {
	/** Milliseconds to wait at most. */
	readonly patience?: number
	/** Milliseconds after which nothing more is expected behind an answer. */
	readonly quiet?: number
	/** The caller says that they have no more to send. */
	readonly ends?: boolean | undefined
}

/** Sends bytes, a text as Latin-1, and waits for the end of the connection, of the answers, or of the patience. */
export async function exchange(
	url: string,
	bytes: string | Buffer,
	{ patience = 10_000, quiet = 150, ends = false }: ExchangeOptions = {},
): Promise<Exchanged> {
	const { hostname, port } = new URL(url)
	const chunks: Buffer[] = []
	let hung = false
	const socket = connect({ host: hostname, port: Number(port) })
	let silence: NodeJS.Timeout | undefined
	let limit: NodeJS.Timeout | undefined
	await new Promise<void>((done) => {
		limit = setTimeout(() => {
			hung = chunks.length === 0
			done()
		}, patience)
		socket
			.on('data', (chunk) => {
				chunks.push(chunk)
				clearTimeout(silence)
				silence = setTimeout(done, quiet)
			})
			.on('error', () => {})
			.on('close', done)
			.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
		if (ends) socket.end()
	})
	clearTimeout(silence)
	clearTimeout(limit)
	socket.destroy()
	const text = Buffer.concat(chunks).toString('latin1')
	return { text, statuses: statusesOf(text), hung }
}

/** The statuses in what came over a connection: the bodies of ours never look like a status line. */
function statusesOf(text: string): number[] {
	return Array.from(text.matchAll(/^HTTP\/1\.[01] (\d{3})/gm), ([, status]) => Number(status))
}
