/** The client of ChatBot's API for webhooks: https://www.chatbot.com/docs/webhooks/ */
import type * as v from 'valibot'
import { GatewayError, type Json, validate } from '../../../src/format/index.ts'
import { type Access, type ApiReply, type ApiRequest, callApi } from './call.ts'
import { ChatBotError } from './error.ts'
import {
	type ListedWebhook,
	NewWebhook,
	type Outcome,
	type Webhook,
	WebhookId,
	WebhookSettings,
	WireCreated,
	WireList,
	WireOutcome,
	WireWebhook,
} from './webhook.ts'

export interface ChatBotClientOptions {
	/** The developer access token, from the settings of ChatBot. */
	readonly token: string
	/** Base URL of the API: https, or http on this machine. Default: https://api.chatbot.com */
	readonly api?: string
	/** Makes the requests. Default: the `fetch` of the runtime. */
	readonly fetch?: typeof fetch
	/** Milliseconds for one attempt. Default: 30,000, because ChatBot calls a new webhook before it answers. */
	readonly timeout?: number
	/** Milliseconds for a request with its repetitions after 429. Default: 90,000. */
	readonly patience?: number
}

export interface CallOptions {
	/** Ends the call. */
	readonly signal?: AbortSignal
}

export interface ListOptions extends CallOptions {
	/** Called after each page with the number of webhooks read so far. */
	readonly onProgress?: (read: number) => void
}

/** What version 1 of the API offers here. It shows webhooks of stories that were built with the old builder. */
export interface OldWebhooks {
	list(options?: ListOptions): Promise<ListedWebhook[]>
	show(id: string, options?: CallOptions): Promise<Webhook>
}

/**
 * The webhooks of one ChatBot account. Every method throws a ChatBotError. A request is repeated after 429 only, so a
 * `create` that failed with `timeout`, `unreachable` or `failed` may have succeeded all the same.
 */
export interface ChatBotClient {
	/** All webhooks, in ChatBot's order. */
	list(options?: ListOptions): Promise<ListedWebhook[]>
	/** One webhook with its settings, secrets in clear. */
	show(id: string, options?: CallOptions): Promise<Webhook>
	/** Creates a webhook. ChatBot calls its URL before it answers, so it must be reachable and know the token. */
	create(webhook: NewWebhook, options?: CallOptions): Promise<Outcome & { readonly id: string }>
	/** Sets a webhook. Pass all that it should have: the documents do not say what becomes of settings that are left out. */
	update(id: string, settings: WebhookSettings, options?: CallOptions): Promise<Outcome>
	delete(id: string, options?: CallOptions): Promise<Outcome>
	readonly v1: OldWebhooks
}

const defaultApi = 'https://api.chatbot.com'
const paths = { v2: '/v2/integrations/webhook', v1: '/webhooks' } as const

/** Pages of a list. More are a mistake of the server, such as a page that names itself as the next. */
const maxPages = 1000

