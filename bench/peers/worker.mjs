/** The smallest Worker that does the work: Hono, fetch, and the translation. */
import { Hono } from 'hono'
import { toAnswer, toEvent } from './translate.mjs'

const app = new Hono()

app.post('/bench', async (c) => {
	const response = await fetch(c.env.UPSTREAM, {
		method: 'POST',
		headers: { 'content-type': 'application/json' },
		body: JSON.stringify(toEvent(await c.req.json())),
	})
	return c.json(toAnswer(await response.json()))
})

export default app
