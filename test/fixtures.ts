/** Reads an adapter's fixtures: pinned payloads with their source, and what they mean. */
import { readdirSync, readFileSync } from 'node:fs'
import * as v from 'valibot'
import { type ErrorCode, errors } from '../src/errors.ts'
import type { Fields, PushCall, WireRequest, WireResponse } from '../src/format/index.ts'
import { CanonicalEvent, CanonicalReply, Json } from '../src/model/index.ts'
import { describeExpected } from '../src/schema/index.ts'

/** A wire message as a fixture writes it. */
export interface Written<Wire> {
	readonly wire: Wire
	/** Written as `json`: compared as a value, not as text. */
	readonly isJson: boolean
}

interface Pinned<Wire> {
	/** The file's name. */
	readonly name: string
	readonly note: string
	readonly source: string
	/** The adapter's options. */
	readonly options?: unknown
	/** The event that the reply leg answers. */
	readonly event: CanonicalEvent
	/** Of the leg for a backend of the same format. */
	readonly sameFormat?: boolean | undefined
	readonly wire: Wire
}

/** A payload that is read. */
export interface Fixture<Wire, Model> extends Pinned<Wire> {
	readonly canonical: Model
	/** Paths of what the model cannot say. */
	readonly unread: readonly string[]
	/** What we write for `canonical`; the same as `wire` unless the platform writes more than we do. */
	readonly encoded: Written<Wire>
}

/** A payload that is refused. */
export interface BadFixture<Wire> extends Pinned<Wire> {
	readonly error: { readonly code: ErrorCode; readonly field?: string | undefined }
}

/** What the fixtures of a push have in common with each other. */
interface PinnedPush {
	readonly name: string
	readonly note: string
	readonly source: string
	/** The adapter's options. */
	readonly options?: unknown
	/** Where the calls go, as the adapter's `push` writes it. */
	readonly address: Json
	readonly wire: readonly PushCall[]
}

/** Calls of a platform's API, and the reply that they push. */
interface PushFixture extends PinnedPush {
	readonly canonical: CanonicalReply
	/** Paths of what the model cannot say. */
	readonly unread: readonly string[]
	/** What we write for `canonical`; the same as `wire` unless there are more ways to say it. */
	readonly encoded: readonly PushCall[]
}

/** Calls that are refused. */
export interface BadPushFixture extends PinnedPush {
	readonly error: BadFixture<unknown>['error']
}

export interface Fixtures {
	readonly event: readonly Fixture<WireRequest, CanonicalEvent>[]
	readonly reply: readonly Fixture<WireResponse, CanonicalReply>[]
	readonly push: readonly PushFixture[]
	readonly badEvent: readonly BadFixture<WireRequest>[]
	readonly badReply: readonly BadFixture<WireResponse>[]
	readonly badPush: readonly BadPushFixture[]
}

const Pairs = v.array(v.strictTuple([v.string(), v.string()]))
const content = {
	headers: v.optional(Pairs, [['content-type', 'application/json']]),
	/** The body as a value, or where its text matters, as text; without either it is empty. */
	json: v.optional(v.unknown()),
	body: v.optional(v.string()),
}
const oneBody = <T extends { json?: unknown; body?: string | undefined }>() =>
	v.check<T, string>(({ json, body }) => json === undefined || body === undefined, 'has either json or body')
const Request = v.pipe(
	v.strictObject({ method: v.optional(v.string(), 'POST'), query: v.optional(Pairs, []), ...content }),
	oneBody(),
)
const Response = v.pipe(v.strictObject({ status: v.optional(v.number(), 200), ...content }), oneBody())

const Calls = v.array(
	v.pipe(
		v.strictObject({
			method: v.optional(v.string(), 'POST'),
			path: v.string(),
			lookup: v.optional(v.strictObject({ path: v.string(), name: v.string() })),
			...content,
			headers: v.optional(Pairs),
		}),
		oneBody(),
	),
)

const Words = v.pipe(v.string(), v.nonEmpty())
const minimal: CanonicalEvent = { kind: 'message', attributes: {} }
const Event: v.GenericSchema<unknown, CanonicalEvent> = CanonicalEvent
const pinned = { note: Words, source: Words, options: v.optional(v.unknown()), event: v.optional(Event, minimal) }
const pinnedPush = { note: Words, source: Words, options: v.optional(v.unknown()), address: Json, wire: Calls }
const Unread = v.optional(v.array(v.string()), [])
const Refusal = v.strictObject({
	code: v.custom<ErrorCode>((code) => String(code) in errors, 'is no error code'),
	field: v.optional(v.string()),
})

