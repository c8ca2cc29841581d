/** The shape of the configuration file; what one part means for another is checked in resolve.ts. */
import * as v from 'valibot'

// Only what has a counterpart in JSON Schema stands here: config/gateway.schema.json is made from it.
const described = <S extends v.GenericSchema>(schema: S, text: string) => v.pipe(schema, v.description(text))

const secretForm = '{ "env": "NAME" }'
const notHere = 'the secret itself does not stand here'

export const Secret = described(
	v.strictObject(
		{ env: described(v.pipe(v.string(), v.nonEmpty()), 'Name of the environment variable that holds it.') },
		`must be ${secretForm}: ${notHere}`,
	),
	'A secret: it stands in an environment variable, never in this file.',
)
export type Secret = v.InferOutput<typeof Secret>

const listForm = `must be a list such as [${secretForm}]: ${notHere}`
const Secrets = v.pipe(v.array(Secret, listForm), v.nonEmpty())

const Options = v.record(v.string(), v.unknown())

export const Upstream = v.strictObject({
	url: described(
		v.pipe(v.string(), v.nonEmpty()),
		'Where the backend is called: absolute, http or https, a query is kept. "builtin:demo" answers inside the gateway.',
	),
	adapter: v.optional(
		described(v.string(), 'The format that the backend speaks. Default: "canonical", the JSON of the gateway itself.'),
	),
	options: v.optional(described(Options, 'Options of that format; see the README of its adapter.')),
	secrets: v.optional(
		described(
			Secrets,
			'The first one proves our calls to the backend, as its format does it: in a query, a header, the path.',
		),
	),
	headers: v.optional(
		described(
			v.record(v.string(), v.union([v.string(), Secret], `must be a string, or ${secretForm} for a secret`)),
			'Added to every call. A value is text, or a secret in an environment variable.',
		),
	),
	timeout: v.optional(
		described(
			v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(3_600_000)),
			'Milliseconds the backend is given, an hour at most. Default: 9000; never more than the platform leaves, unless the route has "late".',
		),
	),
	backup: v.optional(
		described(
			v.pipe(v.string(), v.nonEmpty()),
			'The same backend at another address, called while the first one cannot be reached or keeps failing.',
		),
	),
	public: v.optional(
		described(
			v.boolean(),
			'It may be at a public address only, whatever its name resolves to: for URLs that come from hands you trust less than this file.',
		),
	),
	concurrency: v.optional(
		described(
			v.pipe(v.number(), v.integer(), v.minValue(1)),
			'Calls under way at once; what comes beyond fails at once instead of waiting. Default: 500.',
		),
	),
	sign: v.optional(
		described(
			v.union([Secrets, v.strictObject({ secrets: Secrets })], listForm),
			'Keys that sign every call by Standard Webhooks: "whsec_" and base64 of 24 to 64 bytes. Several while a key is replaced.',
		),
	),
})
export type Upstream = v.InferOutput<typeof Upstream>

