/** `dragoman connections`: what each command does to an account, what it prints, and that no secret is ever in it. */
import { describe, expect, test, vi } from 'vitest'
import { createChatBotClient, type NewWebhook } from '../../adapters/chatbot/management/index.ts'
import { ConfigError } from '../../src/config/index.ts'
import { runConnections } from '../../src/node/connections/connections-command.ts'
import { type Account, account, story } from './account.ts'

const env = {
	CHATBOT_API_TOKEN: 'developer-access-token',
	SHOP_TOKEN: 'token-of-the-shop',
	OLD_TOKEN: 'old-token-of-the-shop',
	HEADER: 'header-of-the-shop',
	USERNAME: 'user-of-the-shop',
	PASSWORD: 'password-of-the-shop',
	OTHER_TOKEN: 'another-developer-token',
}

const route = (name: string, more: object = {}) => ({
	...{ name, path: `/${name}`, platform: 'chatbot-v2', secrets: [{ env: 'SHOP_TOKEN' }, { env: 'OLD_TOKEN' }] },
	...more,
})

const config = {
	upstream: { url: 'https://backend.test', secrets: [{ env: 'NOT_SET' }] },
	routes: [
		route('shop'),
		route('open', { secrets: undefined, open: true, platform: ['chatbot-v1', 'chatbot-v2'] }),
		route('old', { platform: 'chatbot-v1' }),
		route('placed', { publicUrl: 'https://placed.test/' }),
		route('misplaced', { publicUrl: 'bots.test' }),
		route('unset', { secrets: [{ env: 'NOT_SET' }] }),
		{ name: 'canonical', path: '/canonical', platform: 'canonical', secrets: [{ env: 'NOT_SET' }] },
	],
}

/** Runs a command. Whatever it prints must not hold a secret. */
async function run(with_: Pick<Account, 'fetch'> & { readonly more?: object }, ...args: string[]) {
	const said: string[] = []
	const reported: string[] = []
	const code = await runConnections(args, {
		env,
		config: async () => ({ ...config, ...with_.more }),
		say: (line) => said.push(line),
		report: (line) => reported.push(line),
		fetch: with_.fetch,
	})
	const [out, err] = [said.join('\n'), reported.join('\n')]
	for (const secret of Object.values(env)) expect(`${out}\n${err}`).not.toContain(secret)
	return { code, out, err, json: () => JSON.parse(out) }
}

const url = 'https://bots.test/base'
const of = ['--route', 'shop', '--public-url', url]

/** An account with this webhook, and a client that looks into it. */
async function withWebhook(differs: Partial<NewWebhook> = {}) {
	const chatbot = account()
	const client = createChatBotClient({ token: 'any', fetch: chatbot.fetch })
	const settings = { storyId: story, name: 'shop', url: `${url}/shop`, token: env.SHOP_TOKEN, ...differs }
	const { id } = await client.create(settings)
	return { chatbot, client, id }
}

const everything = {
	headers: { 'X-Shop': env.HEADER },
	auth: { username: env.USERNAME, password: env.PASSWORD },
}

