/** The schema of the configuration file, without the rules between its parts, which routes.ts and upstreams.ts check. */
import * as v from 'valibot'

// Use only what JSON Schema can express: config/gateway.schema.json is generated from this file, with the comments of
// members as their descriptions.
const secretForm = '{ "env": "NAME" }'
const notHere = 'put the secret in an environment variable and its name here'

/** A secret. Its value is in an environment variable, never in this file. */
export const Secret = v.strictObject(
	{
		/** Name of the environment variable that holds the secret. */
		env: v.pipe(v.string(), v.nonEmpty()),
	},
	`must be ${secretForm}: ${notHere}`,
)
export type Secret = v.InferOutput<typeof Secret>

const listForm = `must be a list such as [${secretForm}]: ${notHere}`
const Secrets = v.pipe(v.array(Secret, listForm), v.nonEmpty())

const Milliseconds = v.pipe(v.number('must be a number of milliseconds'), v.integer(), v.minValue(1))
const Bytes = v.pipe(v.number('must be a number of bytes'), v.integer())

const Options = v.record(v.string(), v.unknown())

/** A backend, and how to call it. */
export const Upstream = v.strictObject({
	/**
	 * URL of the backend: absolute, http or https; a query is kept. "builtin:demo" is a demo bot inside the
	 * gateway.
	 */
	url: v.pipe(v.string(), v.nonEmpty()),
	/** The format that the backend speaks. Default: "canonical", the JSON of the gateway. */
	adapter: v.optional(v.string()),
	/** Options of this format; see the README of its adapter. */
	options: v.optional(Options),
	/**
	 * The first secret authenticates our calls to the backend in the way of its format: in the query, a header or
	 * the path.
	 */
	secrets: v.optional(Secrets),
	/** Headers to add to every call. A value is text, or a secret in an environment variable. */
	headers: v.optional(
		v.record(v.string(), v.union([v.string(), Secret], `must be a string, or ${secretForm} for a secret`)),
	),
	/**
	 * Timeout of a call in milliseconds, at most an hour. Default: 9000. Limited by the deadline of the platform,
	 * unless the route has "late".
	 */
	timeout: v.optional(v.pipe(Milliseconds, v.maxValue(3_600_000))),
	/** A second URL of the same backend, called while the first is unreachable or keeps failing. */
	backup: v.optional(v.pipe(v.string(), v.nonEmpty())),
	/**
	 * Connect to public IP addresses only, whatever the name resolves to. Use it when the URL comes from someone
	 * you do not fully trust.
	 */
	public: v.optional(v.boolean()),
	/** Maximum number of concurrent calls; further calls fail immediately instead of waiting. Default: 500. */
	concurrency: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1))),
	/**
	 * Keys that sign every call (Standard Webhooks): "whsec_" and 24 to 64 bytes in base64. List several to rotate
	 * them.
	 */
	sign: v.optional(v.union([Secrets, v.strictObject({ secrets: Secrets })], listForm)),
})
export type Upstream = v.InferOutput<typeof Upstream>

const Replies = v.record(
	v.string(),
	v.unknown(),
	'must be a reply such as {"messages": [{"type": "text", "text": "…"}]}, or replies by language',
)

const PublicUrl = v.pipe(v.string(), v.nonEmpty())

