/** The playground as a Hono app: its pages, their files, and what they ask for. */
import { Hono } from 'hono/tiny'
import { type Access, guard } from './guard.ts'
import { secured } from './headers.ts'
import { documentOf, pages } from './pages.ts'

/** A file that the pages load. */
export interface Asset {
	readonly type: string
	readonly body: Uint8Array<ArrayBuffer>
}

export interface PlaygroundOptions extends Access {
	/** The files below `/assets/`, by name. */
	readonly assets: ReadonlyMap<string, Asset>
}

/** Answers only what its own pages ask. */
export function createPlayground({ assets, ...access }: PlaygroundOptions): Hono {
	const app = new Hono()
	const paths = ['/', ...pages.map(({ path }) => path)]
	app.use(secured, ...guard(access, paths))
	app.get('/', (c) => c.redirect(pages[0]?.path ?? '/'))
	for (const page of pages) app.get(page.path, (c) => c.html(documentOf(page)))
	app.get('/assets/:name', (c) => {
		const asset = assets.get(c.req.param('name'))
		return asset ? c.body(asset.body, 200, { 'content-type': asset.type }) : c.notFound()
	})
	return app
}
