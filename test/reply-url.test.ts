/** URLs for replies: they open what they sealed, and nothing else does. The AES-GCM of node:crypto is the judge. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { CompactEncrypt, compactDecrypt, generateKeyPair } from 'jose'
import { afterAll, expect, test } from 'vitest'
import { createRuntime } from '../src/node/node-runtime.ts'
import { createReplyUrl, openReplyUrl, type Recipient } from '../src/turn/reply-url.ts'

const runtime = createRuntime(() => {})
const { compactJwe, crypto } = runtime
afterAll(() => runtime.close())
const start = Date.parse('2026-11-28T21:00:00Z')
const at = (now: number) => ({ compactJwe, crypto, now: () => now })
const key = () => new Uint8Array(randomBytes(32))
const [current, old, foreign] = [key(), key(), key()]
const hour = 3_600_000
const base = 'https://bots.example/gateway'
const someone: Recipient = {
	route: 'shop',
	platform: 'plain',
	conversation: 'shop Grüße 🎈',
	address: { project: 'p1', token: 'canary-of-a-platform-token' },
}

async function seal(recipient = someone, with_ = current): Promise<string> {
	const url = await createReplyUrl(recipient, base, { keys: [with_], expiry: hour }, at(start))
	expect(url?.startsWith(`${base}/-/reply/`)).toBe(true)
	return url?.slice(`${base}/-/reply/`.length) ?? ''
}

const open = (token: string, now = start, keys = [current, old]) => openReplyUrl(token, keys, at(now))

test('a URL leads to whom it was made for, until it expires', async () => {
	const token = await seal()
	expect(await open(token)).toEqual(someone)
	expect(await open(token, start + hour - 1)).toEqual(someone)
	expect(await open(token, start + hour)).toBeUndefined()
	const { address: _, ...unpushable } = someone
	expect(await open(await seal(unpushable))).toEqual(unpushable)
})

test('a URL says nothing of what it leads to, and is another one each time', async () => {
	const tokens = await Promise.all([seal(), seal()])
	expect(tokens[0]).not.toBe(tokens[1])
	for (const token of tokens) {
		expect(token).toMatch(/^[\w-]+\.\.[\w-]+\.[\w-]+\.[\w-]+$/)
		const decoded = token.split('.').map((part) => Buffer.from(part, 'base64url').toString())
		for (const secret of ['canary', 'shop', 'p1', 'plain', 'Grüße']) expect(decoded.join()).not.toContain(secret)
	}
})

test('the key before the present one still opens; a key that is gone does not', async () => {
	const token = await seal(someone, old)
	expect(await open(token)).toEqual(someone)
	expect(await open(token, start, [old])).toEqual(someone)
	expect(await open(token, start, [current])).toBeUndefined()
	expect(await open(await seal(someone, foreign))).toBeUndefined()
})

/** What a token holds, by another implementation than the gateway's. */
function decryptByNode(token: string, withKey: Uint8Array) {
	const [header = '', encryptedKey, iv = '', text = '', tag = ''] = token.split('.')
	const gcm = createDecipheriv('aes-256-gcm', withKey, Buffer.from(iv, 'base64url'), { authTagLength: 16 })
	gcm.setAAD(Buffer.from(header)).setAuthTag(Buffer.from(tag, 'base64url'))
	const plain = gcm.update(text, 'base64url', 'utf8') + gcm.final('utf8')
	return { header: JSON.parse(Buffer.from(header, 'base64url').toString()), encryptedKey, plain }
}

/** A token by another implementation than the gateway's. */
function encryptByNode(plain: string, header: object, withKey: Uint8Array): string {
	const [iv, start] = [randomBytes(12), Buffer.from(JSON.stringify(header)).toString('base64url')]
	const gcm = createCipheriv('aes-256-gcm', withKey, iv, { authTagLength: 16 }).setAAD(Buffer.from(start))
	const text = Buffer.concat([gcm.update(plain), gcm.final()])
	return `${start}..${[iv, text, gcm.getAuthTag()].map((part) => part.toString('base64url')).join('.')}`
}

test('other software reads what we wrote, and we what it wrote', async () => {
	const token = await seal()
	const { header, encryptedKey, plain } = decryptByNode(token, current)
	expect(header).toEqual({ alg: 'dir', enc: 'A256GCM', kid: expect.stringMatching(/^[\da-f]{8}$/) })
	expect(encryptedKey).toBe('')
	expect(JSON.parse(plain)).toEqual({ exp: (start + hour) / 1000, ...someone })
	const again = encryptByNode(plain, header, current)
	expect(again).not.toBe(token)
	expect(await open(again)).toEqual(someone)
})

test('what is too long is not sealed, and not opened', async () => {
	const url = (address: string) =>
		createReplyUrl({ ...someone, address }, base, { keys: [current], expiry: hour }, at(start))
	const [fits = '', longest] = [await url('x'.repeat(2700)), await url('x'.repeat(3000))]
	expect(fits.length).toBeLessThan(4000 + base.length + 10)
	expect(longest).toBeUndefined()
	expect(await url('x'.repeat(1_000_000))).toBeUndefined()
	expect(await open(`${await seal()}${'A'.repeat(4000)}`)).toBeUndefined()
})

