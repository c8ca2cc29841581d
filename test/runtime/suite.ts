/** How a gateway behaves, whatever runs it: plain HTTP against a URL. What it answered is kept, to be compared. */
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Fields, WireResponse } from '../../src/format/index.ts'
import type { LogLine } from '../../src/runtime.ts'
import { testCrypto } from '../crypto.ts'
import { type Gateway, starter } from '../harness/gateway.ts'
import { type Call, header, send, targetOf } from '../harness/http.ts'
import { withApi } from '../harness/platforms.ts'
import { folder } from '../harness/scope.ts'
import { type Received, startUpstream, type Upstream } from '../harness/upstream.ts'
import { env, example, suiteConfig } from './config.ts'
import { samples } from './samples.ts'
import { faultNames, suiteScripts, talk } from './upstream.ts'

/** What was seen of one runtime. */
export interface Record {
	/** Each answer, by the test and the number of the call in it. */
	readonly answers: Map<string, WireResponse>
	/** What the upstream got. */
	calls(): readonly Received[]
	lines(): readonly LogLine[]
}

const ask = (event: object): string => JSON.stringify({ version: 1, event })
const said = (text: string, more: object = {}) => ask({ kind: 'message', text, ...more })
const textOf = ({ body }: WireResponse): string => JSON.parse(body).messages[0].text
const codeOf = ({ body }: WireResponse): string => JSON.parse(body).title

