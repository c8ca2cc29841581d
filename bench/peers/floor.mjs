/** The least that Node can do: as bare.mjs, but with bytes instead of strings, flat headers, and undici's `Pool.dispatch`. */
import { createServer } from 'node:http'
import { Pool } from 'undici'
import { toAnswer, toEvent } from './translate.mjs'

const upstream = new URL(process.argv[2])
const pool = new Pool(upstream.origin)
const headers = ['content-type', 'application/json']

class Handler {
	chunks = []

	constructor(response) {
		this.response = response
	}

	onRequestStart() {}

	onResponseStart() {}

	onResponseData(_controller, chunk) {
		this.chunks.push(chunk)
	}

	onResponseEnd() {
		const answer = Buffer.from(JSON.stringify(toAnswer(JSON.parse(whole(this.chunks)))))
		this.response.writeHead(200, ['content-type', 'application/json', 'content-length', String(answer.length)])
		this.response.end(answer)
	}

	onResponseError() {
		this.response.destroy()
	}
}

function whole(chunks) {
	return (chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)).toString()
}

createServer((request, response) => {
	const chunks = []
	request.on('data', (chunk) => chunks.push(chunk))
	request.on('end', () => {
		const body = JSON.stringify(toEvent(JSON.parse(whole(chunks))))
		pool.dispatch({ method: 'POST', path: upstream.pathname, headers, body }, new Handler(response))
	})
}).listen(0, '127.0.0.1', function () {
	console.error(`Listening on http://127.0.0.1:${this.address().port}`)
})
