/** Attributes in normal form: the scopes, types and sizes that the format writes. */
import { fieldPath, type Limit } from '../format/index.ts'
import type { Attributes, CanonicalReply, Feature, Json } from '../model/index.ts'
import { type Fitting, note } from './context.ts'
import { shortenText } from './strings.ts'

/** Attributes within a limit. Nothing is carried without one. */
export function fitAttributes(fitting: Fitting, feature: Feature, attributes: Attributes, path: string): Attributes {
	const limit = fitting.carries[feature]
	const fitted: { [key: string]: Json } = {}
	for (const [key, value] of Object.entries(attributes)) {
		const here = path + suffix(key)
		if (!limit) note(fitting, 'dropped', feature, here)
		else if (limit.reserved?.includes(key))
			note(fitting, 'dropped', feature, here, 'the name has another meaning there')
		else if (limit.withheld?.includes(key)) note(fitting, 'dropped', feature, here, 'the name of a secret')
		else fitted[key] = fitValue(fitting, feature, limit, value, here)
	}
	return fitted
}

/** A name as the end of a path: `.name` or `["a name"]`. */
export function suffix(key: string): string {
	const name = fieldPath([key])
	return name.startsWith('[') ? name : `.${name}`
}

function fitValue(fitting: Fitting, feature: Feature, limit: Limit, value: Json, path: string): Json {
	let fitted = limit.withheld ? withhold(fitting, feature, limit.withheld, value, path) : value
	if (limit.strings && typeof fitted !== 'string') {
		fitted = fitted === null ? '' : typeof fitted === 'object' ? JSON.stringify(fitted) : String(fitted)
		note(fitting, 'converted', feature, path, 'to a string')
	}
	if (limit.chars !== undefined && typeof fitted === 'string' && fitted.length > limit.chars) {
		fitted = shortenText(fitted, limit.chars)
		note(fitting, 'shortened', feature, path)
	}
	return fitted
}

/** The value without members of these names, at any depth. */
function withhold(fitting: Fitting, feature: Feature, names: readonly string[], value: Json, path: string): Json {
	if (typeof value !== 'object' || value === null) return value
	if (Array.isArray(value)) return value.map((item, i) => withhold(fitting, feature, names, item, `${path}[${i}]`))
	return Object.fromEntries(
		Object.entries(value).flatMap(([key, member]) => {
			const here = path + suffix(key)
			if (!names.includes(key)) return [[key, withhold(fitting, feature, names, member, here)]]
			note(fitting, 'dropped', feature, here, 'the name of a secret')
			return []
		}),
	)
}

/** The write-back in normal form: a null deletes where the format can say so, and empties elsewhere. */
export function fitWriteBack(
	fitting: Fitting,
	{ session, user }: CanonicalReply['attributes'],
): CanonicalReply['attributes'] {
	const folds = fitting.carries['reply.attributes.user']?.into === 'session'
	const toSession = folds ? foldUser(fitting, session, user) : session
	return {
		session: fitAttributes(
			fitting,
			'reply.attributes.session',
			withoutDeletes(fitting, toSession, 'attributes.session'),
			'attributes.session',
		),
		user: folds
			? {}
			: fitAttributes(
					fitting,
					'reply.attributes.user',
					withoutDeletes(fitting, user, 'attributes.user'),
					'attributes.user',
				),
	}
}

function foldUser(fitting: Fitting, session: Attributes, user: Attributes): Attributes {
	const folded: { [key: string]: Json } = { ...session }
	for (const [key, value] of Object.entries(user)) {
		const taken = Object.hasOwn(session, key)
		if (!taken) folded[key] = value
		note(
			fitting,
			taken ? 'dropped' : 'converted',
			'reply.attributes.user',
			`attributes.user${suffix(key)}`,
			taken ? 'the session has one of this name' : 'to a session attribute',
		)
	}
	return folded
}

function withoutDeletes(fitting: Fitting, attributes: Attributes, path: string): Attributes {
	if (fitting.carries['reply.attributes.delete'] || !Object.values(attributes).includes(null)) return attributes
	return Object.fromEntries(
		Object.entries(attributes).map(([key, value]) => {
			if (value !== null) return [key, value]
			note(fitting, 'converted', 'reply.attributes.delete', path + suffix(key), 'emptied instead of deleted')
			return [key, '']
		}),
	)
}
