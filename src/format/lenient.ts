/** Wire schemas of values as senders write them: a number where a string is usual, flags as text, PHP's objects for lists. */
import * as v from 'valibot'

/** A text as senders write it: a string, or a number, which becomes one. */
export const WireText = v.pipe(v.union([v.string(), v.number()]), v.transform(String))

/** A text of at least one character, as senders write it. */
export const WireNonEmpty = v.pipe(WireText, v.nonEmpty())

/** A text that may be absent: null and false mean that there is none. */
export const WireOptionalText = v.pipe(
	v.nullish(v.union([v.string(), v.number(), v.literal(false)])),
	v.transform((text) => (text === undefined || text === null || text === false ? undefined : String(text))),
)

const flags = new Map<unknown, boolean>([
	...[false, 0, 'false', '0', ''].map((value) => [value, false] as const),
	...[true, 1, 'true', '1'].map((value) => [value, true] as const),
])

/** A flag as senders write it: true or false, 1 or 0, each also as a string. Absent means false. */
export const WireFlag = v.pipe(
	v.nullish(v.custom<unknown>((value) => flags.has(written(value)), 'must be true or false')),
	v.transform((value): boolean => flags.get(written(value)) ?? false),
)

/** A whole number of at least 0, as senders write it: a number, or one as a string. It is rounded. */
export const WireCount = v.pipe(
	v.union([
		v.number(),
		v.pipe(v.string(), v.regex(/^\s*\d{1,15}(?:\.\d{1,15})?\s*$/, 'must be a number'), v.transform(Number)),
	]),
	v.minValue(0),
	v.transform(Math.round),
)

/** A number as senders write it, or one as a string. */
export const WireNumber = v.pipe(
	v.union([v.number(), v.pipe(v.string(), v.regex(/^\s*-?\d{1,15}(?:\.\d{1,15})?\s*$/, 'must be a number'))]),
	v.transform(Number),
)

/** An object as senders write it, which may be absent: null, false and the empty string mean that there is none. */
export function wireObject<S extends v.GenericSchema>(object: S) {
	const none = v.pipe(
		v.unknown(),
		v.transform((): undefined => undefined),
	)
	return v.optional(
		v.lazy((value): v.GenericSchema<unknown, v.InferOutput<S> | undefined> => {
			return value === null || value === false || value === '' ? none : object
		}),
	)
}

function written(value: unknown): unknown {
	return typeof value === 'string' ? value.toLowerCase() : value
}

/**
 * A list as senders write it. PHP encodes a list from which items were removed as an object whose keys are numbers, and
 * some write an empty list as `{}` or `false`.
 */
export function wireList<S extends v.GenericSchema>(item: S) {
	const list = v.array(item)
	const keyed = v.pipe(
		v.record(v.string(), item),
		v.transform((members): v.InferOutput<S>[] => Object.values(members)),
	)
	const none = v.pipe(
		v.literal(false),
		v.transform((): v.InferOutput<S>[] => []),
	)
	return v.lazy((value): v.GenericSchema<unknown, v.InferOutput<S>[]> => {
		if (value === false) return none
		return isKeyedList(value) ? keyed : list
	})
}

function isKeyedList(value: unknown): boolean {
	if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
	return Object.keys(value).every((key) => /^\d{1,9}$/.test(key))
}