/** Registers the tests for one runtime. */
export function behaviour(runtime: 'Node' | 'Workers'): Record {
	const answers = new Map<string, WireResponse>()
	const ends: (() => unknown)[] = []
	const scope = { after: (end: () => unknown) => void ends.push(end) }
	const start = starter(scope)
	let upstream: Upstream
	let gateway: Gateway
	beforeAll(async () => {
		upstream = await startUpstream(scope, suiteScripts())
		const config = suiteConfig(upstream.url)
		// On Workers there always is an outbox.
		const outbox = { file: join(folder(scope), 'outbox.db') }
		gateway =
			runtime === 'Node'
				? await start({ ...config, outbox }, { as: 'server', env })
				: await start(config, { as: 'worker', env })
	}, 120_000)
	afterAll(async () => {
		for (const end of ends.reverse()) await end()
	})

	/** A test whose answers are kept. */
	const behaves = (name: string, run: (call: (sent: Call) => Promise<WireResponse>) => Promise<void>) => {
		test(name, async () => {
			let number = 0
			await run(async (sent) => {
				const key = `${name}, call ${++number}: ${sent.method ?? 'POST'} ${targetOf(sent).slice(0, 80)}`
				const got = await send(gateway.url, sent)
				answers.set(key, got)
				return got
			})
		})
	}
	const turned = (name: string) => gateway.lines.filter(({ msg, route }) => msg === 'turn' && route === name)

	describe(`${runtime}: platforms`, () => {
		for (const { factory, events, badEvents, replies } of samples) {
			for (const { name, file, wire } of events) {
				behaves(`${factory.name} ${file}`, async (call) => {
					const got = await call({ ...wire, path: `/${name}` })
					expect(got.status).toBe(200)
				})
			}
			for (const { name, file, wire, error } of badEvents) {
				behaves(`${factory.name} ${file}`, async (call) => {
					await call({ ...wire, path: `/${name}` })
					await expect.poll(() => turned(name)).toMatchObject([{ error }])
				})
			}
			for (const { name, file, event } of replies) {
				behaves(`an upstream that speaks ${factory.name} ${file}`, async (call) => {
					const got = await call({ path: `/${name}`, body: ask(event) })
					expect([200, 502]).toContain(got.status)
				})
			}
			behaves(`${factory.name}: strict, and failing`, async (call) => {
				for (const { wire, oneWay } of events.slice(0, 1)) {
					await call({ ...wire, path: `/strict-${factory.name}` })
					// Where nobody reads the answer, the event is accepted, and tried again for as long as the suite runs.
					if (!oneWay) await call({ ...wire, path: `/failing-${factory.name}` })
				}
			})
		}
		behaves('the routes of the example take every platform they name', async (call) => {
			for (const { path, platform } of example.routes) {
				for (const { factory, events } of samples) {
					if (![platform].flat().includes(factory.name)) continue
					for (const { wire } of events) await call({ ...wire, path })
				}
			}
		})
	})

	describe(`${runtime}: secrets and set-up`, () => {
		for (const { factory, events } of samples) {
			const [sample] = events
			if (!sample) continue
			const { auth, handshake } = factory.create(sample.options)
			const path = `/secret-${factory.name}`
			const proven = async (secret: string, wire = sample.wire) =>
				auth
					? { ...(await auth.sign(wire, secret, testCrypto)), path }
					: { ...wire, path: `${path}/${encodeURIComponent(secret)}` }

			behaves(`${factory.name}: each secret opens its route, and nothing else does`, async (call) => {
				expect((await call(await proven(env.FIRST_SECRET))).status).toBe(200)
				expect((await call(await proven(env.SECOND_SECRET))).status).toBe(200)
				const unknown = await call({ ...sample.wire, path: '/nothing/here' })
				expect(unknown.status).toBe(404)
				for (const sent of [await proven(`${env.FIRST_SECRET}x`), await proven(' '), { ...sample.wire, path }]) {
					expect((await call(sent)).body).toBe(unknown.body)
				}
			})
			if (handshake) {
				behaves(`${factory.name}: the set-up call is answered`, async (call) => {
					const { call: wire, accepts } = handshake('a nonce: ä&=')
					expect(accepts(await call(await proven(env.FIRST_SECRET, wire)))).toBe(true)
					expect((await call(await proven('wrong', wire))).status).toBe(404)
				})
			}
		}
	})

	describe(`${runtime}: limits and errors`, () => {
		const json: Fields = [['content-type', 'application/json']]
		const large = said('x'.repeat(1024 * 1024))
		const refused: { readonly [what: string]: readonly [code: string, sent: Call] } = {
			'a body over the limit': ['body-too-large', { path: '/echo', body: large }],
			'one without a declared length': ['body-too-large', { path: '/echo', body: large, chunked: true }],
			'a compressed body': [
				'encoding-not-supported',
				{ path: '/echo', body: gzipSync(said('Hi')), headers: [...json, ['content-encoding', 'gzip']] },
			],
			'a body that is not UTF-8': ['body-not-utf8', { path: '/echo', body: Buffer.from([0x22, 0xff, 0x22]) }],
			'a body that is not JSON': ['body-not-json', { path: '/echo', body: '{"event":' }],
			'no body': ['body-not-json', { path: '/echo' }],
			'a body that nests too deep': ['body-too-deep', { path: '/echo', body: '['.repeat(40) + ']'.repeat(40) }],
			'a hostile key': ['reserved-key', { path: '/echo', body: '{"event":{"kind":"message","__proto__":{}}}' }],
			'a field too few': ['field-missing', { path: '/echo', body: ask({}) }],
			...Object.fromEntries(
				['GET', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'].map((method) => [
					`the method ${method}`,
					['method-not-allowed', { method, path: '/echo' }] as const,
				]),
			),
			...Object.fromEntries(
				['/', '/ECHO', '/echo/', '//echo', '/%65cho', '/echo%2F', '/%', '/-/carries/none', '/healthz/'].map((path) => [
					`the path ${path}`,
					['not-found', { path, body: said('Hi') }] as const,
				]),
			),
		}
		for (const [what, [code, sent]] of Object.entries(refused)) {
			behaves(`${what} is refused`, async (call) => expect(codeOf(await call(sent))).toBe(code))
		}
		behaves('HEAD is answered without a body', async (call) => {
			expect(await call({ method: 'HEAD', path: '/echo' })).toMatchObject({ status: 405, body: '' })
			expect(await call({ method: 'HEAD', path: '/nothing' })).toMatchObject({ status: 404, body: '' })
		})
		behaves('the gateway reports its health, and what its routes carry', async (call) => {
			for (const path of ['/healthz', '/readyz', ...samples.map(({ events }) => `/-/carries/${events[0]?.name}`)]) {
				expect((await call({ method: 'GET', path })).status).toBe(200)
			}
		})
		behaves('a body in pieces, with a mark, and with text of all kinds is read', async (call) => {
			const body = said('Grüße 🎈 \u2028')
			for (const sent of [{ body, chunked: true }, { body: `\uFEFF${body}` }, { body: Buffer.from(body) }]) {
				expect(textOf(await call({ path: '/echo', ...sent }))).toBe('You said: Grüße 🎈 \u2028')
			}
		})
	})

	describe(`${runtime}: upstreams`, () => {
		const codes: { readonly [fault: string]: string } = {
			...{ 500: 'upstream-status', 404: 'upstream-status', redirect: 'upstream-redirect', slow: 'upstream-timeout' },
			...{ big: 'upstream-reply-too-large', 'big-in-pieces': 'upstream-reply-too-large' },
			...{ 'hang-up': 'upstream-unreachable', nobody: 'upstream-unreachable', marked: '', 204: '', headers: '' },
		}
		for (const fault of [...faultNames, 'nobody']) {
			behaves(`an upstream that does "${fault}"`, async (call) => {
				const got = await call({ path: `/up-${fault}`, body: said('Hi') })
				const code = codes[fault] ?? 'upstream-reply-invalid'
				if (code === '') expect(got.status).toBe(200)
				else expect(codeOf(got)).toBe(code)
				expect(got.headers.map(([name]) => name)).not.toContain('set-cookie')
			})
		}
		behaves('an upstream gets its headers, its query and a signature, and a raw call without secrets', async (call) => {
			expect((await call({ path: '/signed', body: said('Hi') })).status).toBe(200)
			expect((await call({ path: '/raw?token=secret&a=b', body: said('Hi') })).status).toBe(200)
			const { path, headers } = upstream.calls.findLast((each) => each.path.includes('a=b')) ?? {}
			expect(path).toBe('/echo?a=b')
			expect(headers).toContainEqual(['x-team', 'bots'])
			expect(headers).toContainEqual(['webhook-signature', expect.stringMatching(/^v1,/)])
		})
	})

	describe(`${runtime}: pushes`, () => {
		const pushed = () =>
			upstream.calls.filter(({ path }) => path.startsWith('/api/')).map(({ body }) => JSON.parse(body))
		const expected = [{ text: 'one' }, { text: 'two' }, {}]
		const asks = (oneWay: boolean, path: string): Call => {
			const platform = withApi('http://127.0.0.1:9', oneWay)
			const event = platform.event('Hi', { conversation: talk.conversation, bot: { id: 'b1', project: talk.project } })
			const { headers, body } = platform.adapter.event.encode(event)
			return { path, headers, body: JSON.stringify({ ...JSON.parse(body), token: 'a.platform.s' }) }
		}

		behaves('where no answer is read, the reply is pushed in order', async (call) => {
			expect(await call(asks(true, '/pushed'))).toMatchObject({ status: 200, body: '' })
			await expect.poll(pushed, { timeout: 20_000 }).toMatchObject(expected)
		})
		behaves('a late answer is pushed behind the holding reply', async (call) => {
			expect((await call(asks(false, '/late'))).body).toContain('One moment.')
			await expect.poll(pushed, { timeout: 20_000 }).toMatchObject([...expected, ...expected])
		})
	})

	describe(`${runtime}: replies that the backend sends by itself`, () => {
		/** The path of the URL that the upstream was told last at a path of its own. */
		const pathAt = (own: string) => {
			const told = upstream.calls.findLast(({ path }) => path === own)?.body ?? ''
			return /"https:\/\/gateway\.example\/in\/front(\/-\/reply\/[^"]*)"/.exec(told)?.[1] ?? ''
		}
		const pathFor = async (call: (sent: Call) => Promise<WireResponse>, conversation: string) => {
			await call({ path: '/replied', body: said('Hi', { conversation }) })
			return pathAt('/echo')
		}
		const body = '{"messages":[]}'

		behaves('a URL is sealed and opened, and where nothing can be pushed the backend is told', async (call) => {
			const path = await pathFor(call, 'replied')
			for (const sent of [
				{ path, body },
				{ path, body: '{' },
				{ path, body, chunked: true },
			]) {
				const got = await call(sent)
				expect([got.status, codeOf(got)]).toEqual([422, 'push-not-supported'])
			}
			expect(codeOf(await call({ path, body: 'x'.repeat(1_100_000) }))).toBe('body-too-large')
		})
		behaves('a reply is pushed once under its key, behind what was pushed before', async (call) => {
			const headers = [['idempotency-key', '"1"'] as const]
			const sent = { path: pathAt('/several'), headers, body: '{"messages":[{"type":"text","text":"three"}]}' }
			const got = [await call(sent), await call(sent), await call({ ...sent, body })]
			expect(got.map(({ status }) => status)).toEqual([202, 202, 422])
			expect(got[0]?.body).toBe(got[1]?.body)
			await call({ ...sent, headers: [], body: sent.body.replace('three', 'four') })
			const texts = () =>
				upstream.calls.filter(({ path }) => path.startsWith('/api/')).map(({ body }) => JSON.parse(body).text)
			await expect.poll(() => texts().slice(-2), { timeout: 20_000 }).toEqual(['three', 'four'])
			expect(texts().filter((text) => text === 'three')).toHaveLength(1)
		})
		behaves('every other URL gets the same answer', async (call) => {
			const path = await pathFor(call, 'replied')
			for (const sent of [
				...[`${path}A`, path.slice(0, -1), path.replace('.', '%2E'), `${path}/`, '/-/reply/', '/-/reply/x'].map(
					(path) => ({
						path,
						body,
					}),
				),
				...['GET', 'PUT', 'OPTIONS'].map((method) => ({ path, method, body })),
				{ path: '/-/reply/x', body: 'x'.repeat(1_100_000) },
			]) {
				const got = await call(sent)
				expect([got.status, codeOf(got)]).toEqual([404, 'reply-url-invalid'])
			}
		})
	})

	describe(`${runtime}: loops`, () => {
		const json: Fields = [['content-type', 'application/json']]
		const marks = () => upstream.calls.slice(-1).map((call) => header(call, 'cdn-loop'))[0]

		behaves(
			'a call that comes back is refused, and one of another gateway is handed on with its mark',
			async (call) => {
				const foreign = 'dragoman-0123456789abcdef'
				const sent = (mark: string): Call => ({
					path: '/echo',
					body: said('Hi'),
					headers: [...json, ['cdn-loop', `cloudflare; loops=1, ${mark}`]],
				})
				expect((await call(sent(foreign))).status).toBe(200)
				const [first, own] = String(marks()).split(', ')
				expect([first, own]).toEqual([foreign, expect.stringMatching(/^dragoman-[\da-f]{16}$/)])
				const before = upstream.calls.length
				const refused = await call(sent(`${foreign}, ${own}`))
				expect([refused.status, codeOf(refused)]).toEqual([508, 'loop-detected'])
				expect(upstream.calls).toHaveLength(before)
			},
		)
	})

	describe(`${runtime}: memory`, () => {
		const again = said('Hi', { id: 'm1', conversation: 'c1' })

		behaves('a call that comes again gets the same bytes, and the upstream is asked once', async (call) => {
			const sent = { path: '/count', body: again }
			const asked = () => upstream.calls.filter(({ path }) => path === '/count').length
			const before = asked()
			const got = await Promise.all([call(sent), call(sent), call(sent)])
			got.push(await call(sent))
			expect(new Set(got.map(({ body }) => body)).size).toBe(1)
			expect(new Set(got.map((each) => header(each, 'dragoman-changes'))).size).toBe(1)
			expect(asked() - before).toBe(1)
			await expect.poll(() => turned('count').filter(({ duplicate }) => duplicate)).toHaveLength(3)
		})
		behaves('another id, another conversation, another body, or none of them is another call', async (call) => {
			const bodies = [
				said('Hi', { id: 'm2', conversation: 'c1' }),
				said('Ho', { id: 'm2', conversation: 'c1' }),
				said('Hi', { id: 'm2' }),
				...[said('Hi'), said('Hi')],
			]
			const texts: string[] = []
			for (const body of bodies) texts.push(textOf(await call({ path: '/count', body })))
			expect(new Set(texts).size).toBe(bodies.length)
		})
		behaves('a failed call does not affect the next', async (call) => {
			const sent = { path: '/fail-first', body: said('Hi', { id: 'm3', conversation: 'c3' }) }
			const got = [await call(sent), await call(sent), await call(sent)]
			expect(got.map(({ status }) => status)).toEqual([502, 200, 200])
		})
		behaves('a choice comes back by its label', async (call) => {
			const conversation = 'of choices'
			await call({ path: '/echo', body: said('choices', { conversation }) })
			const again = await call({ path: '/echo', body: said(' GRÜN 🎈', { conversation }) })
			expect(textOf(again)).toBe('You chose colour-2.')
			const elsewhere = await call({ path: '/echo', body: said('Grün 🎈', { conversation: 'another' }) })
			expect(textOf(elsewhere)).toBe('You said: Grün 🎈')
		})
		behaves('a pick closes its set, and comes again as the same pick', async (call) => {
			const conversation = 'of a pick'
			const saying = async (text: string, id?: string) =>
				textOf(await call({ path: '/echo', body: said(text, { conversation, ...(id !== undefined && { id }) }) }))
			await call({ path: '/echo', body: said('choices', { conversation }) })
			expect(await saying('colour-2', 'm1')).toBe('You chose colour-2.')
			expect(await saying('colour-2', 'm1')).toBe('You chose colour-2.')
			expect(await saying('colour-2')).toBe('You said: colour-2')
		})
		behaves('a start closes every set, and a start that comes again closes none', async (call) => {
			const conversation = 'of a start'
			const start = { path: '/echo', body: ask({ kind: 'start', conversation, id: 'm1' }) }
			const saying = async (text: string) => textOf(await call({ path: '/echo', body: said(text, { conversation }) }))
			await call({ path: '/echo', body: said('choices', { conversation }) })
			await call(start)
			expect(await saying('colour-2')).toBe('You said: colour-2')
			await call(start)
			expect(await saying('colour-2')).toBe('You chose colour-2.')
		})
	})

	return {
		answers,
		calls: () => upstream.calls,
		lines: () => gateway.lines,
	}
}
