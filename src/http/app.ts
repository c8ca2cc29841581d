/** The gateway as a Hono app, which can be a part of another one. */
import { Hono } from 'hono/tiny'
import { type AppOptions, createFetch } from './fetch.ts'

/** An app that answers every request as `createFetch` says. */
export function createApp(options: AppOptions): Hono {
	const answer = createFetch(options)
	return new Hono().all('*', (c) => answer(c.req.raw, c.env))
}