export const Route = v.strictObject({
	name: described(
		v.pipe(v.string(), v.regex(/^[a-z0-9-]+$/)),
		'Names the route in logs and at /-/carries/NAME: lower-case letters, digits and hyphens.',
	),
	path: described(
		v.string(),
		'Where the platform calls, such as "/shop". Formats without a proof of origin are called one segment deeper: the segment is the secret.',
	),
	platform: described(
		v.union([v.string(), v.pipe(v.array(v.string()), v.nonEmpty())]),
		'The format of the platform, or several that share this URL: the first that recognises a call takes it.',
	),
	options: v.optional(
		described(Options, 'Options of the format; for a list of formats, an object of options by the name of the format.'),
	),
	secrets: v.optional(
		described(Secrets, 'What the platform proves its calls with. Each of them holds: two while one is replaced.'),
	),
	upstream: v.optional(described(Upstream, 'A backend of its own. Default: the one for all routes.')),
	policy: v.optional(
		described(
			v.picklist(['degrade', 'strict']),
			'What happens to a value that a format cannot express: "degrade" (default) shows a plainer form, "strict" makes it an error.',
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
					"Milliseconds after the platform's call; at most what the platform leaves.",
				),
				reply: described(v.record(v.string(), v.unknown()), 'A reply, or replies by language, as in "failure".'),
				answer: v.optional(
					described(
						v.picklist(['next-turn', 'drop']),
						'What becomes of the late answer: it stands before the next reply of its conversation ("next-turn", default), or it is dropped.',
					),
				),
			}),
			'What the user gets when the backend is late; the backend is heard out for as long as its "timeout" says.',
		),
	),
	idempotent: v.optional(
		described(
			v.boolean(),
			'The backend takes a call that comes twice with the same id for one: it is called again when its answer never began.',
		),
	),
	open: v.optional(
		described(
			v.literal(true),
			'Anybody may call: without it, a route needs a secret unless the gateway listens on this machine only.',
		),
	),
	debug: v.optional(
		described(v.boolean(), 'Answers tell in the header "dragoman-changes" what was changed on the way.'),
	),
	raw: v.optional(
		described(v.boolean(), "The backend gets the platform's call as it came, secrets redacted, as turn.raw."),
	),
})
export type Route = v.InferOutput<typeof Route>

const Duration = v.pipe(v.string(), v.regex(/^\d{1,6}(?:ms|s|m|h|d)$/))

export const Outbox = v.strictObject({
	file: described(
		v.pipe(v.string(), v.nonEmpty()),
		'Where accepted events are stored: a file on a local disk, of this gateway alone.',
	),
	key: v.optional(
		described(
			v.union([Secret, Secrets]),
			'Encrypts what is stored: base64 of 32 bytes. In a list the first one seals, and each of them opens, while a key is replaced.',
		),
	),
	maxBytes: v.optional(
		described(
			v.pipe(v.number(), v.integer(), v.minValue(1_048_576)),
			'Bytes that the file may have; when it is full, platforms get a 503. Default: 1073741824.',
		),
	),
	schedule: v.optional(
		described(
			v.pipe(v.array(Duration), v.nonEmpty()),
			'The wait before each attempt, such as "5s" or "30m", a fifth more or less. Default: 0s, 5s, 5m, 30m, 2h, 5h, 10h, 10h. After the last one the event is a dead letter.',
		),
	),
	expiry: v.optional(
		described(Duration, 'An attempt that fails when the event is older than this was the last one. Default: 3d.'),
	),
	order: v.optional(
		described(
			v.picklist(['block', 'overtake']),
			'While an event fails, the later ones of its conversation wait for it ("block", default) or go before it ("overtake").',
		),
	),
	concurrency: v.optional(
		described(
			v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1000)),
			'Deliveries under way at once, for each route. Default: 16.',
		),
	),
	retention: v.optional(
		described(
			v.strictObject({
				delivered: v.optional(described(Duration, 'How long delivered events are kept. Default: 0s, not at all.')),
				dead: v.optional(described(Duration, 'How long dead letters are kept. Default: 30d.')),
				maxBytes: v.optional(
					described(
						v.pipe(v.number(), v.integer(), v.minValue(0)),
						'Bytes of delivered and dead events together; beyond, the oldest go. Default: half of what the file may have.',
					),
				),
			}),
			'What is kept of events that need no more attempts.',
		),
	),
})
export type Outbox = v.InferOutput<typeof Outbox>

/** The configuration of a gateway: where platforms call, and whom the gateway calls. */
export const Config = v.strictObject({
	$schema: v.optional(described(v.string(), 'Lets an editor help with this file.')),
	upstream: v.optional(described(Upstream, 'The backend of all routes that name none of their own.')),
	routes: described(v.pipe(v.array(Route), v.nonEmpty()), 'Where platforms call.'),
	outbox: v.optional(
		described(
			Outbox,
			'Stores events whose answer no platform reads, acknowledges them then, and delivers them. Without it they are acknowledged when the backend took them.',
		),
	),
})
export type Config = v.InferOutput<typeof Config>
