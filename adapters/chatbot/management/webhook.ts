/** Webhooks as ChatBot's API takes and gives them: strict where we send, lax where we read. */
import * as v from 'valibot'
import { compact, Id, nonEmpty, reservedKeys, WireOptionalText } from '../../../src/format/index.ts'

/** The adapter whose webhooks the API creates and updates. */
export const managedPlatform = 'chatbot-v2'

const text = (max: number) => v.pipe(v.string(), v.minLength(1), v.maxLength(max))

// RFC 9110, section 5.6.2. The platform sends these headers with each call; a line break would end one.
const HeaderName = v.pipe(v.string(), v.regex(/^[\w!#$%&'*+.^`|~-]{1,256}$/, 'must be a valid header name'))
const HeaderValue = v.pipe(v.string(), v.regex(/^[\t\x20-\x7e]*$/, 'must be ASCII without control characters'))

const settings = {
	/** Shown in ChatBot; 1 to 128 characters. */
	name: text(128),
	/** Absolute, http or https; 1 to 1,024 characters. */
	url: v.pipe(text(1024), v.check(isHttp, 'must be an absolute http or https URL')),
	/** Comes with each call as `?token=`; 1 to 1,024 characters. */
	token: v.optional(text(1024)),
	/** Come with each call; 1 to 10 headers. */
	headers: v.optional(
		v.pipe(
			v.unknown(),
			// valibot would leave them out.
			v.check((headers) => !hasReservedKey(headers), `must have no header called ${[...reservedKeys].join(', ')}`),
			v.record(HeaderName, HeaderValue),
			v.minEntries(1),
			v.maxEntries(10),
		),
	),
	/** Basic authentication, which comes with each call; 1 to 1,024 characters each. */
	auth: v.optional(v.strictObject({ username: text(1024), password: text(1024) })),
}

/** What `update` takes: all of a webhook that can be set. */
export const WebhookSettings = v.strictObject(settings)
export type WebhookSettings = v.InferOutput<typeof WebhookSettings>

/** What `create` takes: the settings, and the story that the webhook belongs to, by its id of 24 characters. */
export const NewWebhook = v.strictObject({ storyId: v.pipe(v.string(), v.length(24)), ...settings })
export type NewWebhook = v.InferOutput<typeof NewWebhook>

/** An id where a path needs one. The documents say 24 characters, and print ids of 25. */
export const WebhookId = v.pipe(v.string(), v.regex(/^[\w-]{1,64}$/, 'must be letters and digits, usually 24'))

/** The last failure of a webhook. */
export interface WebhookFailure {
	readonly message: string
	/** When, as ChatBot writes it. Absent: ChatBot does not say. */
	readonly at?: string
}

// Version 2 writes false, null or a string; version 1 an empty string, or an object with a date.
const Failure = v.pipe(v.optional(v.unknown()), v.transform(readFailure))

const Story = v.pipe(
	v.nullish(v.object({ id: v.nullish(Id), name: WireOptionalText })),
	v.transform((story): { readonly id: string; readonly name?: string } | undefined => {
		const id = nonEmpty(story?.id)
		return id === undefined ? undefined : compact({ id, name: nonEmpty(story?.name) })
	}),
)

/** A text that should be there. Without it a webhook can still be shown and deleted. */
const WireLabel = v.pipe(
	v.nullish(v.union([v.string(), v.number(), v.literal(false)]), ''),
	v.transform((text) => (text === false ? '' : String(text))),
)

const summary = {
	id: v.pipe(Id, v.nonEmpty()),
	story: Story,
	name: WireLabel,
	url: WireLabel,
	error: Failure,
	// Texts, because the documents themselves print times that do not exist.
	createdAt: WireOptionalText,
	updatedAt: WireOptionalText,
}

const Headers = v.pipe(v.optional(v.unknown()), v.transform(readHeaders))

const Auth = v.pipe(
	v.nullish(v.object({ username: WireOptionalText, password: WireOptionalText })),
	v.transform((auth) => {
		const { username = '', password = '' } = auth ?? {}
		return username === '' && password === '' ? undefined : { username, password }
	}),
)

/** A webhook in a list. */
export interface ListedWebhook {
	readonly id: string
	/** Absent in version 1. */
	readonly story?: { readonly id: string; readonly name?: string }
	readonly name: string
	readonly url: string
	/** Absent: the last call succeeded, or there was none. */
	readonly error?: WebhookFailure
	/** As ChatBot writes it; absent in version 1. */
	readonly createdAt?: string
	readonly updatedAt?: string
}

/** A webhook with its settings, secrets in clear. */
export interface Webhook extends ListedWebhook {
	readonly token?: string
	readonly headers?: { readonly [name: string]: string }
	readonly auth?: { readonly username: string; readonly password: string }
}

/** What ChatBot answers to a change. */
export interface Outcome {
	/** As ChatBot writes it. */
	readonly timestamp?: string
	readonly status?: { readonly code?: number; readonly type?: string }
}

export const WireList = v.array(
	v.pipe(
		v.object(summary),
		v.transform((wire): ListedWebhook => compact(wire)),
	),
)

export const WireWebhook = v.pipe(
	v.object({ ...summary, token: WireOptionalText, headers: Headers, auth: Auth }),
	v.transform(({ token, ...wire }): Webhook => compact({ ...wire, token: nonEmpty(token) })),
)

const outcome = {
	timestamp: WireOptionalText,
	status: v.nullish(v.object({ code: v.nullish(v.number()), type: WireOptionalText })),
}

const readOutcome = ({ timestamp, status }: v.InferOutput<v.ObjectSchema<typeof outcome, undefined>>): Outcome =>
	compact({ timestamp, status: status ? compact({ code: status.code ?? undefined, type: status.type }) : undefined })

export const WireOutcome = v.pipe(v.object(outcome), v.transform(readOutcome))

export const WireCreated = v.pipe(
	v.object({ id: v.pipe(Id, v.nonEmpty()), ...outcome }),
	v.transform(({ id, ...rest }) => ({ id, ...readOutcome(rest) })),
)

function hasReservedKey(value: unknown): boolean {
	return isObject(value) && [...reservedKeys].some((key) => Object.hasOwn(value, key))
}

function isHttp(url: string): boolean {
	const parsed = URL.parse(url)
	return parsed !== null && /^https?:$/.test(parsed.protocol)
}

function readFailure(error: unknown): WebhookFailure | undefined {
	if (typeof error === 'string') return error === '' ? undefined : { message: error }
	if (error === true) return { message: 'not said' }
	if (!isObject(error)) return undefined
	const { message, date } = error
	if (typeof message !== 'string' || message === '') return undefined
	return compact({ message, at: typeof date === 'string' ? nonEmpty(date) : undefined })
}

/** Version 2 gives an object, version 1 a list of objects whose members are not documented. */
function readHeaders(headers: unknown): { readonly [name: string]: string } | undefined {
	const listed = Array.isArray(headers) ? headers.filter(isObject).flatMap(headerOf) : []
	const pairs = isObject(headers) ? Object.entries(headers) : listed
	const fields = pairs.flatMap(([name, value]) => (isScalar(value) ? [[name, String(value)] as const] : []))
	return fields.length === 0 ? undefined : Object.fromEntries(fields)
}

function headerOf(header: { readonly [key: string]: unknown }): [name: string, value: unknown][] {
	const name = header.name ?? header.key
	return typeof name === 'string' ? [[name, header.value]] : Object.entries(header)
}

function isScalar(value: unknown): value is string | number | boolean {
	return ['string', 'number', 'boolean'].includes(typeof value)
}

function isObject(value: unknown): value is { readonly [key: string]: unknown } {
	return typeof value === 'object' && value !== null && !Array.isArray(value)
}