/** A route: where a platform calls, and what to do with its calls. */
export const Route = v.strictObject({
	/** Name of the route in logs and below /-/carries/: lower-case letters, digits and hyphens. */
	name: v.pipe(v.string(), v.regex(/^[a-z0-9-]+$/, 'must be of lower-case letters, digits and hyphens')),
	/**
	 * Path that the platform calls, such as "/shop". If the format cannot authenticate its calls, the secret is
	 * appended as one more segment.
	 */
	path: v.string(),
	/** The format of the platform, or several that share this URL. The first that recognises a call handles it. */
	platform: v.union([v.string(), v.pipe(v.array(v.string()), v.nonEmpty())]),
	/** Options of the format. For a list of formats: an object that holds the options of each under its name. */
	options: v.optional(Options),
	/** Secrets that authenticate the calls of the platform. Any of them is accepted; list two to rotate. */
	secrets: v.optional(Secrets),
	/** Backend of this route. Default: the upstream for all routes. */
	upstream: v.optional(Upstream),
	/**
	 * What to do with a value that a format cannot express: "degrade" (default) converts it to a simpler form,
	 * "strict" makes it an error.
	 */
	policy: v.optional(v.picklist(['degrade', 'strict'])),
	/**
	 * What the user gets when a turn fails: a reply such as {"messages": [{"type": "text", "text": "..."}]}, or
	 * replies by language, {"en": reply, "*": reply}.
	 */
	failure: v.optional(Replies),
	/**
	 * A holding reply, sent when the backend is late. The gateway keeps waiting for the backend until its
	 * "timeout".
	 */
	late: v.optional(
		v.strictObject({
			/** Milliseconds after the platform's call; limited by the platform's deadline. */
			after: Milliseconds,
			/** A reply, or replies by language, as in "failure". */
			reply: Replies,
			/**
			 * What to do with the late answer: put it before the next reply of its conversation ("next-turn",
			 * default), "push" it through the API of the platform, or "drop" it. A push needs the address of that API in
			 * the options of the platform, and an outbox.
			 */
			answer: v.optional(v.picklist(['next-turn', 'push', 'drop'])),
		}),
	),
	/**
	 * Maximum bytes of the body of a call, at most 8 MiB. Default: 1 MiB, or what the platform needs. The larger a call
	 * is, the longer it takes the gateway's only thread.
	 */
	maxBody: v.optional(v.pipe(Bytes, v.minValue(1024), v.maxValue(8_388_608))),
	/** The backend treats calls with the same id as one, so a call that got no response may be retried. */
	idempotent: v.optional(v.boolean()),
	/** Public URL of the gateway for this route, where it differs from that of the others. */
	publicUrl: v.optional(PublicUrl),
	/** Accept calls without a secret. Not needed while the gateway listens on localhost. */
	open: v.optional(v.literal(true)),
	/** Report what was changed in the response header "dragoman-changes". */
	debug: v.optional(v.boolean()),
	/** Pass the platform's original call to the backend as turn.raw, with secrets redacted. */
	raw: v.optional(v.boolean()),
})
export type Route = v.InferOutput<typeof Route>

const durationForm = 'must be a duration such as "30m": a whole number and ms, s, m, h or d'
/** Such as `30m`; units: ms, s, m, h, d. */
const Duration = v.pipe(v.string(durationForm), v.regex(/^\d{1,6}(?:ms|s|m|h|d)$/, durationForm))

/** A PostgreSQL database. */
export const Postgres = v.strictObject({
	/**
	 * Name of the environment variable that holds the URL of the database, such as
	 * postgresql://user:password@host/database. TLS is set in the URL, with "sslmode".
	 */
	env: v.pipe(v.string(), v.nonEmpty()),
	/** Bring the tables up to date at the start, as "dragoman outbox migrate" does. Default: false. */
	migrate: v.optional(v.boolean()),
})
export type Postgres = v.InferOutput<typeof Postgres>

/** The storage for accepted events, and their delivery. It has either "file" or "postgres". */
export const Outbox = v.strictObject({
	/**
	 * File for accepted events: on a local disk, used by this gateway only. A relative path starts at the folder in which
	 * the gateway is started.
	 */
	file: v.optional(v.pipe(v.string(), v.nonEmpty())),
	/** Database for accepted events, which several gateways share. Node only. */
	postgres: v.optional(Postgres),
	/**
	 * Encrypts stored events: 32 bytes in base64. To rotate, give a list: the first key encrypts, all of them
	 * decrypt.
	 */
	key: v.optional(v.union([Secret, Secrets])),
	/**
	 * Maximum size in bytes of the file, or of the events in the database; when it is full, platforms get a 503.
	 * Default: 1073741824.
	 */
	maxBytes: v.optional(v.pipe(Bytes, v.minValue(1_048_576))),
	/**
	 * Delay before each attempt, such as "5s" or "30m", with ±20 % jitter. Default: 0s, 5s, 5m, 30m, 2h, 5h, 10h,
	 * 10h. After the last attempt the event is a dead letter.
	 */
	schedule: v.optional(v.pipe(v.array(Duration), v.nonEmpty())),
	/** An event that is older than this becomes a dead letter at its next failed attempt. Default: 3d. */
	expiry: v.optional(Duration),
	/**
	 * While an event fails, later events of its conversation wait for it ("block", default) or are delivered first
	 * ("overtake").
	 */
	order: v.optional(v.picklist(['block', 'overtake'])),
	/** Maximum number of concurrent deliveries per route. Default: 16. */
	concurrency: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1000))),
	/** Retention of events that need no more attempts. */
	retention: v.optional(
		v.strictObject({
			/** How long to keep delivered events. Default: 0s, not at all. */
			delivered: v.optional(Duration),
			/** How long to keep dead letters. Default: 30d. */
			dead: v.optional(Duration),
			/**
			 * Maximum size in bytes of delivered and dead events together; the oldest are deleted first.
			 * Default: half of the maximum size of the outbox.
			 */
			maxBytes: v.optional(v.pipe(Bytes, v.minValue(0))),
		}),
	),
})
export type Outbox = v.InferOutput<typeof Outbox>

