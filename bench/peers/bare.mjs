/** Bare Node: node:http in front, undici's `Pool.request` behind, and the translation. */
import { createServer } from 'node:http'
import { Pool } from 'undici'
import { toAnswer, toEvent } from './translate.mjs'

const upstream = new URL(process.argv[2])
const pool = new Pool(upstream.origin)

createServer((request, response) => {
	let text = ''
	request.setEncoding('utf8').on('data', (chunk) => {
		text += chunk
	})
	request.on('end', async () => {
		const { body } = await pool.request({
			method: 'POST',
			path: upstream.pathname,
			headers: { 'content-type': 'application/json' },
			body: JSON.stringify(toEvent(JSON.parse(text))),
		})
		const answer = toAnswer(await body.json())
		response.setHeader('content-type', 'application/json').end(JSON.stringify(answer))
	})
}).listen(0, '127.0.0.1', function () {
	console.error(`Listening on http://127.0.0.1:${this.address().port}`)
})