/** A client. Throws a ChatBotError if an option cannot be used. */
export function createChatBotClient(options: ChatBotClientOptions): ChatBotClient {
	const { token, timeout = 30_000, patience = 90_000 } = options
	// Not passed on as it is: on Workers, `fetch` must not be called as a method of another object.
	const send: typeof fetch = options.fetch ?? ((input, init) => fetch(input, init))
	// What else a header cannot hold would be thrown by `fetch`, together with the token.
	if (!/^[\x21-\x7e]+$/.test(token)) throw invalid('token', 'visible ASCII characters')
	const access: Access = { api: readApi(options.api ?? defaultApi), token, fetch: send, timeout, patience }

	const request = (request: Omit<ApiRequest, 'url'> & { readonly path: string }) =>
		callApi(access, { ...request, url: `${access.api}${request.path}` })

	async function list(path: string, { signal, onProgress }: ListOptions = {}): Promise<ListedWebhook[]> {
		const webhooks: ListedWebhook[] = []
		let url: string | undefined = `${access.api}${path}`
		for (let page = 0; url !== undefined; page++) {
			if (page === maxPages) throw new ChatBotError('answer-too-large')
			const reply: ApiReply = await callApi(access, { method: 'GET', url, signal })
			webhooks.push(...read(WireList, reply.json))
			onProgress?.(webhooks.length)
			url = nextPage(reply.headers, url)
		}
		return webhooks
	}

	async function show(path: string, id: string, { signal }: CallOptions = {}): Promise<Webhook> {
		const { json } = await request({ method: 'GET', path: pathOf(path, id), signal })
		return read(WireWebhook, json)
	}

	return {
		list: (options) => list(paths.v2, options),
		show: (id, options) => show(paths.v2, id, options),
		async create(webhook, { signal } = {}) {
			const body = check(NewWebhook, webhook)
			const { json } = await request({ method: 'POST', path: paths.v2, body, secrets: secretsOf(body), signal })
			return read(WireCreated, json)
		},
		async update(id, settings, { signal } = {}) {
			const path = pathOf(paths.v2, id)
			const body = check(WebhookSettings, settings)
			const { json } = await request({ method: 'PUT', path, body, secrets: secretsOf(body), signal })
			return read(WireOutcome, json ?? {})
		},
		async delete(id, { signal } = {}) {
			const { json } = await request({ method: 'DELETE', path: pathOf(paths.v2, id), signal })
			return read(WireOutcome, json ?? {})
		},
		v1: {
			list: (options) => list(paths.v1, options),
			show: (id, options) => show(paths.v1, id, options),
		},
	}
}

function invalid(field: string, expected: string): ChatBotError {
	return new ChatBotError('invalid-input', { field, expected })
}

const loopback = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/

/** The base URL without a slash at its end. */
function readApi(text: string): string {
	const url = URL.parse(text)
	const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && loopback.test(url.hostname))
	if (!url || !isSafe) throw invalid('api', 'an https URL, or an http URL of this machine')
	if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
		throw invalid('api', 'a URL without credentials, query and fragment')
	}
	return url.href.replace(/\/$/, '')
}

function pathOf(collection: string, id: string): string {
	return `${collection}/${check(WebhookId, id, ['id'])}`
}

/** The value as its schema has it, or an error that names the field. */
function check<S extends v.GenericSchema>(schema: S, value: unknown, at: readonly string[] = []): v.InferOutput<S> {
	return validated('invalid-input', schema, value, at)
}

function read<S extends v.GenericSchema>(schema: S, json: Json | undefined): v.InferOutput<S> {
	return validated('answer-invalid', schema, json, [])
}

function validated<S extends v.GenericSchema>(
	code: 'invalid-input' | 'answer-invalid',
	schema: S,
	value: unknown,
	at: readonly string[],
): v.InferOutput<S> {
	try {
		return validate(schema, value, at).wire
	} catch (thrown) {
		if (!(thrown instanceof GatewayError)) throw thrown
		const { field = '', expected } = thrown.context
		throw new ChatBotError(code, { field, ...(expected !== undefined && { expected }) })
	}
}

function secretsOf({ token = '', headers = {}, auth }: WebhookSettings): string[] {
	return [token, ...Object.values(headers), ...(auth ? [auth.username, auth.password] : [])]
}

/**
 * The next page of a list, where the answer names one (RFC 8288). The documents name no pages of webhooks. Throws for one
 * on another server, which must not get the token.
 */
function nextPage(headers: Headers, current: string): string | undefined {
	for (const [, target, parameters = ''] of (headers.get('link') ?? '').matchAll(/<([^<>]*)>([^<>]*)/g)) {
		if (!/;\s*rel\s*=\s*"?next\b/i.test(parameters)) continue
		const url = URL.parse(target ?? '', current)
		if (url?.origin === new URL(current).origin) return url.href
		throw new ChatBotError('answer-invalid', { field: 'link', expected: 'a URL of the same server' })
	}
	return undefined
}
