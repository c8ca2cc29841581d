/** Schemas that several parts of the model share. */
import * as v from 'valibot'
import { Attributes } from './json.ts'

/** A string of at least one character. The model leaves a field out instead of giving it an empty value. */
export const NonEmptyString = v.pipe(v.string(), v.nonEmpty())

/** A whole number, 0 or more. */
export const Count = v.pipe(v.number(), v.integer(), v.minValue(0))

/** A list of at least one item. */
export const nonEmptyArray = <S extends v.GenericSchema>(item: S) => v.pipe(v.array(item), v.nonEmpty())

/** Rejects an object without members. */
export const hasMembers = <T extends object>() =>
	v.check<T, string>((value) => Object.keys(value).length > 0, 'must have at least one member')

/** Attributes with at least one member. */
export const SomeAttributes = v.pipe(Attributes, hasMembers())
