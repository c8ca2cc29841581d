/**
 * The backend of every peer, a process of its own: answers each call with the same reply. Arguments: the file of the
 * reply, and `hold` to hold the answers back until `/release` is called. Any other GET tells how many calls wait.
 */
import { readFileSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'

const [, , file = '', mode] = process.argv
const reply = readFileSync(file)
const headers = { 'content-type': 'application/json', 'content-length': reply.length }
const held: ServerResponse[] = []
const answer = (response: ServerResponse) => response.writeHead(200, headers).end(reply)

const server = createServer((request, response) => {
	if (request.method === 'GET') {
		response.end(String(held.length))
		if (request.url === '/release') for (const each of held.splice(0)) answer(each)
		return
	}
	request.resume().on('end', () => (mode === 'hold' ? held.push(response) : answer(response)))
})
server.keepAliveTimeout = 600_000
server.listen(0, '127.0.0.1', 8192, () => {
	const address = server.address()
	if (typeof address === 'object') console.error(`Listening on http://127.0.0.1:${address?.port}`)
})
