/** The four dialects of a call, which differ by what in the platform makes it. They are told apart by the keys of the body. */
import * as v from 'valibot'
import { type CanonicalEvent, GatewayError, type Json, validate } from '../../src/format/index.ts'

/** The name under which the adapter is known, and under which its native parts stand. */
export const name = 'pingstreams'

/**
 * `runtime`: an intent of a bot in the current engine (Tiledesk/tiledesk-chatbot, engine/TiledeskChatbot.js).
 * `server`: an intent in the older one (Tiledesk/tiledesk-server, services/faqBotSupport.js).
 * `external`: a bot that is nothing but a URL (services/BotSubscriptionNotifier.js).
 * `subscription`: a webhook on the events of a project (services/subscriptionNotifier.js).
 * The first two read the answer.
 */
export const Dialect = v.picklist(['runtime', 'server', 'external', 'subscription'])
export type Dialect = v.InferOutput<typeof Dialect>

/** Whether the answer to a call of this dialect reaches the user. */
export function readsAnswers(dialect: Dialect): dialect is 'runtime' | 'server' {
	return dialect === 'runtime' || dialect === 'server'
}

/** What a call is, before it is read. `documented`: the few fields that the documentation prints, where the text is the reply. */
export type Form = Dialect | 'documented'

const Some = v.union([v.string(), v.number()])
const Hooked = v.object({ hook: v.object({}) })
const Subscribed = v.object({ hook: v.object({ event: v.string() }) })
const Native = v.object({ payload: v.object({ message: v.object({}) }) })
const ToRuntime = v.union([v.object({ payload: v.object({ botId: Some }) }), v.object({ variables: v.object({}) })])
const ToServer = v.object({ payload: v.object({ text: v.string(), intent: v.object({}) }) })
/** What is really sent: a message with its id, or the static reply in a place of its own. */
const Sent = v.object({
	payload: v.union([v.object({ message: v.object({ _id: Some }) }), v.object({ text: v.string() })]),
})
const Bare = v.object({ payload: v.object({ request: v.object({}) }) })

/** The form of a body, or undefined when it is of none. */
export function formOf(body: Json): Form | undefined {
	if (v.is(Subscribed, body)) return 'subscription'
	if (v.is(Hooked, body)) return 'external'
	if (!v.is(Native, body)) return v.is(Bare, body) ? 'external' : undefined
	if (v.is(ToRuntime, body)) return 'runtime'
	if (v.is(ToServer, body)) return 'server'
	return v.is(Sent, body) ? 'runtime' : 'documented'
}

/** The form of a body. Throws the error that names the field for want of which it has none. */
export function requireForm(body: Json): Form {
	const form = formOf(body)
	if (form) return form
	validate(Native, body)
	throw new GatewayError('format-not-recognised')
}

const Told = v.object({ [name]: v.object({ dialect: Dialect }) })

/** The dialect of an event: what it says itself, else the usual one. */
export function dialectOf({ extensions }: CanonicalEvent, usual: Dialect): Dialect {
	return v.is(Told, extensions) ? extensions[name].dialect : usual
}
