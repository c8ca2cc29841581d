/** Attributes in normal form: the scopes, types and sizes that the format writes. */
import { fieldPath, type Limit } from '../format/index.ts'
import type { Attributes, CanonicalReply, Json } from '../model/index.ts'
import { type Fitting, note } from './context.ts'
import { shortenText } from './strings.ts'

type AttributesFeature =
	| 'event.attributes'
	| 'event.user.attributes'
	| 'event.trigger.parameters'
	| 'event.contexts.parameters'
	| 'reply.attributes.session'
	| 'reply.attributes.user'

/** Where attributes stand in the value before. */
interface Scope {
	readonly feature: AttributesFeature
	readonly path: string
}

/** Attributes within a limit. Nothing is carried without one. */
export function fitAttributes(
	fitting: Fitting,
	feature: AttributesFeature,
	attributes: Attributes,
	path: string,
): Attributes {
	const scope = { feature, path }
	return fitEach(fitting, fitting.carries[feature], attributes, () => scope)
}

/** A name as the end of a path: `.name` or `["a name"]`. */
export function suffix(key: string): string {
	const name = fieldPath([key])
	return name.startsWith('[') ? name : `.${name}`
}

/** Attributes within the limit of one scope, which may come from several; the same object where nothing changes. */
function fitEach(
	fitting: Fitting,
	limit: Limit | undefined,
	attributes: Attributes,
	scopeOf: (key: string) => Scope,
): Attributes {
	if (limit && isCarried(limit, attributes)) return attributes
	const fitted: { [key: string]: Json } = {}
	let room = limit?.items ?? Number.POSITIVE_INFINITY
	for (const [key, value] of Object.entries(attributes)) {
		if (limit && room > 0 && !limit.reserved?.includes(key)) {
			fitted[key] = fitValue(fitting, limit, value, scopeOf(key), key)
			room--
			continue
		}
		const { feature, path } = scopeOf(key)
		note(fitting, 'dropped', feature, path + suffix(key), why(key, limit))
	}
	return fitted
}

/** Whether all of them are within the limit as they are: to copy hundreds takes longer than to parse them. */
function isCarried({ items, reserved, strings, chars }: Limit, attributes: Attributes): boolean {
	let room = items ?? Number.POSITIVE_INFINITY
	for (const key in attributes) {
		const value = attributes[key]
		if (room-- <= 0 || reserved?.includes(key)) return false
		if (typeof value === 'string' ? chars !== undefined && value.length > chars : strings) return false
	}
	return true
}

function why(key: string, limit: Limit | undefined): string | undefined {
	if (!limit) return undefined
	return limit.reserved?.includes(key) ? 'the name is reserved' : 'over the maximum number'
}

function fitValue(fitting: Fitting, limit: Limit, value: Json, { feature, path }: Scope, key: string): Json {
	let fitted = value
	if (limit.strings && typeof fitted !== 'string') {
		fitted = fitted === null ? '' : typeof fitted === 'object' ? JSON.stringify(fitted) : String(fitted)
		note(fitting, 'converted', feature, path + suffix(key), 'to a string')
	}
	if (limit.chars !== undefined && typeof fitted === 'string' && fitted.length > limit.chars) {
		fitted = shortenText(fitted, limit.chars)
		note(fitting, 'shortened', feature, path + suffix(key))
	}
	return fitted
}

const session: Scope = { feature: 'reply.attributes.session', path: 'attributes.session' }
const user: Scope = { feature: 'reply.attributes.user', path: 'attributes.user' }

/** The write-back in normal form: a null deletes where the format can say so, and empties elsewhere. */
export function fitWriteBack(fitting: Fitting, given: CanonicalReply['attributes']): CanonicalReply['attributes'] {
	const { 'reply.attributes.session': limit, 'reply.attributes.user': userLimit } = fitting.carries
	if (userLimit?.foldedInto) {
		const scopeOf = (key: string): Scope => (Object.hasOwn(given.session, key) ? session : user)
		const folded = withoutDeletes(fitting, foldUser(fitting, given), scopeOf)
		return { session: fitEach(fitting, limit, folded, scopeOf), user: {} }
	}
	return {
		session: fitEach(fitting, limit, withoutDeletes(fitting, given.session, inSession), inSession),
		user: fitEach(fitting, userLimit, withoutDeletes(fitting, given.user, inUser), inUser),
	}
}

function inSession(): Scope {
	return session
}

function inUser(): Scope {
	return user
}

function foldUser(fitting: Fitting, given: CanonicalReply['attributes']): Attributes {
	const folded: { [key: string]: Json } = { ...given.session }
	for (const [key, value] of Object.entries(given.user)) {
		const taken = Object.hasOwn(given.session, key)
		if (!taken) folded[key] = value
		note(
			fitting,
			taken ? 'dropped' : 'converted',
			user.feature,
			user.path + suffix(key),
			taken ? 'a session attribute has the same name' : 'to a session attribute',
		)
	}
	return folded
}

function hasDelete(attributes: Attributes): boolean {
	for (const key in attributes) if (attributes[key] === null) return true
	return false
}

function withoutDeletes(fitting: Fitting, attributes: Attributes, scopeOf: (key: string) => Scope): Attributes {
	if (fitting.carries['reply.attributes.delete'] || !hasDelete(attributes)) return attributes
	return Object.fromEntries(
		Object.entries(attributes).map(([key, value]) => {
			if (value !== null) return [key, value]
			const { path } = scopeOf(key)
			note(fitting, 'converted', 'reply.attributes.delete', path + suffix(key), 'set to an empty string')
			return [key, '']
		}),
	)
}
