/** The four dialects of a call: one for each part of the platform that calls. The keys of the body tell them apart. */
import * as v from 'valibot'
import { type CanonicalEvent, GatewayError, type Json, matches, validate } from '../../src/format/index.ts'

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

const WithMessage = v.object({ payload: v.object({ message: v.object({}) }) })

/** The form of a body; undefined when it has none. */
export function formOf(body: Json): Form | undefined {
	const { hook, payload, variables } = membersOf(body)
	if (isObject(hook)) return typeof membersOf(hook).event === 'string' ? 'subscription' : 'external'
	const { message, request, botId, text, intent } = membersOf(payload)
	if (!isObject(message)) return isObject(request) ? 'external' : undefined
	if (isText(botId) || isObject(variables)) return 'runtime'
	if (isText(text) && isObject(intent)) return 'server'
	// What the platform really sends is a message with its id, or the static reply in a field of its own.
	return isText(membersOf(message)._id) || isText(text) ? 'runtime' : 'documented'
}

type Members = { readonly [name: string]: unknown }

const none: Members = {}

function membersOf(value: unknown): Members {
	return isObject(value) ? value : none
}

function isObject(value: unknown): value is Members {
	return typeof value === 'object' && value !== null
}

function isText(value: unknown): boolean {
	return typeof value === 'string' || typeof value === 'number'
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
