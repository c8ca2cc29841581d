/** Schemas that several parts of the model share. */
import * as v from 'valibot'
import { limits } from '../limits.ts'
import { Attributes } from './json.ts'

/** A string of at least one character. The model leaves a field out instead of giving it an empty value. */
export const NonEmptyString = v.pipe(v.string(), v.nonEmpty())

/** A whole number, 0 or more. */
export const Count = v.pipe(v.number(), v.integer(), v.minValue(0))

/** A list within the limit of items. */
export const limitedArray = <S extends v.GenericSchema>(item: S) =>
	v.pipe(v.array(item), v.maxLength(limits.listItems.value))

/** A list of at least one item, within the limit. */
export const nonEmptyArray = <S extends v.GenericSchema>(item: S) =>
	v.pipe(v.array(item), v.nonEmpty(), v.maxLength(limits.listItems.value))

/** Rejects an object without members. */
export const hasMembers = <T extends object>() =>
	v.check<T, string>((value) => Object.keys(value).length > 0, 'must have at least one member')

/** Attributes within the limit of their number. */
export const LimitedAttributes = v.pipe(Attributes, v.maxEntries(limits.attributes.value))

/** Attributes with at least one member, within the limit. */
export const SomeAttributes = v.pipe(Attributes, v.maxEntries(limits.attributes.value), hasMembers())