describe('list and show', () => {
	test('print what is no secret, in lines', async () => {
		const { chatbot, id } = await withWebhook({ ...everything, url: `https://ada:${env.OLD_TOKEN}@a.test/?key=hidden` })
		const listed = await run(chatbot, 'list')
		expect(listed.out).toBe(`${id}  shop  https://[redacted]@a.test/?key=[redacted]  story Simulated story\n1 webhook`)
		expect((await run(account(), 'list')).out).toBe('no webhooks')
		const shown = await run(chatbot, 'show', id)
		expect(shown).toMatchObject({ code: 0, err: '' })
		expect(shown.out.split('\n')).toEqual([
			`id           ${id}`,
			'name         shop',
			'url          https://[redacted]@a.test/?key=[redacted]',
			`story        Simulated story, ${story}`,
			'token        [redacted]',
			'header X-Shop [redacted]',
			'basic auth   [redacted]',
			'created      2026-01-02T03:04:05.000Z',
			'updated      2026-01-02T03:04:05.000Z',
		])
		expect((await run(chatbot, 'list', '--v1')).out).toMatch(/^\w{24} {2}shop/)
		expect((await run(chatbot, 'show', id, '--v1')).out).toContain('header X-Shop [redacted]')
	})

	test('print JSON', async () => {
		const { chatbot, id } = await withWebhook(everything)
		const times = { createdAt: '2026-01-02T03:04:05.000Z', updatedAt: '2026-01-02T03:04:05.000Z' }
		const summary = { id, story: { id: story, name: 'Simulated story' }, name: 'shop', url: `${url}/shop`, ...times }
		expect((await run(chatbot, 'list', '--json')).json()).toEqual([summary])
		expect((await run(chatbot, 'show', id, '--json')).json()).toEqual({
			...summary,
			token: '[redacted]',
			headers: { 'X-Shop': '[redacted]' },
			auth: { username: '[redacted]', password: '[redacted]' },
		})
	})

	test('print words of others in one line, without control characters and without secrets', async () => {
		const message = `no\n\u001b[2J GET https://a.test/?token=${env.SHOP_TOKEN}`
		const hostile = { id: 'a', name: 'b\u202e\nc', url: 'd', error: message, token: env.SHOP_TOKEN }
		const server = {
			fetch: async (input: string | URL | Request) => {
				return Response.json(`${input}`.endsWith('/a') ? hostile : [hostile])
			},
		}
		expect((await run(server, 'list')).out).toBe(
			'a  b c  d  last error: no [2J GET https://a.test/?token=[redacted]\n1 webhook',
		)
		expect((await run(server, 'show', 'a')).out).toContain('last error   no [2J GET https://a.test/?token=[redacted]')
	})

	test('report once a second how many there are so far', async () => {
		let time = 0
		vi.spyOn(performance, 'now').mockImplementation(() => (time += 100))
		let left = 20
		const server = {
			fetch: async () => Response.json([{ id: 'a' }], { headers: left-- > 1 ? { link: '<?p>; rel=next' } : {} }),
		}
		const { err, out } = await run(server, 'list').finally(() => vi.restoreAllMocks())
		expect(out).toMatch(/\n20 webhooks$/)
		const reports = err.split('\n')
		expect(reports.length).toBeLessThan(12)
		expect(reports[0]).toMatch(/^\d+ webhooks read$/)
	})
})

describe('create, update and delete', () => {
	test('a webhook as the configuration has it', async () => {
		const chatbot = account()
		const created = await run(chatbot, 'create', ...of, '--story', story)
		const [, id = ''] = /^Webhook (\w{24}) created\.$/.exec(created.out) ?? []
		expect(created.code).toBe(0)
		const client = createChatBotClient({ token: 'any', fetch: chatbot.fetch })
		expect(await client.show(id)).toMatchObject({ name: 'shop', url: `${url}/shop`, token: env.SHOP_TOKEN })
		expect((await run(chatbot, 'create', ...of, '--story', story, '--json')).json()).toEqual({ id: expect.any(String) })
		const open = await run(chatbot, 'create', '--route', 'open', '--public-url', `${url}/`, '--story', story, '--json')
		expect(await client.show(open.json().id)).not.toHaveProperty('token')
	})

	test.each([
		['shop', [], 'https://all.test/shop'],
		['placed', [], 'https://placed.test/placed'],
		['placed', ['--public-url', 'https://given.test'], 'https://given.test/placed'],
	])('the URL of route %s is that of the configuration, or the one that is given: %j', async (name, args, wanted) => {
		const chatbot = account()
		const more = { publicUrl: 'https://all.test' }
		const { id } = (
			await run({ ...chatbot, more }, 'create', '--route', name, ...args, '--story', story, '--json')
		).json()
		const client = createChatBotClient({ token: 'any', fetch: chatbot.fetch })
		expect((await client.show(id)).url).toBe(wanted)
	})

	test('a webhook with every setting from the command line', async () => {
		const chatbot = account()
		const client = createChatBotClient({ token: 'any', fetch: chatbot.fetch })
		const secrets = ['--token-env', 'SHOP_TOKEN', '--username-env', 'USERNAME', '--password-env', 'PASSWORD']
		const settings = ['--name', 'a', '--url', 'https://a.test', ...secrets, '--header-env', 'X-Shop=HEADER']
		const { id } = (await run(chatbot, 'create', '--story', story, ...settings, '--json')).json()
		const all = { name: 'a', url: 'https://a.test', token: env.SHOP_TOKEN, ...everything }
		expect(await client.show(id)).toMatchObject(all)
		// What is not given stays.
		expect(await run(chatbot, 'update', id, '--name', 'b')).toMatchObject({ code: 0, out: `Webhook ${id} updated.` })
		expect(await client.show(id)).toMatchObject({ ...all, name: 'b' })
		await run(chatbot, 'update', id, '--header-env', 'X-Other=HEADER', '--token-env', 'OLD_TOKEN')
		const headers = { 'X-Other': env.HEADER }
		expect(await client.show(id)).toMatchObject({ ...all, name: 'b', headers, token: env.OLD_TOKEN })
		expect((await run(chatbot, 'update', id, '--name', 'c', '--json')).json()).toEqual({ id, left: [] })
		expect((await run(chatbot, 'delete', id, '--json')).json()).toEqual({ id })
		expect(await client.list()).toEqual([])
		const gone = await run(chatbot, 'delete', id)
		expect(gone).toMatchObject({ code: 1, out: '', err: expect.stringMatching(/^ChatBot has no such webhook\./) })
	})
})

