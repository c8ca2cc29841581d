/** The schema of the configuration file, without the rules between its parts, which routes.ts and upstreams.ts check. */
import * as v from 'valibot'

// Use only what JSON Schema can express: config/gateway.schema.json is generated from this file.
const described = <S extends v.GenericSchema>(schema: S, text: string) => v.pipe(schema, v.description(text))

const secretForm = '{ "env": "NAME" }'
const notHere = 'put the secret in an environment variable and its name here'

/** A reference to a secret: the name of an environment variable. */
export const Secret = described(
	v.strictObject(
		{ env: described(v.pipe(v.string(), v.nonEmpty()), 'Name of the environment variable that holds the secret.') },
		`must be ${secretForm}: ${notHere}`,
	),
	'A secret. Its value is in an environment variable, never in this file.',
)
export type Secret = v.InferOutput<typeof Secret>

const listForm = `must be a list such as [${secretForm}]: ${notHere}`
const Secrets = v.pipe(v.array(Secret, listForm), v.nonEmpty())

const Options = v.record(v.string(), v.unknown())

/** A backend, and how to call it. */
export const Upstream = v.strictObject({
	url: described(
		v.pipe(v.string(), v.nonEmpty()),
		'URL of the backend: absolute, http or https; a query is kept. "builtin:demo" is a demo bot inside the gateway.',
	),
	adapter: v.optional(
		described(v.string(), 'The format that the backend speaks. Default: "canonical", the JSON of the gateway.'),
	),
	options: v.optional(described(Options, 'Options of this format; see the README of its adapter.')),
	secrets: v.optional(
		described(
			Secrets,
			'The first secret authenticates our calls to the backend in the way of its format: in the query, a header or the path.',
		),
	),
	headers: v.optional(
		described(
			v.record(v.string(), v.union([v.string(), Secret], `must be a string, or ${secretForm} for a secret`)),
			'Headers to add to every call. A value is text, or a secret in an environment variable.',
		),
	),
	timeout: v.optional(
		described(
			v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(3_600_000)),
			'Timeout of a call in milliseconds, at most an hour. Default: 9000. Limited by the deadline of the platform, unless the route has "late".',
		),
	),
	backup: v.optional(
		described(
			v.pipe(v.string(), v.nonEmpty()),
			'A second URL of the same backend, called while the first is unreachable or keeps failing.',
		),
	),
	public: v.optional(
		described(
			v.boolean(),
			'Connect to public IP addresses only, whatever the name resolves to. Use it when the URL comes from someone you do not fully trust.',
		),
	),
	concurrency: v.optional(
		described(
			v.pipe(v.number(), v.integer(), v.minValue(1)),
			'Maximum number of concurrent calls; further calls fail immediately instead of waiting. Default: 500.',
		),
	),
	sign: v.optional(
		described(
			v.union([Secrets, v.strictObject({ secrets: Secrets })], listForm),
			'Keys that sign every call (Standard Webhooks): "whsec_" and 24 to 64 bytes in base64. List several to rotate them.',
		),
	),
})
export type Upstream = v.InferOutput<typeof Upstream>

/** A route: where a platform calls, and what to do with its calls. */
export const Route = v.strictObject({
	name: described(
		v.pipe(v.string(), v.regex(/^[a-z0-9-]+$/)),
		'Name of the route in logs and below /-/carries/: lower-case letters, digits and hyphens.',
	),
	path: described(
		v.string(),
		'Path that the platform calls, such as "/shop". If the format cannot authenticate its calls, the secret is appended as one more segment.',
	),
	platform: described(
		v.union([v.string(), v.pipe(v.array(v.string()), v.nonEmpty())]),
		'The format of the platform, or several that share this URL. The first that recognises a call handles it.',
	),
	options: v.optional(
		described(
			Options,
			'Options of the format. For a list of formats: an object that holds the options of each under its name.',
		),
	),
	secrets: v.optional(
		described(
			Secrets,
			'Secrets that authenticate the calls of the platform. Any of them is accepted; list two to rotate.',
		),
	),
	upstream: v.optional(described(Upstream, 'Backend of this route. Default: the upstream for all routes.')),
	policy: v.optional(
		described(
			v.picklist(['degrade', 'strict']),
			'What to do with a value that a format cannot express: "degrade" (default) converts it to a simpler form, "strict" makes it an error.',
		),
	),
	failure: v.optional(
		described(
			v.record(v.string(), v.unknown()),
			'What the user gets when a turn fails: a reply such as {"messages": [{"type": "text", "text": "..."}]}, or replies by language, {"en": reply, "*": reply}.',
		),
	),
	late: v.optional(
		described(
			v.strictObject({
				after: described(
					v.pipe(v.number(), v.integer(), v.minValue(1)),
					"Milliseconds after the platform's call; limited by the platform's deadline.",
				),
				reply: described(v.record(v.string(), v.unknown()), 'A reply, or replies by language, as in "failure".'),
				answer: v.optional(
					described(
						v.picklist(['next-turn', 'drop']),
						'What to do with the late answer: put it before the next reply of its conversation ("next-turn", default), or "drop" it.',
					),
				),
			}),
			'A holding reply, sent when the backend is late. The gateway keeps waiting for the backend until its "timeout".',
		),
	),
	idempotent: v.optional(
		described(
			v.boolean(),
			'The backend treats calls with the same id as one, so a call that got no response may be retried.',
		),
	),
	open: v.optional(
		described(v.literal(true), 'Accept calls without a secret. Not needed while the gateway listens on localhost.'),
	),
	debug: v.optional(described(v.boolean(), 'Report what was changed in the response header "dragoman-changes".')),
	raw: v.optional(
		described(v.boolean(), "Pass the platform's original call to the backend as turn.raw, with secrets redacted."),
	),
})
export type Route = v.InferOutput<typeof Route>

