/** The body of a call of any dialect, as one shape: Tiledesk/tiledesk-server, models/message.js, request.js, lead.js. */
import * as v from 'valibot'
import {
	type Attributes,
	Id,
	type Json,
	validate,
	WireAttributes,
	WireFlag,
	WireJson,
	WireNumber,
	WireOptionalText,
	wireList,
	wireObject,
} from '../../../src/format/index.ts'
import { type AnsweredDialect, type Dialect, requireForm } from '../dialect.ts'
import { Metadata } from '../media.ts'

const text = WireOptionalText
const id = v.nullish(Id)
const number = v.nullish(WireNumber)
const channel = wireObject(v.object({ name: text }))
// What has a default is copied to hold it.
const attributes = v.optional(WireAttributes)

// The members of each have the order in which they are encoded: what comes in another one is copied.

const Request = v.object({
	request_id: id,
	id_project: id,
	language: text,
	lead: wireObject(v.object({ lead_id: id, fullname: text, email: text, phone: id, attributes })),
	draft: WireFlag,
	department: wireObject(v.object({ _id: id, name: text })),
	channel,
	sourcePage: text,
	attributes,
	status: number,
	rating: number,
	rating_message: text,
	tags: v.nullish(wireList(v.unknown())),
})
const Message = v.object({
	_id: id,
	type: text,
	text,
	metadata: Metadata,
	// The payload is whatever the page sends.
	attributes: wireObject(v.object({ action: text, subtype: text, payload: v.optional(WireJson) })),
	createdAt: text,
	channel,
	sender: id,
	senderFullname: text,
	recipient: id,
	id_project: id,
	request: wireObject(Request),
	language: text,
})
const Bot = v.object({ _id: id, name: text, id_project: id, project_id: id })
const Intent = v.object({ intent_id: id, intent_display_name: text, question: text, answer: text })

/** Proves the origin, and is of no use to a backend. */
const token = v.optional(v.unknown())
const IntentCall = v.object({
	payload: v.object({
		botId: id,
		text,
		bot: wireObject(Bot),
		message: Message,
		intent: wireObject(Intent),
	}),
	variables: attributes,
	token,
})
const hook = wireObject(v.object({ ...Bot.entries, event: text }))
const HookCall = v.object({ hook })
const timestamp = number
const MessageCall = v.object({ payload: Message, hook, timestamp, token })
/** An event of a conversation, not of a message. */
const RequestCall = v.object({ payload: Request, hook, timestamp, token })

export type Message = v.InferOutput<typeof Message>
type Bot = v.InferOutput<typeof Bot>

/** A call's members, with the platform's own names. */
export interface Call {
	readonly dialect: Dialect
	/** The name of a subscription's event. */
	readonly event?: string | undefined
	/** Whether there is a message; otherwise `message` has no member but the request. */
	readonly isMessage: boolean
	readonly message: Message
	/** The path of the message. */
	readonly at: string
	readonly bot?: Partial<Bot> | undefined
	readonly botId?: string | undefined
	readonly intent?: v.InferOutput<typeof Intent> | undefined
	/** What the bot would answer without a webhook. */
	readonly staticReply?: string | undefined
	readonly variables: Attributes
	/** When the call was made, in milliseconds since 1970. */
	readonly timestamp?: number | undefined
	readonly unread: readonly string[]
}

/** Throws `field-missing` or `field-invalid` for a body of no dialect, or with a field of the wrong type. */
export function decodeCall(body: Json): Call {
	const form = requireForm(body)
	return form === 'external' || form === 'subscription' ? decodeHookCall(body, form) : decodeIntentCall(body, form)
}

function decodeIntentCall(body: Json, form: AnsweredDialect | 'documented'): Call {
	const { wire, unread } = validate(IntentCall, body)
	const { payload } = wire
	const { message, intent } = payload
	return {
		dialect: form === 'server' ? 'server' : 'runtime',
		isMessage: true,
		// In the documentation's sample the text is the static reply; in every real call it is what the user said.
		message: form === 'documented' ? { ...message, text: undefined } : message,
		at: 'payload.message',
		bot: payload.bot ?? undefined,
		botId: payload.botId ?? undefined,
		intent: intent ?? undefined,
		staticReply: (form === 'documented' ? message.text : (intent?.answer ?? payload.text)) ?? undefined,
		variables: wire.variables ?? {},
		unread: shorten(unread, ['payload.bot', 'payload.intent', 'payload.message', 'payload.message.request']),
	}
}

function decodeHookCall(body: Json, dialect: 'external' | 'subscription'): Call {
	const { event, ...owner } = validate(HookCall, body).wire.hook ?? {}
	const isMessage = dialect === 'external' || event?.startsWith('message.') === true
	const { message, timestamp, unread } = isMessage ? decodeHookMessage(body) : decodeRequest(body)
	return {
		dialect,
		event: dialect === 'subscription' ? (event ?? undefined) : undefined,
		isMessage,
		message,
		at: 'payload',
		// A subscription belongs to a project, and to no bot.
		bot: dialect === 'external' ? owner : { id_project: owner.id_project },
		variables: {},
		timestamp: timestamp ?? undefined,
		unread: shorten(unread, ['hook', 'payload', 'payload.request']),
	}
}

interface HookPayload {
	readonly message: Message
	readonly timestamp: number | null | undefined
	readonly unread: string[]
}

function decodeHookMessage(body: Json): HookPayload {
	const { wire, unread } = validate(MessageCall, body)
	return { message: wire.payload, timestamp: wire.timestamp, unread }
}

function decodeRequest(body: Json): HookPayload {
	const { wire, unread } = validate(RequestCall, body)
	return { message: { request: wire.payload }, timestamp: wire.timestamp, unread }
}

/** The unread members of the platform's database documents, one path a document: each has about a hundred. */
function shorten(paths: readonly string[], documents: readonly string[]): readonly string[] {
	if (paths.length === 0) return paths
	const shortened = paths.map((path) => {
		const document = documents.findLast((each) => path.startsWith(`${each}.`))
		return document === undefined ? path : `${document}.*`
	})
	return [...new Set(shortened)]
}
