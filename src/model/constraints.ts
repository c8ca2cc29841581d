/** Constraints that several parts of the model share. */
import * as v from 'valibot'
import { Attributes } from './json.ts'

/** A string that says something: absent is the one way to say nothing. */
export const NonEmptyString = v.pipe(v.string(), v.nonEmpty())

export const Count = v.pipe(v.number(), v.integer(), v.minValue(0))

export const nonEmptyArray = <S extends v.GenericSchema>(item: S) => v.pipe(v.array(item), v.nonEmpty())

export const hasMembers = <T extends object>() =>
	v.check<T, string>((value) => Object.keys(value).length > 0, 'must have at least one member')

export const SomeAttributes = v.pipe(Attributes, hasMembers())
