/** Express and axios: what a team writes in an afternoon. */
import axios from 'axios'
import express from 'express'
import { toAnswer, toEvent } from './translate.mjs'

const [, , upstream] = process.argv
const app = express()

app.use(express.json())
app.post('/bench', async (request, response) => {
	const { data } = await axios.post(upstream, toEvent(request.body))
	response.json(toAnswer(data))
})

const server = app.listen(0, '127.0.0.1', () => {
	console.error(`Listening on http://127.0.0.1:${server.address().port}`)
})
