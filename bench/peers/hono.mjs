/** Hono on Node with the global fetch: what one writes first on the gateway's own framework. */
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { toAnswer, toEvent } from './translate.mjs'

const [, , upstream] = process.argv
const app = new Hono()

app.post('/bench', async (c) => {
	const response = await fetch(upstream, {
		method: 'POST',
		headers: { 'content-type': 'application/json' },
		body: JSON.stringify(toEvent(await c.req.json())),
	})
	return c.json(toAnswer(await response.json()))
})

serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, ({ port }) => {
	console.error(`Listening on http://127.0.0.1:${port}`)
})
