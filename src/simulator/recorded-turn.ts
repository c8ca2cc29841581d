/** A turn as a file: what the platform sent, what the backend answered, and what the platform got. Replayed as a test. */
import * as v from 'valibot'
import type { PushCall, WireRequest, WireResponse } from '../format/index.ts'

/** A schema with words for editors, which the JSON Schema has as "description". */
function described<const Schema extends v.GenericSchema>(schema: Schema, words: string) {
	return v.pipe(schema, v.description(words))
}

// Use only what JSON Schema can express: schema/recorded-turn.schema.json is generated from this file.
const Pairs = v.array(v.strictTuple([v.string(), v.string()]))
const content = {
	headers: v.optional(
		described(
			Pairs,
			'Headers by name, in order. Default: those of JSON. In an answer or a push, only these are compared.',
		),
	),
	json: v.optional(described(v.unknown(), 'The body as JSON; it is compared as a value.')),
	body: v.optional(described(v.string(), 'The body as text. Without "json" and "body" it is empty.')),
}

const RecordedRequest = v.strictObject({
	method: v.optional(described(v.string(), 'The method of HTTP. Default: POST.')),
	query: v.optional(described(Pairs, 'Parameters of the query, in order.')),
	...content,
})
type RecordedRequest = v.InferOutput<typeof RecordedRequest>

const RecordedResponse = v.strictObject({
	status: v.optional(described(v.pipe(v.number(), v.integer()), 'The status of HTTP. Default: 200.')),
	...content,
})
type RecordedResponse = v.InferOutput<typeof RecordedResponse>

const RecordedPush = v.strictObject({
	method: v.optional(described(v.string(), 'The method of HTTP. Default: POST.')),
	path: described(v.string(), "What stands behind the base URL of the platform's API."),
	lookup: v.optional(
		described(
			v.strictObject({
				path: described(v.string(), 'The path of the GET.'),
				name: described(v.string(), 'The name by which to search its answer.'),
			}),
			'The GET that comes before the call, to complete it. It is not made.',
		),
	),
	...content,
})
type RecordedPush = v.InferOutput<typeof RecordedPush>

const Options = v.record(v.string(), v.unknown())

/** A recorded turn. It holds no secret: calls are replayed on a route that needs none. */
export const RecordedTurn = v.strictObject({
	$schema: v.optional(described(v.string(), 'JSON Schema of this file, for editors.')),
	note: described(v.string(), 'What the turn shows.'),
	route: v.optional(
		described(
			v.string(),
			'A route of the configuration, which says the platform, its options and the format of the backend.',
		),
	),
	platform: v.optional(described(v.string(), 'The platform, instead of a route.')),
	options: v.optional(described(Options, 'Its options.')),
	call: described(RecordedRequest, "The platform's call."),
	upstream: v.optional(
		described(
			v.strictObject({
				adapter: v.optional(
					described(v.string(), 'The format of the backend, instead of a route\'s. Default: "canonical".'),
				),
				options: v.optional(described(Options, 'Options of this format.')),
				request: v.optional(
					described(
						RecordedRequest,
						'What the backend must be asked. Members of objects that are left out here, such as "turn", are not compared.',
					),
				),
				response: described(RecordedResponse, 'What the backend answers.'),
			}),
			'What the backend is asked and answers. Absent: it must not be called.',
		),
	),
	answer: described(RecordedResponse, 'What the platform must get.'),
	pushes: v.optional(
		described(
			v.array(RecordedPush),
			"The calls to the platform's API that must push the reply, in order. They are not made. Of their headers, those that are listed are compared. Absent: what is pushed is not compared.",
		),
	),
	turnId: v.optional(
		described(v.string(), 'The id of the turn, by which one of several "alternatives" of a text is picked.'),
	),
	ignore: v.optional(
		described(
			v.array(v.string()),
			'Paths of what changes by nature, such as an order number, as differences are printed: "answer.json.messages[0].text". They are not compared, nor is anything below them.',
		),
	),
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

/** The differences that the turn does not ignore. */
export function countingDifferences({ ignore = [] }: RecordedTurn, differences: readonly Difference[]): Difference[] {
	const isAt = (path: string, ignored: string) =>
		path.startsWith(ignored) && /^(?:$|[.[])/.test(path.slice(ignored.length))
	return differences.filter(({ path }) => !ignore.some((ignored) => isAt(path, ignored)))
}

/** Where an answer differs from the recorded one. */
export function compareAnswer(recorded: RecordedResponse, now: WireResponse): Difference[] {
	return [
		...compare('answer.status', recorded.status ?? 200, now.status, false),
		...compareHeaders('answer', recorded, now),
		...compareBody('answer', recorded, now.body, false),
	]
}

/** Where the calls that push a reply differ from the recorded ones, if there are any. */
export function comparePushes({ pushes: recorded }: RecordedTurn, now: readonly PushCall[]): Difference[] {
	if (!recorded) return []
	const length = Math.max(recorded.length, now.length)
	return Array.from({ length }, (_, i) => comparePush(`pushes[${i}]`, recorded[i], now[i])).flat()
}

function comparePush(at: string, recorded: RecordedPush | undefined, now: PushCall | undefined): Difference[] {
	if (!recorded || !now) return [{ path: at, ...(recorded && { recorded }), ...(now && { now: asRecorded(now) }) }]
	const { method = 'POST', path, lookup } = recorded
	return [
		...compare(`${at}.method`, method, now.method, false),
		...compare(`${at}.path`, path, now.path, false),
		...compare(`${at}.lookup`, lookup, now.lookup, false),
		...compareHeaders(at, recorded, now),
		...compareBody(at, recorded, now.body, false),
	]
}

/** The call as a file has it. */
function asRecorded({ method, path, lookup, body }: PushCall): RecordedPush {
	return { ...(method !== 'POST' && { method }), path, ...(lookup && { lookup }), ...bodyAsRecorded(body) }
}

function bodyAsRecorded(body: string): Pick<RecordedPush, 'json' | 'body'> {
	try {
		return { json: JSON.parse(body) }
	} catch {
		return body === '' ? {} : { body }
	}
}

function compareHeaders(
	at: string,
	{ headers = [] }: Pick<RecordedResponse, 'headers'>,
	now: Pick<WireResponse, 'headers'>,
): Difference[] {
	return headers.flatMap(([name, value]) => {
		const [, present] = now.headers.find(([each]) => each.toLowerCase() === name.toLowerCase()) ?? []
		return compare(`${at}.headers.${name.toLowerCase()}`, value, present, false)
	})
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