/** The parts of a token, each with one of its characters changed. */
function* changed(token: string): Generator<string> {
	for (let i = 0; i < token.length; i += token.length > 300 && i > 60 && i < token.length - 60 ? 7 : 1) {
		for (const char of token[i] === '.' ? ['', '-', '..'] : ['', 'A', 'Q', '-', '.', '=', ' ', 'é', '%41']) {
			if (char !== token[i]) yield token.slice(0, i) + char + token.slice(i + 1)
		}
	}
}

test('one changed character anywhere, and it does not open', async () => {
	const token = await seal()
	let tried = 0
	for (const other of changed(token)) {
		tried++
		expect(await open(other), other).toBeUndefined()
	}
	expect(tried).toBeGreaterThan(500)
	const [header, , iv, text, tag] = token.split('.')
	const another = (await seal()).split('.')
	for (const parts of [
		...[
			[header, '', another[2], text, tag],
			[header, '', iv, another[3], tag],
			[header, '', iv, text, another[4]],
		],
		...[
			[header, iv, text, tag],
			[header, '', iv, text],
			[header, '', iv, text, ''],
			[header, '', '', text, tag],
		],
		...[
			[header, 'AAAA', iv, text, tag],
			[header, '', iv, text, tag, ''],
			['', '', iv, text, tag],
			[],
			['', '', '', '', ''],
		],
	]) {
		expect(await open(parts.join('.')), parts.join('.')).toBeUndefined()
	}
})

test('no other algorithm is read, however well its token is made', async () => {
	const plaintext = new TextEncoder().encode(JSON.stringify({ exp: (start + hour) / 1000, ...someone }))
	const [ours = ''] = (await seal()).split('.')
	const { kid } = JSON.parse(Buffer.from(ours, 'base64url').toString())
	const rsa = await generateKeyPair('RSA-OAEP-256')
	const made = (header: object, withKey: Parameters<CompactEncrypt['encrypt']>[0]) =>
		new CompactEncrypt(plaintext).setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid, ...header }).encrypt(withKey)
	const foreignForms = [
		await made({ zip: 'DEF' }, current),
		await made({ typ: 'JWT' }, current),
		await made({ alg: 'A256KW' }, current),
		await made({ alg: 'A256GCMKW' }, current),
		await made({ alg: 'PBES2-HS256+A128KW' }, current),
		await made({ alg: 'RSA-OAEP-256' }, rsa.publicKey),
		await made({ enc: 'A128CBC-HS256' }, current),
		await made({ kid: 'other' }, current),
	]
	// What others would read: each differs from ours in its header, and not in its key.
	expect(await compactDecrypt(foreignForms[0] ?? '', current)).toMatchObject({ plaintext })
	for (const token of foreignForms) expect(await open(token)).toBeUndefined()

	const [, , iv, text, tag] = (await seal()).split('.')
	for (const header of [
		...[{ alg: 'none' }, { alg: 'none', enc: 'A256GCM', kid }, { alg: 'dir', enc: 'A256GCM', kid, zip: 'DEF' }],
		...[{ alg: 'PBES2-HS512+A256KW', enc: 'A256GCM', kid, p2s: 'AAAA', p2c: 2_147_483_647 }, { kid }, {}, [], null],
		...[
			{ enc: 'A256GCM', alg: 'dir', kid },
			{ alg: 'dir', enc: 'A256GCM', kid, crit: ['x'], x: 1 },
		],
	]) {
		const forged = Buffer.from(JSON.stringify(header)).toString('base64url')
		expect(await open([forged, '', iv, text, tag].join('.')), JSON.stringify(header)).toBeUndefined()
	}
})

test('whoever has the key can seal what we would not: it is not read', async () => {
	const [ours = ''] = (await seal()).split('.')
	const header = JSON.parse(Buffer.from(ours, 'base64url').toString())
	const exp = (start + hour) / 1000
	for (const content of [
		...[
			'',
			'no JSON',
			'null',
			'[]',
			'{}',
			JSON.stringify({ ...someone }),
			JSON.stringify({ exp: 'never', ...someone }),
		],
		...[
			{ exp: exp + 0.5, ...someone },
			{ exp, ...someone, route: 5 },
		].map((value) => JSON.stringify(value)),
		JSON.stringify({ exp, route: 'shop', platform: 'plain' }),
		`{"exp":${exp},"route":"shop","platform":"plain","conversation":"c","address":{"__proto__":{}}}`,
	]) {
		const token = encryptByNode(content, header, current)
		expect(await open(token), content).toBeUndefined()
	}
})

test('ten thousand texts at random do not open', async () => {
	const token = await seal()
	const random = (length: number) => randomBytes(length).toString('base64url').slice(0, length)
	for (let i = 0; i < 10_000; i++) {
		const length = i % 3 === 0 ? token.length : Number(randomBytes(2).readUInt16LE()) % 1200
		const text = i % 2 === 0 ? random(length) : token.split('.')[0] + random(length)
		expect(await open(text)).toBeUndefined()
	}
})