const files = {
	event: v.strictObject({
		...{ ...pinned, wire: Request, canonical: CanonicalEvent },
		...{ unread: Unread, encoded: v.optional(Request) },
	}),
	reply: v.strictObject({
		sameFormat: v.optional(v.boolean()),
		...{ ...pinned, wire: Response, canonical: CanonicalReply },
		...{ unread: Unread, encoded: v.optional(Response) },
	}),
	push: v.strictObject({ ...pinnedPush, canonical: CanonicalReply, unread: Unread, encoded: v.optional(Calls) }),
	'bad.push': v.strictObject({ ...pinnedPush, error: Refusal }),
	'bad.event': v.strictObject({ ...pinned, wire: Request, error: Refusal }),
	'bad.reply': v.strictObject({ ...pinned, wire: Response, error: Refusal }),
}

/**
 * All fixtures in a directory: `event.<what>.json`, `reply.<what>.json`, `push.<what>.json`, and `bad.…` of each.
 * Throws on other names, and on a fixture without a note or a source, or with a key that is not of the format.
 */
export function readFixtures(directory: URL): Fixtures {
	const found = readdirSync(directory).toSorted()
	const stray = found.filter((name) => !/^(bad\.)?(event|reply|push)\.[a-z0-9-]+\.json$/.test(name))
	if (stray.length > 0) throw new Error(`not the name of a fixture: ${stray.join(', ')}`)
	const all = <S extends v.GenericSchema>(kind: string, schema: S): { name: string; file: v.InferOutput<S> }[] =>
		found
			.filter((name) => name.startsWith(`${kind}.`))
			.map((name) => ({ name, file: read(new URL(name, `${directory.href.replace(/\/$/, '')}/`), name, schema) }))
	return {
		event: all('event', files.event).map(({ name, file: { wire, encoded = wire, ...rest } }) => ({
			...{ name, ...rest, wire: requestOf(wire) },
			encoded: { wire: requestOf(encoded), isJson: encoded.json !== undefined },
		})),
		reply: all('reply', files.reply).map(({ name, file: { wire, encoded = wire, ...rest } }) => ({
			...{ name, ...rest, wire: responseOf(wire) },
			encoded: { wire: responseOf(encoded), isJson: encoded.json !== undefined },
		})),
		push: all('push', files.push).map(({ name, file: { wire, encoded = wire, ...rest } }) => ({
			...{ name, ...rest, wire: wire.map(callOf), encoded: encoded.map(callOf) },
		})),
		badPush: all('bad.push', files['bad.push']).map(({ name, file }) => ({
			name,
			...file,
			wire: file.wire.map(callOf),
		})),
		badEvent: all('bad.event', files['bad.event']).map(({ name, file }) => ({
			name,
			...file,
			wire: requestOf(file.wire),
		})),
		badReply: all('bad.reply', files['bad.reply']).map(({ name, file }) => ({
			name,
			...file,
			wire: responseOf(file.wire),
		})),
	}
}

function requestOf({ method, query, headers, ...content }: v.InferOutput<typeof Request>): WireRequest {
	return { method, query, headers, body: bodyOf(content) }
}

function callOf({ method, path, lookup, headers, ...content }: v.InferOutput<typeof Calls>[number]): PushCall {
	const body = bodyOf(content)
	const ofBody: Fields = body === '' ? [] : [['content-type', 'application/json']]
	return { method, path, headers: headers ?? ofBody, body, ...(lookup && { lookup }) }
}

function responseOf({ status, headers, ...content }: v.InferOutput<typeof Response>): WireResponse {
	return { status, headers, body: bodyOf(content) }
}

function bodyOf({ json, body }: { json?: unknown; body?: string | undefined }): string {
	return json === undefined ? (body ?? '') : JSON.stringify(json)
}

function read<S extends v.GenericSchema>(file: URL, name: string, schema: S): v.InferOutput<S> {
	const value: unknown = JSON.parse(readFileSync(file, 'utf8'))
	const result = v.safeParse(schema, value)
	if (result.success) return result.output
	const faults = result.issues.map(
		(issue) =>
			`${v.getDotPath(issue) ?? 'the file'}: expected ${describeExpected(schema, value, issue) ?? issue.message}`,
	)
	throw new Error(`${name} is not a fixture: ${faults.join('; ')}`)
}