/** Such as `30m`; units: ms, s, m, h, d. */
const Duration = v.pipe(v.string(), v.regex(/^\d{1,6}(?:ms|s|m|h|d)$/))

/** The storage for accepted events, and their delivery. */
export const Outbox = v.strictObject({
	file: described(
		v.pipe(v.string(), v.nonEmpty()),
		'File for accepted events: on a local disk, used by this gateway only.',
	),
	key: v.optional(
		described(
			v.union([Secret, Secrets]),
			'Encrypts stored events: 32 bytes in base64. To rotate, give a list: the first key encrypts, all of them decrypt.',
		),
	),
	maxBytes: v.optional(
		described(
			v.pipe(v.number(), v.integer(), v.minValue(1_048_576)),
			'Maximum size of the file in bytes; when it is full, platforms get a 503. Default: 1073741824.',
		),
	),
	schedule: v.optional(
		described(
			v.pipe(v.array(Duration), v.nonEmpty()),
			'Delay before each attempt, such as "5s" or "30m", with ±20 % jitter. Default: 0s, 5s, 5m, 30m, 2h, 5h, 10h, 10h. After the last attempt the event is a dead letter.',
		),
	),
	expiry: v.optional(
		described(
			Duration,
			'An event that is older than this becomes a dead letter at its next failed attempt. Default: 3d.',
		),
	),
	order: v.optional(
		described(
			v.picklist(['block', 'overtake']),
			'While an event fails, later events of its conversation wait for it ("block", default) or are delivered first ("overtake").',
		),
	),
	concurrency: v.optional(
		described(
			v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1000)),
			'Maximum number of concurrent deliveries per route. Default: 16.',
		),
	),
	retention: v.optional(
		described(
			v.strictObject({
				delivered: v.optional(described(Duration, 'How long to keep delivered events. Default: 0s, not at all.')),
				dead: v.optional(described(Duration, 'How long to keep dead letters. Default: 30d.')),
				maxBytes: v.optional(
					described(
						v.pipe(v.number(), v.integer(), v.minValue(0)),
						'Maximum size in bytes of delivered and dead events together; the oldest are deleted first. Default: half of the maximum size of the file.',
					),
				),
			}),
			'Retention of events that need no more attempts.',
		),
	),
})
export type Outbox = v.InferOutput<typeof Outbox>

/** The limits that can be changed. Every limit is in docs/limits.md. */
export const Limits = v.strictObject({
	bodiesAtOnce: v.optional(
		described(
			// Half of it must hold the largest body of any format.
			v.pipe(v.number(), v.integer(), v.minValue(16_777_216)),
			'Maximum bytes of all bodies of calls that are being read at the same time; beyond it, callers get a 503. Default: 67108864, and 33554432 on Workers.',
		),
	),
})
export type Limits = v.InferOutput<typeof Limits>

/** The configuration of a gateway. */
export const Config = v.strictObject({
	$schema: v.optional(described(v.string(), 'JSON Schema of this file, for editors.')),
	upstream: v.optional(described(Upstream, 'Backend of all routes that do not have their own.')),
	routes: described(v.pipe(v.array(Route), v.nonEmpty()), 'The routes that platforms call.'),
	limits: v.optional(described(Limits, 'Limits of the gateway.')),
	outbox: v.optional(
		described(
			Outbox,
			'Durable storage for events whose answer the platform does not read: they are acknowledged once stored, then delivered. Without it, they are acknowledged once the backend accepted them.',
		),
	),
})
export type Config = v.InferOutput<typeof Config>
