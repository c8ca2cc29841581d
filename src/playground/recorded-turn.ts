/** A turn as a file for tests, without what it says of a person: `dragoman replay` replays it. */
import type { Json } from '../model/index.ts'
import type { StepName } from '../observer/index.ts'
import { isObject, type Members } from './json-object.ts'
import type { TurnDetail } from './live.ts'

/** A file as `dragoman replay` reads it. */
export interface RecordedTurnFile {
	readonly note: string
	readonly route: string
	readonly call: Json
	readonly upstream?: { readonly response: Json }
	readonly answer: Json
}

/** Undefined: the turn has no call or no answer. */
export function recordedTurn({ steps, route, platform, kind, losses }: TurnDetail): RecordedTurnFile | undefined {
	const valueIn = (name: StepName) => steps.find((step) => step.name === name)?.value
	const [call, response, answer, event] = [valueIn('call'), valueIn('response'), valueIn('answer'), valueIn('event')]
	if (!isObject(call) || !isObject(answer)) return undefined
	const replace = replacer(isObject(event) ? personalValues(event) : [])
	return {
		note: `A ${kind ?? 'call'} on ${platform}${losses > 0 ? `; ${losses} parts are lost or altered` : ''}`,
		route,
		call: replace(messageOf(call)),
		...(isObject(response) && { upstream: { response: replace(messageOf(response)) } }),
		answer: replace(messageOf(answer)),
	}
}

/** Method, query and status as they are, and the body as `json` or `body`. */
function messageOf({ body = '', ...rest }: Members): Json {
	if (typeof body !== 'string') return { ...rest, json: body }
	try {
		return { ...rest, json: JSON.parse(body) }
	} catch {
		return body === '' ? { ...rest } : { ...rest, body }
	}
}

/** What stands in an event for a person, and what stands for it in the file. */
function personalValues({ id, conversation, user, text, attributes }: Members): [value: string, placeholder: string][] {
	const { attributes: ofUser, ...fields } = isObject(user) ? user : {}
	const found: [string, Json | undefined][] = [
		['event-id', id],
		['conversation-id', conversation],
		['words of the user', text],
		...Object.entries(fields).map(([name, value]): [string, Json] => [`user-${name}`, value]),
		...[attributes, ofUser].flatMap((each) =>
			isObject(each) ? Object.entries(each).map(([name, value]): [string, Json] => [`value of ${name}`, value]) : [],
		),
	]
	return found.flatMap(([placeholder, value]): [string, string][] =>
		typeof value === 'string' && value !== '' ? [[value, placeholder]] : [],
	)
}

/** UTF-16 units from which on a value is also replaced inside of longer strings. */
const surelyMeant = 4

const email = /[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}/g
const phone = /\+\d[\d ()/-]{6,18}\d/g

/** Replaces the values everywhere, the same always in the same way, and whatever looks like an address or a number to call. */
function replacer(values: readonly (readonly [string, string])[]): (value: Json) => Json {
	const whole = new Map(values)
	const parts = values.filter(([value]) => value.length >= surelyMeant).sort(([a], [b]) => b.length - a.length)
	const replaceText = (text: string): string => {
		const exact = whole.get(text)
		if (exact !== undefined) return exact
		const replaced = parts.reduce((text, [value, placeholder]) => text.replaceAll(value, placeholder), text)
		return replaced.replace(email, 'user@example.com').replace(phone, '+49 30 0000000')
	}
	const replace = (value: Json): Json => {
		if (typeof value === 'string') return replaceText(value)
		if (Array.isArray(value)) return value.map(replace)
		if (!isObject(value)) return value
		return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, replace(member)]))
	}
	return replace
}
