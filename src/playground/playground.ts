/** The playground as a Hono app: its pages, their files, and what they ask for. */
import type { Context } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { streamSSE } from 'hono/streaming'
import { Hono } from 'hono/tiny'
import * as v from 'valibot'
import type { Route } from '../route.ts'
import { type Access, guard } from './guard.ts'
import { policies, secured } from './headers.ts'
import type { Live } from './live.ts'
import { documentOf, pages } from './pages.ts'
import type { Pushes } from './pushes.ts'
import { curlOf, ResendRequest, resend } from './resend.ts'
import { recordedTurn } from './save-turn.ts'
import { type TalkingGateway, TalkRequest, talk, talkPlaces } from './talk.ts'

/** A file that the pages load. */
export interface Asset {
	readonly type: string
	readonly body: Uint8Array<ArrayBuffer>
}

export interface PlaygroundOptions extends Access {
	/** The files below `/assets/`, by name. */
	readonly assets: ReadonlyMap<string, Asset>
	/** The files of the contract with backends, below `/schema/`, by name. */
	readonly contract: ReadonlyMap<string, Asset>
	/** The contract with the backend of a route, as OpenAPI. */
	contractOf(route: Route): Promise<object>
	/** The gateway beside it. */
	readonly gateway: TalkingGateway
	/** Its turns. */
	readonly live: Live
	/** The simulated APIs, below `/platforms/`. */
	readonly pushes: Pushes
}

/** Bytes of a request to the playground. */
const maxBytes = 256 * 1024

/** Lines of the list of turns in one message, and milliseconds between two messages. */
const batch = { lines: 500, pause: 100 }

const gone = 'The configuration has no such platform any more. Load the page again.'

/** Answers only what its own pages ask. */
export function createPlayground(options: PlaygroundOptions): Hono {
	const { assets, contract, contractOf, gateway, live, pushes, ...access } = options
	const app = new Hono()
	// Tells the pages that the numbers of turns begin anew.
	const started = gateway.runtime.newId()
	const pseudonym = pseudonyms(gateway.runtime)
	app.use(
		secured,
		...guard(
			access,
			pages.map(({ path }) => path),
		),
		bodyLimit({ maxSize: maxBytes }),
	)
	for (const page of pages) {
		const policy = policies[page.policy ?? 'strict']
		app.get(page.path, (c) => c.html(documentOf(page), 200, { 'content-security-policy': policy }))
	}
	for (const [folder, files] of [
		['assets', assets],
		['schema', contract],
	] as const) {
		app.get(`/${folder}/:name`, (c) => {
			const file = files.get(c.req.param('name'))
			return file ? c.body(file.body, 200, { 'content-type': file.type }) : c.notFound()
		})
	}
	app.get('/schema/routes/:name', async (c) => {
		const route = gateway.routes.find(({ name }) => name === c.req.param('name'))
		return route ? c.json(await contractOf(route)) : c.notFound()
	})
	app.get('/api/places', (c) => c.json(talkPlaces(gateway.routes)))
	app.get('/api/turns', (c) =>
		streamSSE(c, async (stream) => {
			const ended = new AbortController()
			stream.onAbort(() => ended.abort())
			await stream.writeSSE({ event: 'hello', data: JSON.stringify(started) })
			for (let last = 0; !ended.signal.aborted; ) {
				const lines = live.after(last, batch.lines)
				last = lines.at(-1)?.number ?? last
				if (lines.length > 0) await stream.writeSSE({ event: 'turns', data: JSON.stringify(lines) })
				if (lines.length < batch.lines) await stream.sleep(batch.pause)
				await live.grown(last, ended.signal)
			}
		}),
	)
	app.get('/api/turns/:number', async (c) => {
		const detail = live.detail(Number(c.req.param('number')))
		if (!detail) return c.text('Only the line of this turn is kept.', 404)
		const route = gateway.routes.find(({ name }) => name === detail.route)
		const adapter = route?.platforms.find(({ name }) => name === detail.platform)?.adapter
		const keepWords = c.req.query('words') === 'kept'
		return c.json({ ...detail, file: adapter && (await recordedTurn(detail, adapter, { keepWords, pseudonym })) })
	})
	app.post('/api/resend', async (c) => {
		const request = v.safeParse(ResendRequest, await jsonOf(c))
		if (!request.success) return c.text('This is no event.', 400)
		return c.text((await resend(gateway, request.output)) ?? gone)
	})
	app.post('/api/curl', async (c) => {
		const request = v.safeParse(ResendRequest, await jsonOf(c))
		if (!request.success) return c.text('This is no event.', 400)
		return c.text((await curlOf(gateway, request.output)) ?? gone)
	})
	app.post('/api/talk', async (c) => {
		const request = v.safeParse(TalkRequest, await jsonOf(c))
		if (!request.success) return c.text('This is no request of the page.', 400)
		const answer = await talk(gateway, request.output, pushes)
		return answer ? c.json(answer) : c.text(gone, 404)
	})
	app.get('/api/pushes', (c) =>
		streamSSE(c, async (stream) => {
			const ended = Promise.withResolvers<void>()
			stream.onAbort(ended.resolve)
			await stream.writeSSE({ event: 'hello', data: '' })
			const leave = pushes.follow((push) => void stream.writeSSE({ event: 'push', data: JSON.stringify(push) }))
			await ended.promise
			leave()
		}),
	)
	app.all('/platforms/:name/*', async (c) => {
		const { req } = c
		const name = req.param('name')
		const { pathname, search } = new URL(req.url)
		const answer = pushes.answer(name, {
			method: req.method,
			path: pathname.slice(`/platforms/${name}`.length) + search,
			headers: [...req.raw.headers],
			body: await req.text(),
		})
		if (!answer) return c.notFound()
		const { status, headers, body } = answer
		return new Response(body === '' ? null : body, { status, headers: headers.map(([name, value]) => [name, value]) })
	})
	return app
}

/** Gives ids a pseudonym with a key that ends with the process: nobody can look for the id that fits. */
function pseudonyms({ crypto, newId }: TalkingGateway['runtime']): (id: string) => Promise<string> {
	const key = new TextEncoder().encode(newId())
	return async (id) => (await crypto.hmac(key, id)).replace(/[^\da-z]/gi, '').slice(0, 12)
}

/** The body of a request of the pages. A form of another page could send anything but this type. */
async function jsonOf(c: Context): Promise<unknown> {
	if (c.req.header('content-type') !== 'application/json') return undefined
	return await c.req.json().catch(() => undefined)
}
