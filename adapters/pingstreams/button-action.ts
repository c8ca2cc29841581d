/**
 * What an action button sends when it is pressed: the name of an intent, followed by that intent's parameters, as
 * `name{json}` in the current engine (Tiledesk/tiledesk-chatbot, utils/TiledeskChatbotUtil.js, parseIntent) and as
 * `name?query` in the older one (Tiledesk/tiledesk-server, services/faqBotHandler.js).
 */
import * as v from 'valibot'
import { type Json, matches, NonEmpty, readJson } from '../../src/format/index.ts'
import type { Dialect } from './dialect.ts'

/** A jump to an intent, or a value that comes back. */
export type ButtonAction = { readonly target: string } | { readonly value: string }

const Choice = v.strictObject({ choice: NonEmpty })
const NoParameters = v.strictObject({})
/** The parameters we look for: an object, and one value in it. */
const mostValues = 2
const queryPrefix = 'choice='

/** What an action means. One that only names an intent is a value: it comes back as it stands. */
export function decodeButtonAction(action: string): ButtonAction {
	return decodeJsonParameters(action) ?? decodeQueryParameters(action) ?? { value: action }
}

/** The action that decodes to this one. `home`: the intent that receives the value. */
export function encodeButtonAction(action: ButtonAction, dialect: Dialect, home: string | undefined): string {
	const isOlder = dialect === 'server'
	if ('target' in action) return action.target + (isOlder ? '?' : '{}')
	const { value } = action
	const isNameless = home === undefined || home.includes(isOlder ? '?' : '{')
	const decoded = decodeButtonAction(value)
	// The value may be the name of an intent; no intent has an empty name.
	if (isNameless && 'value' in decoded && decoded.value === value) return value
	const intent = isNameless ? '' : home
	return intent + (isOlder ? `?${queryPrefix}${encodeURIComponent(value)}` : JSON.stringify({ choice: value }))
}

function decodeJsonParameters(action: string): ButtonAction | undefined {
	const at = action.indexOf('{')
	if (at === -1) return undefined
	let parameters: Json
	try {
		parameters = readJson(action.slice(at), mostValues)
	} catch {
		return undefined
	}
	if (matches(Choice, parameters)) return { value: parameters.choice }
	return matches(NoParameters, parameters) && at > 0 ? { target: action.slice(0, at) } : undefined
}

function decodeQueryParameters(action: string): ButtonAction | undefined {
	const at = action.indexOf('?')
	if (at === -1) return undefined
	const parameters = action.slice(at + 1)
	if (parameters === '' && at > 0) return { target: action.slice(0, at) }
	if (!parameters.startsWith(queryPrefix) || parameters === queryPrefix) return undefined
	try {
		return { value: decodeURIComponent(parameters.slice(queryPrefix.length)) }
	} catch {
		return undefined
	}
}

/** The regular expression that the target of a jump must match. */
export function targetPattern(dialect: Dialect): string {
	return dialect === 'server' ? '^[^?]+$' : '^[^{]+$'
}
