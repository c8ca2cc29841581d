/**
 * ChatBot's Webhooks API, simulated from its documents, as far as the client uses it: https://www.chatbot.com/docs/webhooks/
 * for version 2, https://www.chatbot.com/docsv1/webhooks/ for version 1.
 */
import * as v from 'valibot'
import {
	type ApiAnswer,
	type ApiCall,
	bodyAsJson,
	type Callback,
	GatewayError,
	jsonResponse,
	type ManagementApiOptions,
	type SimulatedManagementApi,
	validate,
	type WireResponse,
} from '../../../src/format/index.ts'
import { webhook } from '../webhook.ts'

// The sizes stand here once more, as the documents print them: the client is tested against this copy.
const text = (max: number) => v.pipe(v.string(), v.minLength(1), v.maxLength(max))
const settings = {
	name: text(128),
	url: text(1024),
	token: v.optional(text(1024)),
	headers: v.optional(v.pipe(v.record(v.string(), v.string()), v.minEntries(1), v.maxEntries(10))),
	auth: v.optional(v.object({ username: text(1024), password: text(1024) })),
}
const Creation = v.object({ storyId: v.pipe(v.string(), v.length(24)), ...settings })
const Update = v.object(settings)

interface Stored extends v.InferOutput<typeof Update> {
	readonly id: string
	readonly storyId: string
	readonly createdAt: string
	readonly updatedAt: string
}

/** Webhooks of one account. The documents name no limit. */
const maxWebhooks = 1000

/** Calls in a minute. The documents name no limit; this one lets a client try what it does with a 429. */
const maxCalls = 60
const minute = 60_000

const collection = '/v2/integrations/webhook'
const oldCollection = '/webhooks'

