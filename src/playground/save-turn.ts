/** A turn as a file for tests, without what it says of a person: `dragoman replay` replays it. */
import * as v from 'valibot'
import type { Adapter } from '../format/index.ts'
import type { Json } from '../model/index.ts'
import type { StepName } from '../observer/index.ts'
import { previewEvent, RecordedTurn } from '../simulator/index.ts'
import { redacted } from '../turn/index.ts'
import { isObject, type Members } from './json-object.ts'
import type { TurnDetail } from './live.ts'

/** What the file keeps, and what stands in it for ids. */
export interface SaveOptions {
	/** Keep what the user wrote. */
	readonly keepWords: boolean
	/** A short text for an id, the same for the same id, from which the id cannot be found. */
	pseudonym(id: string): Promise<string>
}

/**
 * The file. `adapter`: that of the platform, which says whether its calls are forms. Undefined: the turn has no call or no
 * answer, or was answered with the holding reply, for in a replay nothing is late.
 */
export async function recordedTurn(
	turn: TurnDetail,
	adapter: Adapter,
	{ keepWords, pseudonym }: SaveOptions,
): Promise<RecordedTurn | undefined> {
	const { steps, calls, id, route, platform, kind, words, losses, held } = turn
	const valueIn = (name: StepName) => steps.find((step) => step.name === name)?.value
	const [call, answer, event] = [valueIn('call'), valueIn('answer'), valueIn('event')]
	if (!isObject(call) || !isObject(answer) || held) return undefined
	// A label or a number that picked a choice is the bot's own, and picks nothing once it is replaced.
	const isPick = valueIn('recalled-event') !== undefined
	const personal = isObject(event) ? await personalValues(event, keepWords || isPick, pseudonym) : []
	const replace = replacer([...personal, [redacted, forSecret]])
	const response = valueIn('response')
	const pushes = valueIn('pushes')
	const status = calls.at(-1)?.status
	const upstream = isObject(response) ? messageOf(response) : status === undefined ? undefined : { status }
	const file = replace({
		note: `A ${kind ?? 'call'} on ${platform}${keepWords && words !== undefined ? `: ${words}` : ''}${lossesIn(losses)}`,
		route,
		call: messageOf(call),
		...(upstream !== undefined && { upstream: { response: upstream } }),
		answer: messageOf(answer),
		...(Array.isArray(pushes) && { pushes: pushes.filter(isObject).map(messageOf) }),
		turnId: id,
	})
	const recorded = v.parse(RecordedTurn, file)
	return isForm(adapter) ? { ...recorded, call: asForm(recorded.call) } : recorded
}

/** What stands for a secret: has no brackets, so that an adapter reads it where it reads a token. */
const forSecret = 'redacted'

function lossesIn(count: number): string {
	if (count === 0) return ''
	return count === 1 ? '; 1 part is lost or altered' : `; ${count} parts are lost or altered`
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

const formType = 'application/x-www-form-urlencoded'

/** An observed call has the fields of a form as members of an object. */
function isForm(adapter: Adapter): boolean {
	const { headers } = previewEvent({ kind: 'message', text: 'x', attributes: {} }, adapter).call
	return headers.some(([name, value]) => name === 'content-type' && value.startsWith(formType))
}

function asForm({ json, ...call }: RecordedTurn['call']): RecordedTurn['call'] {
	const fields = Object.entries(v.parse(v.record(v.string(), v.unknown()), json ?? {})).flatMap(([name, value]) =>
		[value].flat().map((each): [string, string] => [name, String(each)]),
	)
	return { ...call, headers: [['content-type', formType]], body: new URLSearchParams(fields).toString() }
}

/** What stands in an event for a person, and what stands for it in the file. */
async function personalValues(
	{ id, conversation, user, text, attributes }: Members,
	keepWords: boolean,
	pseudonym: SaveOptions['pseudonym'],
): Promise<[value: string, placeholder: string][]> {
	const { attributes: ofUser, ...fields } = isObject(user) ? user : {}
	// Turns of one conversation are known by its id, and one event from another by theirs.
	const placeholder = async (of: string, id: Json | undefined) =>
		typeof id === 'string' ? `${of}-${await pseudonym(id)}` : of
	const found: [string, Json | undefined][] = [
		[await placeholder('event', id), id],
		[await placeholder('conversation', conversation), conversation],
		['words of the user', keepWords ? undefined : text],
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

const email = /(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}/g
const phone = /\+\d[\d ()/-]{6,18}\d/g

/** Replaces the values everywhere, the same always in the same way, and whatever looks like an address or a number to call. */
function replacer(values: readonly (readonly [string, string])[]): (value: Json) => Json {
	// Where two things have one value, the first counts, as it does in parts of a text.
	const whole = new Map(values.toReversed())
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
