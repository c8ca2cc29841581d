/** Pieces of wire schemas that several formats share. */
import * as v from 'valibot'
import { Attributes } from '../model/index.ts'

/** A string with at least one character. */
export const NonEmpty = v.pipe(v.string(), v.nonEmpty())

/** An id as senders write it: a string, or a number that becomes one. */
export const Id = v.pipe(v.union([v.string(), v.number()]), v.transform(String))

/** Refuses an object without members. */
export function atLeastOneMember<T extends object>() {
	return v.check<T, string>((value) => Object.keys(value).length > 0, 'must have at least one member')
}

/** Author-named values as senders write them: null, false and PHP's empty array are ways to say none. */
export const WireAttributes = v.pipe(
	v.nullish(v.union([Attributes, v.literal(false), v.strictTuple([])], 'must be an object'), {}),
	v.transform((value): Attributes => (value && !Array.isArray(value) ? value : {})),
)
