/** No secret of the gateway leaves it: not to the upstream, not into the log, not in a header, in whatever spelling it came. */
import { describe, expect, test } from 'vitest'
import { adapters } from '../adapters/index.ts'
import { createPathNamer } from '../src/turn/path-namer.ts'
import { containsSecret } from '../src/turn/redact.ts'
import { createSecretFinder } from '../src/turn/secret-finder.ts'
import { suggestsSecret } from '../src/turn/secret-names.ts'
import { json, says } from './harness/http.ts'
import { platforms } from './harness/platforms.ts'
import { call, gateway, upstream } from './servers.ts'

const secretNames =
	`pwd pass passwd passphrase otp pin apiKey apiKey1 keys api_key x-api-key credential credentials jwt bearer cookie
	authToken access_token2 clientSecret userPwd PASSWORD accesstoken userpwd APIkey APIKEY JWTtoken Authorization
	x-hook-secret decodedCustomJWT chatbot_jwt_token X-Hub-Signature-256 signature-v1 sig token_type auth oauth2
	passwordHash PrivateKey SECRET_KEY_2 userPin session-cookie`.split(/\s+/)

test.each(secretNames)('%s suggests a secret', (name) => {
	expect(suggestsSecret(name)).toBe(true)
})

const otherNames =
	`author authored author_id authority tokenize tokenizer monkey favourite_monkey keyboard keyword turkey hockey compass
	compass_word passenger pass_rate secretary secretion pinned pinterest opinion signature_dish design session sessionId
	cookbook bearing user_name id 1 _ é key_figures keynote`.split(/\s+/)

test.each(otherNames)('%s does not', (name) => {
	expect(suggestsSecret(name)).toBe(false)
})

/** Of every alphabet that people make secrets of. */
const secrets = {
	'base64 with padding': 'k3y/With+Slash0rTwo/AndMore+Q==',
	hexadecimal: '5f2a9c0de1b84f7a6c3d2e1f00998877',
	'letters and digits': 'Zr8k3f0Qm2yW7tXa1Lc',
	'words with blanks': 'the first of the secrets',
	'other letters': 'pä ss😀wörd for пароль',
	'signs of URLs': "a&b=c?d#e:f@g!h$i'j(k)l*m,n;o%p",
	'quotes and backslashes': 'quo"ted \\back\\\\slashes',
	'one longer than is looked for': `eyJhbGciOiJIUzI1NiJ9.${'Zm9vYmFyYmF6'.repeat(20)}.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c`,
}

