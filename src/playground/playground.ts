/** The playground as a Hono app: its pages, their files, and what they ask for. */
import { bodyLimit } from 'hono/body-limit'
import { Hono } from 'hono/tiny'
import * as v from 'valibot'
import { type Access, guard } from './guard.ts'
import { secured } from './headers.ts'
import { documentOf, pages } from './pages.ts'
import { type TalkingGateway, TalkRequest, talk, talkPlaces } from './talk.ts'

/** A file that the pages load. */
export interface Asset {
	readonly type: string
	readonly body: Uint8Array<ArrayBuffer>
}

export interface PlaygroundOptions extends Access {
	/** The files below `/assets/`, by name. */
	readonly assets: ReadonlyMap<string, Asset>
	/** The gateway beside it. */
	readonly gateway: TalkingGateway
}

/** Bytes of a request to the playground. */
const maxBytes = 256 * 1024

/** Answers only what its own pages ask. */
export function createPlayground({ assets, gateway, ...access }: PlaygroundOptions): Hono {
	const app = new Hono()
	app.use(
		secured,
		...guard(
			access,
			pages.map(({ path }) => path),
		),
		bodyLimit({ maxSize: maxBytes }),
	)
	for (const page of pages) app.get(page.path, (c) => c.html(documentOf(page)))
	app.get('/assets/:name', (c) => {
		const asset = assets.get(c.req.param('name'))
		return asset ? c.body(asset.body, 200, { 'content-type': asset.type }) : c.notFound()
	})
	app.get('/api/places', (c) => c.json(talkPlaces(gateway.routes)))
	app.post('/api/talk', async (c) => {
		const isJson = c.req.header('content-type') === 'application/json'
		const request = v.safeParse(TalkRequest, isJson ? await c.req.json().catch(() => undefined) : undefined)
		if (!request.success) return c.text('This is no request of the page.', 400)
		const answer = await talk(gateway, request.output)
		return answer
			? c.json(answer)
			: c.text('The configuration has no such platform any more. Load the page again.', 404)
	})
	return app
}