/** The URLs to which the backend sends replies by itself. */
export const ReplyUrl = v.strictObject({
	/**
	 * Keys that seal the URLs: 32 bytes in base64. The first seals, all of them open. List two to rotate them.
	 */
	keys: Secrets,
	/** How long a URL can be used, at least "1m". Default: 3d. */
	expiry: v.optional(Duration),
})
export type ReplyUrl = v.InferOutput<typeof ReplyUrl>

/** The limits that can be changed. Every limit is in docs/limits.md. */
export const Limits = v.strictObject({
	/**
	 * Maximum bytes of all bodies of calls that are being read at the same time; beyond it, callers get a 503.
	 * Default: 67108864, and 33554432 on Workers.
	 */
	bodiesAtOnce: v.optional(
		// Half of it must hold the largest body of any format.
		v.pipe(Bytes, v.minValue(16_777_216)),
	),
})
export type Limits = v.InferOutput<typeof Limits>

const portForm = 'must be a number from 0 to 65535, or { "env": "NAME" }'

/** An environment variable that holds no secret. */
const Variable = v.strictObject({ env: v.pipe(v.string(), v.nonEmpty()) })

/** Where metrics are read. */
export const Metrics = v.strictObject({
	/**
	 * Port, or the environment variable that holds it, {"env": "NAME"}, where several gateways of one machine share this
	 * file. Prometheus knows 9464 as the port of exporters.
	 */
	port: v.union([v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(65_535)), Variable], portForm),
	/** Address to listen on. Default: 127.0.0.1, this machine only. Nobody is asked for a secret there. */
	host: v.optional(v.pipe(v.string(), v.nonEmpty())),
})
export type Metrics = v.InferOutput<typeof Metrics>

/** Where several Nodes share the state of their conversations: it has either "postgres" or "valkey". */
export const State = v.strictObject({
	/** A PostgreSQL database, which may be that of the outbox. */
	postgres: v.optional(Postgres),
	/** URL of a Valkey or Redis server, such as "valkey://:PASSWORD@HOST:6379"; "valkeys" and "rediss" use TLS. */
	valkey: v.optional(Secret),
	/**
	 * Timeout of each round trip, at most "10s", after which a turn goes on as if nothing were known of its conversation.
	 * Default: 250ms.
	 */
	timeout: v.optional(Duration),
})
export type State = v.InferOutput<typeof State>

/** The configuration of a gateway. */
export const Config = v.strictObject({
	/** JSON Schema of this file, for editors. */
	$schema: v.optional(v.string()),
	/** Backend of all routes that do not have their own. */
	upstream: v.optional(Upstream),
	/**
	 * Modules with adapters of your own, such as "./my-platform.ts", relative to this file. What a module exports with
	 * "defineAdapter" can be named like any other adapter.
	 */
	adapters: v.optional(v.array(v.pipe(v.string(), v.nonEmpty()))),
	/** The routes that platforms call. */
	routes: v.pipe(v.array(Route), v.nonEmpty()),
	/**
	 * URL at which the gateway is reached from outside, such as "https://bots.example.com": absolute, http or https. A
	 * path is kept, for a proxy in front that takes it off.
	 */
	publicUrl: v.optional(PublicUrl),
	/**
	 * Gives each event of a conversation a "turn.replyUrl", to which the backend can send replies later. Needs
	 * "publicUrl".
	 */
	replyUrl: v.optional(ReplyUrl),
	/** Limits of the gateway. */
	limits: v.optional(Limits),
	/** Serves metrics for Prometheus at /metrics, on a port of their own. Node only. Default: no metrics. */
	metrics: v.optional(Metrics),
	/**
	 * Durable storage for events whose answer the platform does not read, and for replies that are pushed: they are
	 * acknowledged once stored, then delivered. Without it, such events are acknowledged once the backend accepted them,
	 * and nothing can be pushed.
	 */
	outbox: v.optional(Outbox),
	/**
	 * Shares what is remembered of conversations between several gateways: answers to repeated calls, open choices, late
	 * replies. Node only. Default: each process remembers it in its own memory.
	 */
	state: v.optional(State),
})
export type Config = v.InferOutput<typeof Config>
