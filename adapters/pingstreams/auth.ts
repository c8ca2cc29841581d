/**
 * How a call proves its origin, in two ways that the wire has and no document names: the token is a JWT signed with the
 * secret of the bot or of the subscription, and `x-hook-secret` is the subscription's secret itself.
 * Tiledesk/tiledesk-server: services/faqBotSupport.js, BotSubscriptionNotifier.js, subscriptionNotifier.js.
 */
import * as v from 'valibot'
import {
	type Auth,
	bodyAsJson,
	type Crypto,
	Id,
	type Json,
	readJson,
	type WireRequest,
} from '../../src/format/index.ts'
import { candidateTokens, findToken } from './find-token.ts'

const header = 'x-hook-secret'

/** A subscription's secret, in a header of its calls. */
export const hookSecret: Auth = {
	scheme: `header:${header}`,
	proof: 'head',
	async verify({ headers }, secrets, crypto) {
		const given = headers.filter(([name]) => name === header)
		const secret = given.length === 1 ? (given[0]?.[1] ?? '') : ''
		const matches = secrets.map((each) => crypto.equal(secret, each))
		return secret !== '' && matches.includes(true)
	},
	async sign(call, secret) {
		return { ...call, headers: [...call.headers.filter(([name]) => name !== header), [header, secret]] }
	},
}

/** The signature of the token in the body: HS256, with the secret of the bot or of the subscription that the body names. */
export const tokenSignature: Auth = {
	scheme: 'body:token',
	proof: 'body',
	async verify(call, secrets, crypto) {
		const signed: string[] = []
		for (const token of candidateTokens(call.body)) if (await isSigned(token, secrets, crypto)) signed.push(token)
		if (signed.length === 0) return false
		// Only from here on is the sender one that once had a token, so that reading the whole body is due.
		if (!isReadable(call)) return signed.some((token) => claimsOf(token))
		const token = findToken(call.body)
		const claims = token !== undefined && signed.includes(token) && claimsOf(token)
		if (!claims) return false
		const { kind, ids } = ownerOf(bodyAsJson(call))
		return claims.sub === kind && (ids.length === 0 || ids.some((id) => claims.aud.endsWith(`/${id}`)))
	},
	async sign(call, secret, crypto) {
		const body = bodyAsJson(call)
		const { kind, ids } = ownerOf(body)
		const claims = { iss, sub: kind, aud: `${iss}/${kind}s/${ids[0] ?? ''}` }
		const content = [{ alg: 'HS256', typ: 'JWT' }, claims].map((part) => toBase64Url(JSON.stringify(part))).join('.')
		const token = `${content}.${await sign(content, secret, crypto)}`
		return { ...call, body: JSON.stringify(Object.assign({}, body, { token })) }
	},
}

const iss = 'https://tiledesk.com'

const Head = v.object({ alg: v.string() })
const Claims = v.object({ sub: v.string(), aud: v.string() })
// A member of another shape counts as absent, so that it does not hide the others.
const lax = <S extends v.GenericSchema>(schema: S) => v.fallback(v.optional(schema), undefined)
const Bot = v.object({ _id: lax(Id), root_id: lax(Id) })
const Owned = v.object({
	hook: lax(v.object({ ...Bot.entries, event: lax(v.string()) })),
	payload: lax(v.object({ botId: lax(Id), bot: lax(Bot) })),
})

/** Whose secret signs, and that owner's ids: a published bot is a copy, and its root is the bot that its author edits. */
function ownerOf(body: unknown): { kind: 'bot' | 'subscription'; ids: string[] } {
	const { hook, payload } = v.parse(lax(Owned), body) ?? {}
	const ids = [hook?._id, hook?.root_id, payload?.botId, payload?.bot?._id, payload?.bot?.root_id]
	return { kind: hook?.event === undefined ? 'bot' : 'subscription', ids: ids.filter((id) => id !== undefined) }
}

async function sign(content: string, secret: string, crypto: Crypto): Promise<string> {
	return toUrl(await crypto.hmac(Uint8Array.from(new TextEncoder().encode(secret)), content))
}

async function isSigned(token: string, secrets: readonly string[], crypto: Crypto): Promise<boolean> {
	const [head = '', claims = '', signature = '', ...more] = token.split('.', 4)
	const signatures = await Promise.all(secrets.map((secret) => sign(`${head}.${claims}`, secret, crypto)))
	const matches = signatures.map((each) => crypto.equal(signature, each))
	return more.length === 0 && matches.includes(true)
}

/** What a token claims; undefined if it is none, or of another algorithm. */
function claimsOf(token: string): v.InferOutput<typeof Claims> | undefined {
	const [head = '', claims = ''] = token.split('.')
	const { alg } = parsed(Head, () => readJson(fromBase64Url(head))) ?? {}
	return alg === 'HS256' ? parsed(Claims, () => readJson(fromBase64Url(claims))) : undefined
}

/** Whether decoding can read the body. Else it refuses the call, and tells the sender why. */
function isReadable(call: WireRequest): boolean {
	try {
		bodyAsJson(call)
		return true
	} catch {
		return false
	}
}

/** What `read` reads, if it is of the schema. */
function parsed<S extends v.GenericSchema>(schema: S, read: () => Json): v.InferOutput<S> | undefined {
	try {
		return v.parse(schema, read())
	} catch {
		return undefined
	}
}

function toUrl(base64: string): string {
	return base64.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

function toBase64Url(text: string): string {
	return toUrl(btoa(String.fromCharCode(...new TextEncoder().encode(text))))
}

function fromBase64Url(text: string): string {
	const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'))
	return new TextDecoder().decode(Uint8Array.from(binary, (char) => char.charCodeAt(0)))
}
