/** What the settings of a route do to its turns, and what its log tells. */
import { Webhook } from 'standardwebhooks'
import { expect, test } from 'vitest'
import { canonical } from '../adapters/canonical/index.ts'
import { chatbotV2 } from '../adapters/chatbot-v2/index.ts'
import { queryToken } from '../src/format/index.ts'
import { call, gateway, gatewayTo, json, ownJson, says, statusOnly, upstream } from './servers.ts'

const plainReply = canonical.create().reply({ kind: 'message', attributes: {} })
if (!plainReply) throw new Error('The canonical format has replies')
const { reply, 'reply.messages': messages, 'reply.text': text } = plainReply.carries

/** Shows texts and nothing else. */
const plain = ownJson('plain', {
	reply: () => ({ ...plainReply, carries: { reply, 'reply.messages': messages, 'reply.text': text } }),
})
const picture = { messages: [{ type: 'image', url: 'https://example.com/dog.png' }] }
const sendsPicture = () => upstream(() => json(picture))

test('what a platform cannot show is converted, and reported on request', async () => {
	const { url: to } = await sendsPicture()
	const quiet = await gatewayTo(to, { platform: 'plain' }, [canonical, plain])
	const shown = await call(`${quiet.url}/in`)
	expect(shown.status).toBe(200)
	expect(await shown.json()).not.toMatchObject(picture)
	expect(shown.headers.has('dragoman-changes')).toBe(false)

	const { url } = await gatewayTo(to, { platform: 'plain', debug: true }, [canonical, plain])
	const changes = (await call(`${url}/in`)).headers.get('dragoman-changes')
	expect(decodeURIComponent(changes ?? '')).toContain('reply.image messages[0]')
	const same = await gatewayTo((await upstream()).url, { debug: true })
	expect((await call(`${same.url}/in`)).headers.get('dragoman-changes')).toBe('none')
})

test('on a strict route it is an error, with the changes', async () => {
	const { url } = await gatewayTo((await sendsPicture()).url, { platform: 'plain', policy: 'strict' }, [
		canonical,
		plain,
	])
	const answer = await call(`${url}/in`)
	expect(answer.status).toBe(502)
	expect(await answer.json()).toMatchObject({
		title: 'reply-does-not-fit',
		changes: [expect.stringContaining('messages[0]')],
		turn: expect.stringMatching(/^turn_/),
	})
})

test('a failed turn is answered with the route’s failure reply, in the user’s language', async () => {
	const { url: to } = await upstream(() => statusOnly(500))
	const failure = { de: says('Leider nicht'), '*': says('Sorry'), 'pt-BR': says('Desculpe') }
	const { url, lines } = await gatewayTo(to, { failure })
	const heard = async (language?: string) => {
		const answer = await call(`${url}/in`, { kind: 'message', text: 'Hi', ...(language && { language }) })
		expect(answer.status).toBe(200)
		const { messages } = await answer.json()
		return messages[0].text
	}
	expect(await heard()).toBe('Sorry')
	expect(await heard('de')).toBe('Leider nicht')
	expect(await heard('de-AT')).toBe('Leider nicht')
	expect(await heard('pt-BR')).toBe('Desculpe')
	expect(await heard('fr')).toBe('Sorry')
	// A tag is the same in any case (RFC 5646, section 2.1.1).
	expect(await heard('DE')).toBe('Leider nicht')
	expect(await heard('pt-br')).toBe('Desculpe')
	expect(lines.filter(({ msg }) => msg === 'turn')).toHaveLength(7)
	expect(lines[0]).toMatchObject({ level: 'error', error: 'upstream-status', upstreamStatus: 500, status: 200 })
})