describe('sync', () => {
	test('shows the webhook that a route lacks, and creates it with --apply', async () => {
		const chatbot = account()
		const dry = await run(chatbot, 'sync', ...of)
		expect(dry.code).toBe(3)
		expect(dry.out.split('\n')).toEqual([
			'Route shop has no webhook. It would be:',
			'  + name: shop',
			`  + url: ${url}/shop`,
			'  + token: [redacted]',
			'Nothing was changed. Add --apply to change it.',
		])
		expect(chatbot.notes).toEqual([])
		expect(await run(chatbot, 'sync', ...of, '--apply')).toMatchObject({
			code: 2,
			err: expect.stringContaining('give its story: --story ID'),
		})
		const applied = await run(chatbot, 'sync', ...of, '--apply', '--story', story)
		expect(applied).toMatchObject({ code: 0, out: expect.stringMatching(/\nWebhook \w{24} created\.$/) })
		const again = await run(chatbot, 'sync', ...of, '--apply')
		expect(again).toMatchObject({ code: 0, out: expect.stringMatching(/^Webhook \w{24} is as route shop needs it\.$/) })
		expect(chatbot.notes).toHaveLength(1)
	})

	test('shows and changes what differs, and keeps what is no part of a route', async () => {
		const { chatbot, client, id } = await withWebhook({ name: 'other', token: env.OLD_TOKEN, ...everything })
		const dry = await run(chatbot, 'sync', ...of)
		expect(dry.code).toBe(3)
		expect(dry.out.split('\n')).toEqual([
			`Webhook ${id} differs from route shop:`,
			'  ~ name: other -> shop',
			'  ~ token: another value',
			'Nothing was changed. Add --apply to change it.',
		])
		const json = await run(chatbot, 'sync', ...of, '--json')
		expect(json.code).toBe(3)
		expect(json.json()).toEqual({
			...{ route: 'shop', action: 'update', id, applied: false, left: [] },
			changes: [
				{ field: 'name', from: 'other', to: 'shop' },
				{ field: 'token', from: '[redacted]', to: '[redacted]' },
			],
		})
		expect(chatbot.notes).toHaveLength(1)
		expect((await run(chatbot, 'sync', ...of, '--apply')).code).toBe(0)
		expect(await client.show(id)).toMatchObject({ name: 'shop', token: env.SHOP_TOKEN, ...everything })
		const none = await run(chatbot, 'sync', ...of, '--json')
		expect(none).toMatchObject({ code: 0 })
		expect(none.json()).toEqual({ route: 'shop', action: 'none', id, changes: [], applied: true, left: [] })
	})

	test('headers and basic authentication that are given replace the others', async () => {
		const { chatbot, client, id } = await withWebhook({ headers: { 'X-A': 'a-secret', 'X-B': env.HEADER } })
		const given = ['--header-env', 'x-b=HEADER', '--header-env', 'X-C=HEADER', '--username-env', 'USERNAME']
		const args = ['sync', ...of, ...given, '--password-env', 'PASSWORD']
		expect((await run(chatbot, ...args)).out.split('\n').slice(1, -1)).toEqual(
			['  - headers.x-a: [redacted]', '  + auth: [redacted]', '  + headers.x-c: [redacted]'].toSorted(
				(a, b) => order(a) - order(b),
			),
		)
		expect((await run(chatbot, ...args, '--apply')).code).toBe(0)
		expect(await client.show(id)).toMatchObject({ headers: { 'x-b': env.HEADER, 'X-C': env.HEADER } })
	})

	test('finds the webhook by its URL, else by its name, within its story', async () => {
		const { chatbot, client, id } = await withWebhook({ name: 'renamed', url: 'https://BOTS.test:443/base/shop' })
		expect((await run(chatbot, 'sync', ...of, '--json')).json()).toMatchObject({ id, action: 'update' })
		await client.update(id, { name: 'shop', url: 'https://elsewhere.test', token: env.SHOP_TOKEN })
		const moved = (await run(chatbot, 'sync', ...of, '--json')).json()
		expect(moved).toMatchObject({ id, changes: [{ field: 'url', from: 'https://elsewhere.test', to: `${url}/shop` }] })
		const elsewhere = ['--story', `${story.slice(1)}0`]
		expect((await run(chatbot, 'sync', ...of, ...elsewhere, '--json')).json()).toMatchObject({ action: 'create' })

		const second = await client.create({ storyId: story, name: 'shop', url: 'https://elsewhere.test' })
		const ambiguous = await run(chatbot, 'sync', ...of)
		expect(ambiguous.code).toBe(2)
		expect(ambiguous.err).toContain(`2 webhooks could be meant. Choose one with --id: ${id}, ${second.id}`)
		const chosen = await run(chatbot, 'sync', ...of, '--id', second.id, '--json')
		expect(chosen.json()).toMatchObject({ id: second.id, action: 'update' })
	})

	test('says what ChatBot did not change, although it accepted the change', async () => {
		const { chatbot, id } = await withWebhook({ token: env.OLD_TOKEN })
		const stubborn = {
			fetch: (async (input, init) => {
				if (init?.method !== 'PUT') return chatbot.fetch(input, init)
				return Response.json({ status: { code: 200, type: 'success' } })
			}) as typeof fetch,
		}
		const { code, err } = await run(stubborn, 'sync', ...of, '--apply')
		expect(code).toBe(1)
		expect(err).toBe('ChatBot accepted the change, and yet did not make all of it:\n  ~ token: another value')
		const json = await run(stubborn, 'update', id, '--name', 'x', '--json')
		expect(json).toMatchObject({ code: 1 })
		expect(json.json()).toEqual({ id, left: [{ field: 'name', from: 'shop', to: 'x' }] })
	})
})

