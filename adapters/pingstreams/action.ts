/**
 * What an action button sends when it is pressed: the name of an intent, and behind it what the intent is told, as
 * `name{json}` in the current engine (Tiledesk/tiledesk-chatbot, utils/TiledeskChatbotUtil.js, parseIntent) and as
 * `name?query` in the older one (Tiledesk/tiledesk-server, services/faqBotHandler.js).
 */
import * as v from 'valibot'
import type { Dialect } from './dialect.ts'

/** A jump to an intent, or a value that comes back. */
export type Action = { readonly target: string } | { readonly value: string }

const Choice = v.strictObject({ choice: v.pipe(v.string(), v.nonEmpty()) })
const Nothing = v.strictObject({})
const query = 'choice='

/** What an action means. One that only names an intent is a value: it comes back as it stands. */
export function readAction(action: string): Action {
	return readJsonAction(action) ?? readQueryAction(action) ?? { value: action }
}

function readJsonAction(action: string): Action | undefined {
	const at = action.indexOf('{')
	if (at === -1) return undefined
	let told: unknown
	try {
		told = JSON.parse(action.slice(at))
	} catch {
		return undefined
	}
	if (v.is(Choice, told)) return { value: told.choice }
	return v.is(Nothing, told) && at > 0 ? { target: action.slice(0, at) } : undefined
}

function readQueryAction(action: string): Action | undefined {
	const at = action.indexOf('?')
	if (at === -1) return undefined
	const told = action.slice(at + 1)
	if (told === '' && at > 0) return { target: action.slice(0, at) }
	if (!told.startsWith(query) || told === query) return undefined
	try {
		return { value: decodeURIComponent(told.slice(query.length)) }
	} catch {
		return undefined
	}
}

/** The action that `readAction` reads as this one. `home`: the intent that is to get the value. */
export function writeAction(action: Action, dialect: Dialect, home: string | undefined): string {
	const older = dialect === 'server'
	if ('target' in action) return action.target + (older ? '?' : '{}')
	const { value } = action
	const nameless = home === undefined || home.includes(older ? '?' : '{')
	const read = readAction(value)
	// An intent of that name may exist; that one without a name does not is certain.
	if (nameless && 'value' in read && read.value === value) return value
	const to = nameless ? '' : home
	return to + (older ? `?${query}${encodeURIComponent(value)}` : JSON.stringify({ choice: value }))
}

/** What the target of a jump must match. */
export function targetPattern(dialect: Dialect): string {
	return dialect === 'server' ? '^[^?]+$' : '^[^{]+$'
}