test('the upstream gets the original call, without secrets, if the route says so', async () => {
	const { url: to, calls } = await upstream()
	const tokened = ownJson('tokened', { auth: queryToken('token') })
	const routes = [{ name: 'in', path: '/in', platform: 'tokened', secrets: [{ env: 'TOKEN' }], raw: true }]
	const { url } = await gateway({ upstream: { url: to }, routes }, [canonical, tokened], { TOKEN: 'canary-of-a-token' })
	const attributes = { api_key: 'canary-2', 'canary-of-a-token': 1 }
	const body = JSON.stringify({ event: { kind: 'message', text: 'Hi', attributes } })
	await call(`${url}/in?token=canary-of-a-token&page=2&canary-of-a-token`, undefined, { body })
	expect(JSON.parse(calls[0]?.body ?? '').turn.raw).toEqual({
		method: 'POST',
		query: [
			['token', '[redacted]'],
			['page', '2'],
			['[redacted]', '[redacted]'],
		],
		body: { event: { kind: 'message', text: 'Hi', attributes: { api_key: '[redacted]', '[redacted]': '[redacted]' } } },
	})
})

test('an event whose answer is not read is accepted by the status of the upstream alone, whatever its reply', async () => {
	const answers = [json({ done: true }), statusOnly(500)]
	const { url: to } = await upstream(() => answers.shift() ?? statusOnly(500))
	const oneWay = ownJson('one-way', { reply: () => undefined })
	const { url, lines } = await gatewayTo(to, { platform: 'one-way' }, [canonical, oneWay])
	const accepted = await call(`${url}/in`)
	expect([accepted.status, await accepted.text()]).toEqual([200, ''])
	expect((await call(`${url}/in`)).status).toBe(502)
	expect(lines).toMatchObject([{ upstreamStatus: 200 }, { error: 'upstream-status', upstreamStatus: 500 }])
})

const keys = [1, 2].map((byte) => `whsec_${Buffer.alloc(32, byte).toString('base64')}`)

test('the upstream can verify a call with each key, by the library of Standard Webhooks', async () => {
	const { url: to, calls } = await upstream()
	const config = {
		upstream: { url: to, sign: { secrets: [{ env: 'KEY0' }, { env: 'KEY1' }] } },
		routes: [{ name: 'in', path: '/in', platform: 'canonical' }],
	}
	const { url } = await gateway(config, [canonical], { KEY0: keys[0] ?? '', KEY1: keys[1] ?? '' })
	await call(`${url}/in`, { kind: 'message', text: 'Grüße 🎈' })
	const { headers: fields = [], body } = calls[0] ?? {}
	const headers: { [name: string]: string } = Object.fromEntries(fields)
	for (const key of keys) {
		expect(new Webhook(key).verify(body ?? '', headers)).toMatchObject({ turn: { id: headers['webhook-id'] } })
		expect(() => new Webhook(key).verify(`${body} `, headers)).toThrow()
	}
	const foreign = `whsec_${Buffer.alloc(32, 3).toString('base64')}`
	expect(() => new Webhook(foreign).verify(body ?? '', headers)).toThrow()
})

test('calls carry the upstream’s secrets and headers, and keep its query', async () => {
	const { url: to, calls } = await upstream()
	const config = {
		upstream: {
			url: `${to}/bot?a=b`,
			adapter: 'tokened',
			secrets: [{ env: 'FIRST' }, { env: 'OTHER' }],
			headers: { 'X-Team': 'bots', authorization: { env: 'BEARER' } },
		},
		routes: [{ name: 'in', path: '/in', platform: 'canonical' }],
	}
	const tokened = ownJson('tokened', { auth: queryToken('token') })
	const env = { FIRST: 'first of the secrets &', OTHER: 'the other secret', BEARER: 'Bearer of good news' }
	const { url } = await gateway(config, [canonical, tokened], env)
	expect((await call(`${url}/in`)).status).toBe(200)
	expect(calls[0]?.path).toBe('/bot?a=b&token=first+of+the+secrets+%26')
	expect(calls[0]?.headers).toContainEqual(['x-team', 'bots'])
	expect(calls[0]?.headers).toContainEqual(['authorization', 'Bearer of good news'])
})