/** Where a line's kind stands in a difference. */
function order(line: string): number {
	return ['  - headers.x-a', '  + headers.x-c', '  + auth'].findIndex((start) => line.startsWith(start))
}

describe('wrong usage', () => {
	test.each([
		[['lst'], 'Unknown command "lst"; did you mean "list"?'],
		[['nonsense'], 'Unknown command "nonsense".'],
		[['list', '--jsn'], 'Unknown option --jsn; did you mean "json"?'],
		[['list', '--nonsense=token-of-the-shop'], 'Unknown option --nonsense.'],
		[['list', '--apply'], 'list has no option --apply.'],
		[['list', 'a'], 'Unexpected argument.'],
		[['show'], 'Give the ID of a webhook: npm run -s dragoman -- connections show ID'],
		[['show', 'a', 'b'], 'Unexpected argument.'],
		[['show', 'a/b'], 'Field "id": must be letters and digits'],
		[['show', 'a', '--api', 'http://chatbot.test'], 'Field "api": must be an https URL'],
		[['delete'], 'Give the ID of a webhook'],
		[['update', 'a'], 'update requires a setting.'],
		[['create', ...of], 'create requires --story ID.'],
		[['create', '--story', story], 'create requires --route NAME, or --name and --url.'],
		[['create', ...of, '--story', 'short'], 'Field "storyId": must be 24 characters.'],
		[['create', ...of, '--story', story, '--url', 'https://a.test'], '--url cannot be combined with --route'],
		[['create', '--story', story, '--name', 'a', '--url', 'a'], 'Field "url": must be an absolute http or https URL'],
		[
			['create', '--story', story, '--name', 'a', '--url', 'https://a', '--public-url', url],
			'--public-url requires --route',
		],
		[['sync'], 'sync requires --route NAME.'],
		[['sync', '--route', 'shop'], 'The configuration has no "publicUrl". Set it, or give it: --public-url'],
		[['sync', '--route', 'shop', '--public-url', 'bots.test'], '--public-url must be an absolute http or https URL'],
		[
			['sync', '--route', 'shop', '--public-url', 'https://a.test/?b=c'],
			'--public-url must be an absolute http or https URL',
		],
		[
			['sync', '--route', 'old', '--public-url', url],
			'The platform of route old is chatbot-v1; this needs chatbot-v2.',
		],
		[['sync', ...of, '--token-env', 'token-of-the-shop'], '--token-env requires the name of an environment variable.'],
		[['sync', ...of, '--token-env', 'NOT_SET'], '--token-env: no environment variable that is set has this name.'],
		[['sync', ...of, '--header-env', 'X-Shop'], '--header-env requires HEADER=NAME.'],
		[['sync', ...of, '--username-env', 'USERNAME'], '--username-env and --password-env belong together.'],
		[
			['list', '--api-token-env', 'developer-access-token'],
			'--api-token-env requires the name of an environment variable.',
		],
	])('%j', async (args, words) => {
		const { fetch, requests } = account()
		const { code, out, err } = await run({ fetch }, ...args)
		expect(code).toBe(2)
		expect(out).toBe('')
		expect(err).toContain(words)
		expect(requests).toEqual([])
	})

	test('without an access token', async () => {
		const reported: string[] = []
		const report = (line: string) => void reported.push(line)
		expect(await runConnections(['list'], { env: {}, config: async () => config, say: report, report })).toBe(2)
		expect(reported.join()).toContain('CHATBOT_API_TOKEN is not set.')
	})

	test.each([
		['shp', 'routes: none is called "shp"; did you mean "shop"?'],
		['nonsense', 'routes: none is called "nonsense"; there are: shop, open, old, placed, misplaced, unset, canonical'],
		['unset', 'routes[5].secrets[0].env: the environment variable NOT_SET is not set'],
		['misplaced', 'routes[4].publicUrl: must be an absolute http or https URL'],
	])('a route that cannot be used: %s', async (name, mistake) => {
		const thrown: unknown = await run(account(), 'sync', '--route', name, '--public-url', url).catch((thrown) => thrown)
		expect(thrown).toBeInstanceOf(ConfigError)
		expect(thrown).toMatchObject({ mistakes: [mistake] })
	})

	test.each([[], ['--help'], ['sync', '--help']])('help: %j', async (...args) => {
		const { code, out } = await run(account(), ...args)
		expect(code).toBe(0)
		for (const word of ['Usage: dragoman connections', 'Examples:', 'Exit codes:', '--api-token-env']) {
			expect(out).toContain(word)
		}
	})
})

