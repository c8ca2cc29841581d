/** Pieces of wire schemas that several formats share. */
import * as v from 'valibot'
import { Attributes } from '../model/index.ts'

/** Author-named values as senders write them: null, false and PHP's empty array are ways to say none. */
export const WireAttributes = v.pipe(
	v.nullish(v.union([Attributes, v.literal(false), v.strictTuple([])], 'must be an object'), {}),
	v.transform((value): Attributes => (value && !Array.isArray(value) ? value : {})),
)
