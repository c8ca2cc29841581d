/** Schemas that several parts of the model share. */
import * as v from 'valibot'
import { limits } from '../limits.ts'
import { Attributes } from './json.ts'

/** A string of at least one character. The model leaves a field out instead of giving it an empty value. */
export const NonEmptyString = v.pipe(v.string(), v.nonEmpty())

/** Rejects an empty address. */
export const isSomeAddress = v.nonEmpty<string>()

/** An address in a message: absolute in a reply, see addresses.ts; in an event, as the platform wrote it. */
export const Address = v.pipe(v.string(), isSomeAddress)

/** Rejects days such as 31 February. What is no time at all passes. */
export const isInCalendar = v.check<string, string>((timestamp) => {
	const day = timestamp.slice(0, 'YYYY-MM-DD'.length)
	const midnight = new Date(`${day}T00:00:00Z`)
	// Date takes 31 February for 3 March.
	return Number.isNaN(midnight.getTime()) || midnight.toISOString().startsWith(day)
}, 'must be a day of the calendar')

/** A date and a time with their offset as RFC 3339 writes them, with a capital T and Z. */
export const Timestamp = v.pipe(
	v.string(),
	v.regex(
		/^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/,
		'must be a time such as 2025-01-31T12:00:00Z',
	),
	isInCalendar,
)

/** A whole number, 0 or more. */
export const Count = v.pipe(v.number(), v.integer(), v.minValue(0))

/** A list within the limit of items. */
export const limitedArray = <S extends v.GenericSchema>(item: S) =>
	v.pipe(v.array(item), v.maxLength(limits.listItems.value))

/** A list of at least one item, within the limit. */
export const nonEmptyArray = <S extends v.GenericSchema>(item: S) =>
	v.pipe(v.array(item), v.nonEmpty(), v.maxLength(limits.listItems.value))

/** Rejects an object without members. */
export const hasMembers = <T extends { readonly [key: string]: unknown }>() =>
	v.minEntries<T, 1, string>(1, 'must have at least one member')

/** Attributes within the limit of their number. */
export const LimitedAttributes = v.pipe(Attributes, v.maxEntries(limits.attributes.value))

/** Attributes with at least one member, within the limit. */
export const SomeAttributes = v.pipe(Attributes, v.maxEntries(limits.attributes.value), hasMembers())