describe('failures of the API', () => {
	const answering = (status: number, body = '{}') => ({ fetch: async () => new Response(body, { status }) })

	test('a wrong token names the variable that it is from', async () => {
		const { code, err } = await run(account('right'), 'list', '--api-token-env', 'OTHER_TOKEN')
		expect(code).toBe(1)
		expect(err).toContain('ChatBot says: Invalid access token; unauthorized')
		expect(err).toContain('The token is from OTHER_TOKEN')
	})

	test('a webhook that does not answer its verification says what is needed', async () => {
		const chatbot = account()
		chatbot.verified = { status: 404, headers: [], body: '' }
		const { code, err } = await run(chatbot, 'create', ...of, '--story', story)
		expect(code).toBe(1)
		expect(err).toContain('ChatBot says: Webhook verification failed: Request failed with status code 404')
		expect(err).toContain('the gateway must be running')
	})

	test.each([
		[500, 'ChatBot failed.'],
		[302, 'ChatBot redirected.'],
		[422, 'ChatBot refused the request.'],
	])('status %i', async (status, words) => {
		const { code, out, err } = await run(answering(status), 'create', ...of, '--story', story)
		expect(code).toBe(1)
		expect(out).toBe('')
		expect(err).toContain(words)
		expect(err.includes('may exist all the same')).toBe(status === 500)
	})

	test('an error as JSON', async () => {
		const { code, json } = await run(
			answering(500, `{"message":"no ${env.SHOP_TOKEN}"}`),
			'create',
			...of,
			'--story',
			story,
			'--json',
		)
		expect(code).toBe(1)
		expect(json()).toEqual({ error: { code: 'failed', status: 500, message: expect.stringContaining('no [hidden]') } })
	})
})
