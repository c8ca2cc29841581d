/** The body of a call, whichever its dialect, as one shape: Tiledesk/tiledesk-server, models/message.js, request.js, lead.js. */
import * as v from 'valibot'
import { type Attributes, type Json, validate, WireAttributes } from '../../src/format/index.ts'
import { type Dialect, requireForm } from './dialect.ts'
import { Metadata } from './file.ts'

const text = v.nullish(v.string())
const id = v.nullish(v.pipe(v.union([v.string(), v.number()]), v.transform(String)))
const channel = v.nullish(v.object({ name: text }))

const Request = v.object({
	request_id: id,
	id_project: id,
	language: text,
	channel,
	draft: v.nullish(v.boolean()),
	sourcePage: text,
	department: v.nullish(v.object({ _id: id, name: text })),
	lead: v.nullish(v.object({ lead_id: id, fullname: text, email: text, phone: id, attributes: WireAttributes })),
	attributes: WireAttributes,
})
const Message = v.object({
	_id: id,
	id_project: id,
	createdAt: text,
	sender: id,
	senderFullname: text,
	recipient: id,
	language: text,
	channel,
	type: text,
	text,
	metadata: Metadata,
	// The payload is the page's own: anything.
	attributes: v.nullish(v.object({ action: text, subtype: text, payload: v.optional(v.unknown()) })),
	request: v.nullish(Request),
})
const Bot = v.object({ _id: id, name: text, id_project: id, project_id: id })
const Intent = v.object({ intent_id: id, intent_display_name: text, question: text, answer: text })

/** Proves the origin, and is nobody else's business. */
const token = v.optional(v.unknown())
const NativeCall = v.object({
	payload: v.object({
		botId: id,
		text,
		message: Message,
		bot: v.nullish(Bot),
		intent: v.nullish(Intent),
	}),
	variables: WireAttributes,
	token,
})
const hook = v.nullish(v.object({ ...Bot.entries, event: text }))
const timestamp = v.nullish(v.number())
const MessageCall = v.object({ payload: Message, hook, timestamp, token })
/** What happened to something else than a message, such as a conversation. */
const RequestCall = v.object({ payload: Request, hook, timestamp, token })

export type Message = v.InferOutput<typeof Message>
type Bot = v.InferOutput<typeof Bot>

/** What a call says, in the platform's own words. */
export interface Call {
	readonly dialect: Dialect
	/** What happened, where that is told. */
	readonly event?: string | undefined
	/** Whether it happened to a message; else of the message there is the request only. */
	readonly isMessage: boolean
	readonly message: Message
	/** Where the message stands. */
	readonly at: string
	readonly bot?: Partial<Bot> | undefined
	readonly botId?: string | undefined
	readonly intent?: v.InferOutput<typeof Intent> | undefined
	/** What the bot would say by itself. */
	readonly staticReply?: string | undefined
	readonly variables: Attributes
	/** Milliseconds since 1970, when the call was made. */
	readonly timestamp?: number | undefined
	readonly unread: readonly string[]
}

/** Throws `field-missing` or `field-invalid` for a body of no dialect, or of one with a field that is not as it has it. */
export function readCall(body: Json): Call {
	const form = requireForm(body)
	return form === 'external' || form === 'subscription' ? readHookCall(body, form) : readNativeCall(body, form)
}

function readNativeCall(body: Json, form: 'runtime' | 'server' | 'documented'): Call {
	const { wire, unread } = validate(NativeCall, body)
	const { payload } = wire
	const { message, intent } = payload
	return {
		dialect: form === 'server' ? 'server' : 'runtime',
		isMessage: true,
		// The documentation's text is the static reply; in every call that was seen it is what the user said.
		message: form === 'documented' ? { ...message, text: undefined } : message,
		at: 'payload.message',
		bot: payload.bot ?? undefined,
		botId: payload.botId ?? undefined,
		intent: intent ?? undefined,
		staticReply: (form === 'documented' ? message.text : (intent?.answer ?? payload.text)) ?? undefined,
		variables: wire.variables,
		unread: shorten(unread, ['payload.bot', 'payload.intent', 'payload.message', 'payload.message.request']),
	}
}

function readHookCall(body: Json, dialect: 'external' | 'subscription'): Call {
	const { event, ...owner } = validate(v.object({ hook }), body).wire.hook ?? {}
	const isMessage = dialect === 'external' || event?.startsWith('message.') === true
	const { message, timestamp, unread } = isMessage ? readMessage(body) : readRequest(body)
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

interface Hooked {
	readonly message: Message
	readonly timestamp: number | null | undefined
	readonly unread: string[]
}

function readMessage(body: Json): Hooked {
	const { wire, unread } = validate(MessageCall, body)
	return { message: wire.payload, timestamp: wire.timestamp, unread }
}

function readRequest(body: Json): Hooked {
	const { wire, unread } = validate(RequestCall, body)
	return { message: { request: wire.payload }, timestamp: wire.timestamp, unread }
}

/** What the documents of the platform's database hold beside what is read, as one path a document: it is a hundred members. */
function shorten(paths: readonly string[], documents: readonly string[]): string[] {
	const shortened = paths.map((path) => {
		const document = documents.findLast((each) => path.startsWith(`${each}.`))
		return document === undefined ? path : `${document}.*`
	})
	return [...new Set(shortened)]
}
