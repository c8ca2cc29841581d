/** An upstream that keeps what it was sent, and answers with a text. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Trial } from './row.ts'

/** A call as the upstream got it. */
export interface Heard {
	readonly method: string
	/** Path and query, as sent. */
	readonly target: string
	/** Names and values as sent, by turns. */
	readonly headers: readonly string[]
	readonly body: string
}

export interface Echo {
	/** With a slash at its end. */
	readonly url: string
	/** Every call so far; a row may empty it. */
	readonly heard: Heard[]
}

/** A reply of one text. */
export function says(text: string): string {
	return JSON.stringify({ messages: [{ type: 'text', text }] })
}

/** What an upstream answers: a body with status 200, or a status without a body. */
export type Reply = string | number

/** Starts an upstream, which ends with the row. `answer` may wait. */
export async function startEcho(
	trial: Trial,
	answer: (heard: Heard) => Reply | Promise<Reply> = () => says('Hello'),
): Promise<Echo> {
	const heard: Heard[] = []
	const server = createServer(async (request, response) => {
		const { method = '', url = '', rawHeaders } = request
		let body = ''
		for await (const chunk of request.setEncoding('utf8')) body += chunk
		const call = { method, target: url, headers: rawHeaders, body }
		heard.push(call)
		const reply = await answer(call)
		if (typeof reply === 'number') response.writeHead(reply).end()
		else response.writeHead(200, { 'content-type': 'application/json' }).end(reply)
	})
	await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
	trial.after(() => {
		server.close()
		server.closeAllConnections()
	})
	return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, heard }
}