test('the log and the answers contain no secret and no text of a user', async () => {
	const canary = 'canary-in-the-mine'
	const env = Object.fromEntries(['A', 'B', 'C', 'D'].map((name) => [name, `${canary}-${name}`]))
	const answers = [
		{ messages: [{ type: 'text', text: canary, odd: canary }] },
		{ messages: [{ type: canary }] },
		`<html>${canary}</html>`,
		says('Hello'),
	]
	const { url: to } = await upstream(() => json(answers.shift()))
	const { url, lines } = await gateway(
		{
			upstream: { url: `${to}/${canary}?token=${canary}`, secrets: [{ env: 'B' }], headers: { 'x-key': { env: 'C' } } },
			routes: [{ name: 'in', path: '/in', platform: 'canonical', secrets: [{ env: 'A' }, { env: 'D' }] }],
		},
		[canonical],
		env,
	)
	const event = {
		kind: 'message',
		text: canary,
		user: { id: canary, name: canary, email: `${canary}@example.com`, attributes: { [canary]: canary } },
		attributes: { token: canary },
	}
	const bodies = [event, event, event, event, { kind: canary }, { kind: 'message', odd: canary }]
	const told: string[] = []
	for (const body of bodies) told.push(await (await call(`${url}/in/${canary}-A?x=${canary}`, body)).text())
	told.push(await (await call(`${url}/in/${canary}-A`, undefined, { body: `{"odd":"${canary}` })).text())
	told.push(await (await call(`${url}/in/${canary}`)).text())
	// A turn each, and one refusal.
	expect(lines).toHaveLength(bodies.length + 2)
	expect(JSON.stringify(lines)).not.toContain(canary)
	expect(told.join('\n')).not.toContain(`${canary}-`)
	expect(lines[3]).toEqual({
		level: 'info',
		msg: 'turn',
		turn: expect.stringMatching(/^turn_/),
		route: 'in',
		platform: 'canonical',
		upstream: 'canonical',
		kind: 'message',
		status: 200,
		upstreamStatus: 200,
		ms: expect.any(Number),
	})
})

test('a bug in an adapter is one error and one log line, and its stack is not sent', async () => {
	const { url: to } = await upstream()
	const broken = () => {
		throw new TypeError('a fault of the code')
	}
	const { carries, encode } = canonical.create().event
	const faulty = [
		ownJson('decoding', { event: { carries, encode, decode: broken } }),
		ownJson('failing', { event: { carries, encode, decode: broken }, failure: broken }),
		ownJson('proving', { auth: { scheme: 'broken', proof: 'head', verify: broken, sign: broken } }),
	]
	const routes = faulty.map(({ name }) => ({ name, path: `/${name}`, platform: name, secrets: [{ env: 'SECRET' }] }))
	const env = { SECRET: 'a secret that nobody knows' }
	const { url, lines } = await gateway({ upstream: { url: to }, routes }, [canonical, ...faulty], env)
	for (const path of ['/decoding', '/failing', '/proving'].map((path) => `${path}/${encodeURIComponent(env.SECRET)}`)) {
		const answer = await call(url + path)
		const body = await answer.text()
		expect(answer.status).toBe(500)
		expect(JSON.parse(body).title).toBe('internal')
		expect(body).not.toMatch(/fault|TypeError|\.ts/)
	}
	expect(lines).toHaveLength(3)
	for (const line of lines) expect(line).toMatchObject({ level: 'error', error: 'internal', cause: expect.any(String) })
})

test('a page that a browser opens at the URL of a route says that events are sent with POST', async () => {
	const { url } = await gatewayTo((await upstream()).url, { platform: 'chatbot-v2' }, [canonical, chatbotV2])
	const answer = await fetch(`${url}/in`)
	expect(answer.status).toBe(400)
	const expected = expect.stringContaining('events are sent with POST')
	expect(await answer.json()).toMatchObject({ title: 'field-missing', field: 'challenge', expected })
})