/** An account without webhooks. Both versions of the API show the same ones. */
export function simulatedApi({ now, newId, token }: ManagementApiOptions): SimulatedManagementApi {
	const webhooks = new Map<string, Stored>()
	let window = { from: Number.NEGATIVE_INFINITY, calls: 0 }

	const timestamp = () => new Date(now()).toISOString()
	const show = (body: object): ApiAnswer => ({ response: jsonResponse(body) })
	const done = (code: number, type: string, note: string, more: object = {}): ApiAnswer => {
		return { response: jsonResponse({ ...more, timestamp: timestamp(), status: { code, type } }, code), note }
	}
	const refuse = (code: number, type: string, message: string): ApiAnswer => {
		return { response: jsonResponse({ timestamp: timestamp(), status: { code, type, message } }, code) }
	}
	const unknown = () => refuse(404, 'not found', 'No such resource')
	const missing = () => refuse(404, 'not found', 'No such webhook')

	return {
		answer(call) {
			const wait = overRate()
			if (wait !== undefined) {
				const { response } = refuse(429, 'too many requests', 'Rate limit exceeded')
				return { response: { ...response, headers: [...response.headers, ['retry-after', String(wait)]] } }
			}
			if (!isAuthorized(call)) return refuse(401, 'unauthorized', 'Invalid access token')
			const [path = ''] = call.path.split('?')
			if (path === collection) return onCollection(call)
			if (path === oldCollection && call.method === 'GET') {
				return show([...webhooks.values()].map(({ id, name, url }) => ({ id, name, url, error: '' })))
			}
			const [base, id] = splitPath(path)
			if (base === collection) return onOne(call, id)
			if (base === oldCollection && call.method === 'GET') return showOld(id)
			return unknown()
		},
	}

	/** Counts a call. Returns after how many seconds to come again, if there were too many. */
	function overRate(): number | undefined {
		const time = now()
		if (time - window.from >= minute) window = { from: time, calls: 0 }
		window.calls++
		return window.calls > maxCalls ? Math.ceil((window.from + minute - time) / 1000) : undefined
	}

	function isAuthorized({ headers }: ApiCall): boolean {
		const given = /^bearer +(\S+)$/i.exec(headers.find(([name]) => name === 'authorization')?.[1] ?? '')?.[1]
		return given !== undefined && (token === undefined || given === token)
	}

	function onCollection(call: ApiCall): ApiAnswer | Callback {
		if (call.method === 'GET') {
			return show([...webhooks.values()].map((each) => ({ ...summaryOf(each), error: false })))
		}
		return call.method === 'POST' ? create(call) : unknown()
	}

	function onOne(call: ApiCall, id: string): ApiAnswer {
		if (id.length !== 24) return refuse(400, 'bad request', '"id" length must be 24 characters long')
		const stored = webhooks.get(id)
		if (!stored) return missing()
		switch (call.method) {
			case 'GET': {
				const { token, headers, auth } = stored
				return show({ ...summaryOf(stored), token, headers, auth, error: null })
			}
			case 'PUT':
				return withBody(call, Update, (changed) => {
					// What a PUT leaves out is gone, as HTTP defines the method; the documents do not say.
					const { storyId, createdAt } = stored
					webhooks.set(id, { ...changed, id, storyId, createdAt, updatedAt: timestamp() })
					return done(200, 'success', `webhook ${id} updated`)
				})
			case 'DELETE':
				webhooks.delete(id)
				return done(200, 'success', `webhook ${id} deleted`)
			default:
				return unknown()
		}
	}

	function showOld(id: string): ApiAnswer {
		const stored = webhooks.get(id)
		if (!stored) return missing()
		const { name, url, token = '', headers = {}, auth = { username: '', password: '' } } = stored
		const list = Object.entries(headers).map(([header, value]) => ({ name: header, value }))
		return show({ id, name, url, token, headers: list, auth, error: null })
	}

	function create(call: ApiCall): ApiAnswer | Callback {
		return withBody(call, Creation, (created): ApiAnswer | Callback => {
			if (!/^https?:$/.test(URL.parse(created.url)?.protocol ?? '')) {
				return refuse(400, 'bad request', '"url" must be a valid uri')
			}
			if (webhooks.size >= maxWebhooks) return refuse(400, 'bad request', 'Too many webhooks')
			const challenge = newId()
			const verification = webhook.handshake(challenge)
			// https://chatbot.com/help/webhooks/verification-request
			const query = [...verification.call.query, ...(created.token ? [['token', created.token] as const] : [])]
			return {
				url: created.url,
				call: { ...verification.call, query },
				deadline: webhook.deadline,
				settle(outcome) {
					const failure = describeFailure(outcome, verification.accepts)
					if (failure !== undefined) {
						const note = `webhook "${created.name}" not created: the verification call failed: ${failure}`
						return { ...refuse(400, 'bad request', `Webhook verification failed: ${failure}`), note }
					}
					const id = newId().replaceAll('-', '').slice(0, 24)
					const createdAt = timestamp()
					webhooks.set(id, { ...created, id, createdAt, updatedAt: createdAt })
					return done(201, 'created', `webhook ${id} created: "${created.name}" answered the challenge`, { id })
				},
			}
		})
	}

	function withBody<S extends v.GenericSchema, T>(
		call: ApiCall,
		schema: S,
		act: (body: v.InferOutput<S>) => T,
	): T | ApiAnswer {
		try {
			return act(validate(schema, bodyAsJson(call)).wire)
		} catch (thrown) {
			if (!(thrown instanceof GatewayError)) throw thrown
			const { field = '', expected } = thrown.context
			const words =
				field === '' ? 'Invalid request body' : `"${field}" ${expected ? `must be ${expected}` : 'is invalid'}`
			return refuse(400, 'bad request', words)
		}
	}
}

function splitPath(path: string): [base: string, id: string] {
	const end = path.lastIndexOf('/')
	return [path.slice(0, end), path.slice(end + 1)]
}

function summaryOf({ id, storyId, name, url, createdAt, updatedAt }: Stored): object {
	return { id, story: { id: storyId, name: 'Simulated story' }, name, url, createdAt, updatedAt }
}

/** Why a verification failed, in the words that ChatBot stores as a webhook's error. */
function describeFailure(
	outcome: WireResponse | 'timeout' | 'unreachable',
	accepts: (answer: WireResponse) => boolean,
): string | undefined {
	if (outcome === 'timeout') return `timeout of ${webhook.deadline}ms exceeded`
	if (outcome === 'unreachable') return 'connect ECONNREFUSED'
	if (outcome.status < 200 || outcome.status > 299) return `Request failed with status code ${outcome.status}`
	return accepts(outcome) ? undefined : 'the answer is not the challenge'
}
