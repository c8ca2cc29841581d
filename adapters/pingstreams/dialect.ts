/** The four dialects of a call: one for each part of the platform that calls. The keys of the body tell them apart. */
import * as v from 'valibot'
import {
	type CanonicalEvent,
	GatewayError,
	Id,
	type Json,
	matches,
	validate,
	WireText,
} from '../../src/format/index.ts'

/** The name of the adapter, and of its native parts. */
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

/** A dialect whose caller reads the answer. */
export type AnsweredDialect = 'runtime' | 'server'

/** Whether the answer to a call of this dialect reaches the user. */
export function readsAnswers(dialect: Dialect): dialect is AnsweredDialect {
	return dialect === 'runtime' || dialect === 'server'
}

/** The shape of a call's body. `documented`: the few fields that the documentation prints, where the text is the reply. */
export type Form = Dialect | 'documented'

const WithHook = v.object({ hook: v.object({}) })
const WithHookEvent = v.object({ hook: v.object({ event: v.string() }) })
const WithMessage = v.object({ payload: v.object({ message: v.object({}) }) })
const FromRuntime = v.union([v.object({ payload: v.object({ botId: Id }) }), v.object({ variables: v.object({}) })])
const FromServer = v.object({ payload: v.object({ text: WireText, intent: v.object({}) }) })
/** What the platform really sends: a message with its id, or the static reply in a field of its own. */
const AsSent = v.object({
	payload: v.union([v.object({ message: v.object({ _id: Id }) }), v.object({ text: WireText })]),
})
const WithRequest = v.object({ payload: v.object({ request: v.object({}) }) })

/** The form of a body; undefined when it has none. */
export function formOf(body: Json): Form | undefined {
	if (matches(WithHookEvent, body)) return 'subscription'
	if (matches(WithHook, body)) return 'external'
	if (!matches(WithMessage, body)) return matches(WithRequest, body) ? 'external' : undefined
	if (matches(FromRuntime, body)) return 'runtime'
	if (matches(FromServer, body)) return 'server'
	return matches(AsSent, body) ? 'runtime' : 'documented'
}

/** The form of a body. When it has none, throws the error that names the missing field. */
export function requireForm(body: Json): Form {
	const form = formOf(body)
	if (form) return form
	validate(WithMessage, body)
	throw new GatewayError('format-not-recognised')
}

const WithDialect = v.object({ [name]: v.object({ dialect: Dialect }) })

/** The dialect of an event: the one it names, else the default. */
export function dialectOf({ extensions }: CanonicalEvent, defaultDialect: Dialect): Dialect {
	return matches(WithDialect, extensions) ? extensions[name].dialect : defaultDialect
}