const eachByte = (text: string): string =>
	[...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')
const eachUnit = (text: string): string =>
	text.replace(/[\s\S]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
const lower = (text: string): string => text.replace(/%../g, (escaped) => escaped.toLowerCase())
const inForm = (text: string): string => new URLSearchParams({ token: text }).toString()

/** What URLs, forms, JSON and base64 make of a text. */
const spellings: { readonly [name: string]: (secret: string) => string } = {
	plain: (secret) => secret,
	'percent-encoded': encodeURIComponent,
	'percent-encoded in lower case': (secret) => lower(encodeURIComponent(secret)),
	'percent-encoded twice': (secret) => encodeURIComponent(encodeURIComponent(secret)),
	'percent-encoded four times': (secret) => [1, 2, 3, 4].reduce((text) => encodeURIComponent(text), secret),
	'percent-encoded as far as a URL needs it': encodeURI,
	'percent-encoded but for its slashes': (secret) => secret.split('/').map(encodeURIComponent).join('/'),
	'percent-encoded, each character': eachByte,
	'in a form': inForm,
	'in a form in a URL': (secret) => `https://bot.example/?next=${encodeURIComponent(inForm(secret))}`,
	'in the path of a URL': (secret) => `https://bot.example/hook/${encodeURIComponent(secret)}?a=b`,
	'in JSON': (secret) => JSON.stringify({ secret }),
	'in JSON in JSON': (secret) => JSON.stringify(JSON.stringify({ secret })),
	'in JSON of PHP': (secret) => JSON.stringify({ secret }).replaceAll('/', '\\/'),
	'in JSON, each character escaped': eachUnit,
	'in JSON in JSON, escaped in upper case': (secret) =>
		JSON.stringify(eachUnit(secret).replace(/[a-f]/g, (digit) => digit.toUpperCase())).replaceAll('\\U', '\\u'),
	'in base64': (secret) => Buffer.from(secret).toString('base64'),
	'in base64url behind a name': (secret) => Buffer.from(`ab:${secret}`).toString('base64url'),
	'in base64 before another': (secret) => Buffer.from(`x${secret}&more`).toString('base64'),
}

describe.each(Object.entries(secrets))('a secret: %s', (_, secret) => {
	test.each(Object.entries(spellings))('is found %s', (_, spell) => {
		const hasSecret = createSecretFinder(['another secret altogether', secret])
		const text = spell(secret)
		for (const longer of [text, `before ${text} behind`, `{"a":${text}}`]) expect(hasSecret(longer)).toBe(true)
		expect(hasSecret(secret.slice(0, -4))).toBe(false)
	})
})

test('a secret in base64 is found without its padding, and in the alphabet of URLs', () => {
	const hasSecret = createSecretFinder([secrets['base64 with padding']])
	expect(hasSecret('k3y_With-Slash0rTwo_AndMore-Q')).toBe(true)
})

test('a short secret counts only where it is a word of its own', () => {
	const hasSecret = createSecretFinder(['dev'])
	for (const text of ['dev', 'https://gateway.example/in/dev', '{"a":"dev"}']) expect(hasSecret(text)).toBe(true)
	for (const text of ['a device', 'devious', 'https://gateway.example/devices']) expect(hasSecret(text)).toBe(false)
	expect(createSecretFinder([])('anything')).toBe(false)
})

test('a short secret that begins with a backslash is found behind any number of encodings', () => {
	const hasSecret = createSecretFinder(['\\dev'])
	for (const text of ['\\dev', '\\\\dev', '%5Cdev', '%5c%5cdev', 'a=%255C%255Cdev', '\\u005c\\u005cdev'])
		expect([text, hasSecret(text)]).toEqual([text, true])
	for (const text of ['dev', 'a\\dev', '%5cdevice']) expect([text, hasSecret(text)]).toEqual([text, false])
})

test('a secret is found wherever it is in a large body, and others may run meanwhile', async () => {
	const secret = secrets['base64 with padding']
	const hasSecret = createSecretFinder([secret])
	let pauses = 0
	const runtime = { letOthersRun: async () => void pauses++ }
	const length = 600_000
	const twice = [1, 2, 3].reduce((text) => encodeURIComponent(text), eachByte(secret))
	const spread = Array.from({ length: 150 }, (_, i) => i * 4000)
	const around = [1, 2, 3, 4].flatMap((n) => [4096, 0].map((shared) => n * 131_072 - shared * n - 200))
	for (const at of [...spread, ...around, length - twice.length]) {
		const body = `${'x '.repeat(at / 2)}${twice}${' y'.repeat((length - at) / 2)}`
		expect([at, await containsSecret({ method: 'POST', query: [], headers: [], body }, hasSecret, runtime)]).toEqual([
			at,
			true,
		])
	}
	pauses = 0
	const body = 'x '.repeat(length / 2)
	expect(await containsSecret({ method: 'POST', query: [], headers: [], body }, hasSecret, runtime)).toBe(false)
	expect(pauses).toBeGreaterThan(3)
})

/** Texts that make a search slow, of about this length. */
const slow: { readonly [name: string]: (length: number) => string } = {
	'percent signs': (length) => '%'.repeat(length),
	'encoded percent signs': (length) => '%25'.repeat(length / 3),
	'one percent sign, encoded often': (length) => `%${'25'.repeat(length / 2)}`,
	'encoded backslashes': (length) => '%5c'.repeat(length / 3),
	backslashes: (length) => '\\'.repeat(length),
	'pairs of backslashes': (length) => '\\\\x'.repeat(length / 3),
	'beginnings of escapes': (length) => '\\\\u00'.repeat(length / 5),
	'base64 throughout': (length) => 'Zr8k'.repeat(length / 4),
	'runs of base64': (length) => 'Zr8k3f0Qm2yW7tXa1LZr8k3f0Qm2yW7tXa1L '.repeat(length / 37),
	'beginnings of the secret': (length) => secrets['letters and digits'].slice(0, -1).repeat(length / 18),
	'words of other letters': (length) => 'слово '.repeat(length / 6),
}

test.each(Object.entries(slow))('the search takes time in proportion to the text: %s', (_, text) => {
	const hasSecret = createSecretFinder([...Object.values(secrets), '\\begins with a backslash'])
	const [short, long] = [50_000, 400_000].map((length) => {
		const made = text(length)
		const times = Array.from({ length: 5 }, () => {
			const from = process.cpuUsage()
			for (let i = 0; i < 4; i++) expect(hasSecret(made)).toBe(false)
			const { user, system } = process.cpuUsage(from)
			return user + system
		})
		return Math.min(...times)
	})
	// Eight times the text; a step of its square would take sixty-four times as long.
	expect(long).toBeLessThan(24 * ((short ?? 0) + 500))
})

/** An event with this text in every place that holds text from outside. */
const eventOf = (text: string): object => ({
	kind: 'message',
	channel: text,
	bot: { name: text },
	conversation: text,
	user: { id: text, name: text, attributes: { note: text, [text]: text } },
	text,
	media: [{ kind: 'image', url: text }],
	trigger: { kind: 'block', name: text, parameters: { a: text } },
	attributes: { page: { url: text, list: [text] }, [text]: 1, nested: { [text]: { [text]: 2 } } },
	contexts: [{ name: 'one', parameters: { a: [{ b: text }] } }],
	defaultReply: [{ type: 'text', text, buttons: [{ type: 'link', title: 'Go', url: text }] }],
	extensions: { canonical: { any: text } },
})

test.each(Object.entries(spellings))(
	'wherever a call has a secret %s, the upstream, the log and the header do not',
	async (_, spell) => {
		const { url: to, calls } = await upstream(() => json(says('Hello')))
		const env = {
			PATH_SECRET: secrets['base64 with padding'],
			UPSTREAM: secrets['signs of URLs'],
			HEADER: 'Bearer Zr8k3f0Qm2yW7tXa1Lc',
		}
		const config = {
			upstream: { url: to, secrets: [{ env: 'UPSTREAM' }], headers: { authorization: { env: 'HEADER' } } },
			routes: [
				{ name: 'in', path: '/in', platform: 'canonical', secrets: [{ env: 'PATH_SECRET' }], raw: true, debug: true },
			],
		}
		const { url, lines } = await gateway(config, adapters, env)
		const all = [env.PATH_SECRET, env.UPSTREAM, env.HEADER.slice(7)]
		const hasSecret = createSecretFinder(all)
		for (const secret of all) {
			const spelled = spell(secret)
			const says = (text: string) =>
				hasSecret(text) || text.includes(spelled) || text.includes(JSON.stringify(spelled).slice(1, -1))
			const path = `/in/${encodeURIComponent(env.PATH_SECRET)}?q=${encodeURIComponent(spelled)}`
			const body = JSON.stringify({ event: eventOf(spelled), [spelled]: spelled })
			const answer = await call(url + path, undefined, { body })
			const header = answer.headers.get('dragoman-changes') ?? ''
			const sent = calls.at(-1)?.body ?? ''
			expect([answer.status, says(sent), says(header), says(JSON.stringify(lines))]).toEqual([200, false, false, false])
			expect(JSON.parse(sent)).toMatchObject({ event: { kind: 'message', text: '[redacted]' }, turn: { raw: {} } })
		}
	},
)

test('what was redacted in an event is among its changes, and the rest of it arrives', async () => {
	const { url: to, calls } = await upstream(() => json(says('Hello')))
	const routes = [{ name: 'in', path: '/in', platform: 'canonical', secrets: [{ env: 'SECRET' }], policy: 'strict' }]
	const { url } = await gateway({ upstream: { url: to }, routes }, adapters, { SECRET: 'k3y/With+Slash' })
	const { status } = await call(`${url}/in/k3y%2FWith%2BSlash`, {
		kind: 'message',
		text: 'Hi',
		attributes: { page: 'https://gateway.example/in/k3y%2FWith%2BSlash', plan: 'gold', token: 'of the customer' },
	})
	expect(status).toBe(200)
	const { event, turn } = JSON.parse(calls[0]?.body ?? '')
	expect(event).toMatchObject({
		text: 'Hi',
		attributes: { page: '[redacted]', plan: 'gold', token: 'of the customer' },
	})
	expect(turn.changes).toEqual([
		{
			path: 'attributes.page',
			feature: 'event.attributes',
			did: 'converted',
			detail: 'a secret of the gateway is redacted',
		},
	])
})

test('an event without a secret is passed on as it is, whatever its fields are called', async () => {
	const { url: to, calls } = await upstream(() => json(says('Hello')))
	const routes = [{ name: 'in', path: '/in', platform: 'canonical', secrets: [{ env: 'SECRET' }], raw: true }]
	const { url } = await gateway({ upstream: { url: to }, routes }, adapters, { SECRET: 'k3y/With+Slash' })
	const attributes = { author: 'Ada', author_id: '7', favourite_monkey: 'x', signature_dish: 'pizza', password: 'p' }
	await call(`${url}/in/k3y%2FWith%2BSlash`, { kind: 'message', text: 'k3y / With + Slash', attributes })
	const { event, turn } = JSON.parse(calls[0]?.body ?? '')
	expect(event.attributes).toEqual(attributes)
	expect(event.text).toBe('k3y / With + Slash')
	expect(turn.raw.body.event?.attributes ?? turn.raw.body.attributes).toEqual({ ...attributes, password: '[redacted]' })
})

const secret = 'Zr8k-3f0Qm2yW7tXa1Lc'

test.each(platforms.map((platform) => [platform.name, platform] as const))(
	'%s: the secret that proves a call is not in what the upstream gets',
	async (name, platform) => {
		const { url: to, calls } = await upstream(() => json(says('Hello')))
		const route = platform.route({ secrets: [{ env: 'SECRET' }], raw: true })
		const { url, lines, send } = await gateway({ upstream: { url: to }, routes: [route] }, adapters, { SECRET: secret })
		expect(url).toBeDefined()
		const { status } = await send(await platform.prove(secret))
		expect([name, status]).toEqual([name, 200])
		expect(calls).toHaveLength(1)
		expect(JSON.stringify([calls, lines])).not.toContain(secret)
	},
)

test('a key that is no plain name has a number in the log and in the header, and its text in neither', async () => {
	const { url: to } = await upstream(() =>
		json({ messages: [], attributes: { session: { 'a word of the bot': 1 }, user: {} } }),
	)
	const routes = [{ name: 'in', path: '/in', platform: 'canonical', secrets: [{ env: 'SECRET' }], debug: true }]
	const { url, lines } = await gateway({ upstream: { url: to }, routes }, adapters, { SECRET: 'SECRET1234567890' })
	const number = 'call me at +49 170 1234567, SECRET1234567890'
	const event = { kind: 'message', text: 'Hi' }
	const body = {
		event,
		[number]: 1,
		SECRET1234567890: 2,
		plain_name: 3,
		'491701234567': 4,
		'ada@example.org': 5,
	}
	const answer = await call(`${url}/in/SECRET1234567890`, undefined, { body: JSON.stringify(body) })
	const { changes } = JSON.parse(JSON.stringify(lines[0]))
	expect(answer.status).toBe(200)
	const header = answer.headers.get('dragoman-changes') ?? ''
	for (const text of [JSON.stringify(changes), header]) {
		for (const word of ['call', '170', 'SECRET', 'ada']) expect(text).not.toContain(word)
		expect(text).toContain('plain_name')
		expect(text).toMatch(/#1\b.*#2\b/)
	}
})

test('a wrong field is named to the caller, but never with a secret', async () => {
	const { url: to } = await upstream()
	const routes = [{ name: 'in', path: '/in', platform: 'canonical', secrets: [{ env: 'SECRET' }] }]
	const { url, lines } = await gateway({ upstream: { url: to }, routes }, adapters, { SECRET: 'SECRET1234567890' })
	for (const key of ['SECRET1234567890', 'a SECRET1234567890 b', 'https://x/SECRET%31234567890']) {
		const body = `{"kind":"message","attributes":{${JSON.stringify(key)}:{"__proto__":1}}}`
		const answer = await call(`${url}/in/SECRET1234567890`, undefined, { body })
		const problem = await answer.text()
		expect(JSON.parse(problem).title).toBe('reserved-key')
		for (const text of [problem, JSON.stringify(lines)])
			expect(createSecretFinder(['SECRET1234567890'])(text)).toBe(false)
	}
	const answer = await call(`${url}/in/SECRET1234567890`, { kind: 'message', attributes: 'x', 'a b': 1 })
	expect(await answer.json()).toMatchObject({ title: 'field-invalid', field: expect.stringContaining('attributes') })
})

test('a path keeps what is plain in it', () => {
	const nameOf = createPathNamer(createSecretFinder(['SECRET1234567890']))
	expect(
		[
			'attributes.page[12].title',
			'payload.bot.*',
			'["a b"]',
			'attributes["a \\"b].c\\\\"].d["x.y"][0]',
			'["a b"].attributes["x.y"]',
			`attributes.${'x'.repeat(33)}`,
			'attributes.SECRET1234567890.z',
			'attributes.$set',
			'content-type',
		].map(nameOf),
	).toEqual([
		'attributes.page[12].title',
		'payload.bot.*',
		'#1',
		'attributes.#2.d.#3[0]',
		'#1.attributes.#3',
		'attributes.#4',
		'attributes.#5.z',
		'attributes.#6',
		'content-type',
	])
})
