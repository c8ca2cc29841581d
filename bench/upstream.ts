/**
 * The backend of every peer, a process of its own: answers each call with the same reply, after a delay if there is one.
 * Arguments: the file of the reply, and the delay in milliseconds.
 */
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'

const [, , file = '', delay = '0'] = process.argv
const reply = readFileSync(file)
const headers = { 'content-type': 'application/json', 'content-length': reply.length }
let waiting = 0

const server = createServer((request, response) => {
	// Tells how many calls wait.
	if (request.method === 'GET') return response.end(String(waiting))
	waiting++
	const answer = () => {
		waiting--
		response.writeHead(200, headers).end(reply)
	}
	request.resume().on('end', () => (delay === '0' ? answer() : setTimeout(answer, Number(delay))))
})
server.keepAliveTimeout = 600_000
server.listen(0, '127.0.0.1', 8192, () => {
	const address = server.address()
	if (typeof address === 'object') console.error(`Listening on http://127.0.0.1:${address?.port}`)
})
