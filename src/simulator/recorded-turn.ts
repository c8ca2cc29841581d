/** A turn as a file: what the platform sent, what the backend answered, and what the platform got. Replayed as a test. */
import * as v from 'valibot'
import type { WireRequest, WireResponse } from '../format/index.ts'

// Use only what JSON Schema can express: schema/recorded-turn.schema.json is generated from this file.
const Pairs = v.array(v.strictTuple([v.string(), v.string()]))
const content = {
	/** Headers by name, in order. Default: those of JSON. In an answer, only these are compared. */
	headers: v.optional(Pairs),
	/** The body as JSON; it is compared as a value. */
	json: v.optional(v.unknown()),
	/** The body as text. Without "json" and "body" it is empty. */
	body: v.optional(v.string()),
}

const RecordedRequest = v.strictObject({
	/** Default: POST. */
	method: v.optional(v.string()),
	/** Parameters of the query, in order. */
	query: v.optional(Pairs),
	...content,
})
type RecordedRequest = v.InferOutput<typeof RecordedRequest>

const RecordedResponse = v.strictObject({
	/** Default: 200. */
	status: v.optional(v.pipe(v.number(), v.integer())),
	...content,
})
type RecordedResponse = v.InferOutput<typeof RecordedResponse>

const Options = v.record(v.string(), v.unknown())

/** A recorded turn. It holds no secret: calls are replayed on a route that needs none. */
export const RecordedTurn = v.strictObject({
	/** JSON Schema of this file, for editors. */
	$schema: v.optional(v.string()),
	/** What the turn shows. */
	note: v.string(),
	/** A route of the configuration, which says the platform, its options and the format of the backend. */
	route: v.optional(v.string()),
	/** The platform, instead of a route. */
	platform: v.optional(v.string()),
	/** Its options. */
	options: v.optional(Options),
	/** The platform's call. */
	call: RecordedRequest,
	/** What the backend is asked and answers. Absent: it must not be called. */
	upstream: v.optional(
		v.strictObject({
			/** The format of the backend, instead of a route's. Default: "canonical". */
			adapter: v.optional(v.string()),
			/** Options of this format. */
			options: v.optional(Options),
			/** What the backend must be asked. Members of objects that are left out here, such as "turn", are not compared. */
			request: v.optional(RecordedRequest),
			/** What the backend answers. */
			response: RecordedResponse,
		}),
	),
	/** What the platform must get. */
	answer: RecordedResponse,
})
export type RecordedTurn = v.InferOutput<typeof RecordedTurn>

/** The call as the platform sends it. */
export function recordedCall({ method = 'POST', query = [], ...content }: RecordedRequest): WireRequest {
	return { method, query, ...contentOf(content) }
}

/** The answer of the backend. */
export function recordedAnswer({ status = 200, ...content }: RecordedResponse): WireResponse {
	return { status, ...contentOf(content) }
}

function contentOf({ headers, json, body }: Pick<RecordedResponse, 'headers' | 'json' | 'body'>) {
	const text = json === undefined ? (body ?? '') : JSON.stringify(json)
	return { headers: headers ?? (text === '' ? [] : [['content-type', 'application/json'] as const]), body: text }
}

/** A place where something else came than was recorded. Absent: there is nothing. */
export interface Difference {
	readonly path: string
	readonly recorded?: unknown
	readonly now?: unknown
}

/** Where an answer differs from the recorded one. */
export function compareAnswer(recorded: RecordedResponse, now: WireResponse): Difference[] {
	const { status = 200, headers = [] } = recorded
	return [
		...compare('answer.status', status, now.status, false),
		...headers.flatMap(([name, value]) => {
			const [, present] = now.headers.find(([each]) => each.toLowerCase() === name.toLowerCase()) ?? []
			return compare(`answer.headers.${name.toLowerCase()}`, value, present, false)
		}),
		...compareBody('answer', recorded, now.body, false),
	]
}

/** Where a request to the backend differs from the recorded one, as far as that says. */
export function compareRequest(recorded: RecordedRequest, now: WireRequest): Difference[] {
	const at = 'upstream.request'
	return [
		...(recorded.method === undefined ? [] : compare(`${at}.method`, recorded.method, now.method, false)),
		...(recorded.query === undefined ? [] : compare(`${at}.query`, recorded.query, now.query, false)),
		...compareBody(at, recorded, now.body, true),
	]
}

function compareBody(
	at: string,
	{ json, body = '' }: Pick<RecordedResponse, 'json' | 'body'>,
	now: string,
	partly: boolean,
): Difference[] {
	if (json === undefined) return compare(`${at}.body`, body, now, false)
	try {
		return compare(`${at}.json`, json, JSON.parse(now), partly)
	} catch {
		return [{ path: `${at}.json`, recorded: json, now }]
	}
}

/** The smallest parts that differ. `partly`: members that only the present value has do not count. */
function compare(path: string, recorded: unknown, now: unknown, partly: boolean): Difference[] {
	if (Array.isArray(recorded) && Array.isArray(now)) {
		const length = Math.max(recorded.length, now.length)
		return Array.from({ length }, (_, i) => compare(`${path}[${i}]`, recorded[i], now[i], partly)).flat()
	}
	if (isObject(recorded) && isObject(now)) {
		const names = new Set([...Object.keys(recorded), ...(partly ? [] : Object.keys(now))])
		return [...names].flatMap((name) => compare(`${path}.${name}`, recorded[name], now[name], partly))
	}
	if (Object.is(recorded, now)) return []
	return [{ path, ...(recorded !== undefined && { recorded }), ...(now !== undefined && { now }) }]
}

function isObject(value: unknown): value is { readonly [name: string]: unknown } {
	return typeof value === 'object' && value !== null && !Array.isArray(value)
}
