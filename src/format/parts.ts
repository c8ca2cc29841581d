/** Small pieces that several formats share. */
import * as v from 'valibot'
import { GatewayError } from '../errors.ts'
import { type Attributes, type CanonicalReply, emptyReply, type Json } from '../model/index.ts'
import { closestName, hasLettersOf } from '../schema/index.ts'
import { fieldPath } from './field-path.ts'
import { readJsonBody } from './json.ts'
import type { Decoded } from './leg.ts'
import { joinMistakes } from './mistakes.ts'
import type { WireRequest, WireResponse } from './wire.ts'

/** A string with at least one character. */
export const NonEmpty = v.pipe(v.string(), v.nonEmpty())

/** An id or a label as senders write it: a string, or a number, which becomes one. */
export const Id = v.pipe(v.union([v.string(), v.number()]), v.transform(String))

/** Refuses an object without members. */
export function atLeastOneMember<T extends object>() {
	return v.check<T, string>((value) => Object.keys(value).length > 0, 'must have at least one member')
}

/**
 * Any value of a body that `readJson` has read. It has no reserved keys, so that nothing is left to check: to walk through
 * each list of a body once more would take as long as to parse it.
 */
export const WireJson = v.custom<Json>(() => true)

/** Any object of such values. */
const WireMembers = v.custom<Attributes>(
	(value) => typeof value === 'object' && value !== null && !Array.isArray(value),
)

/** Author-named values as senders write them: null, false, the empty string and PHP's empty array mean none. */
export const WireAttributes = v.pipe(
	v.nullish(v.union([WireMembers, v.literal(false), v.literal(''), v.strictTuple([])], 'must be an object'), {}),
	v.transform((value): Attributes => (value && !Array.isArray(value) ? value : {})),
)

/** Decodes a blank body as the empty reply, whatever its media type, and any other body with `decode`. */
export function blankIsSilence(
	decode: (answer: WireResponse) => Decoded<CanonicalReply>,
): (answer: WireResponse) => Decoded<CanonicalReply> {
	return (answer) => (answer.body.trim() === '' ? { model: emptyReply, unread: [] } : decode(answer))
}

/** Members of an answer that may be misspelt names. */
const maxSuggested = 20

/** Refuses the body of an answer that has none of these members, and suggests those that were probably meant. */
export function requireOneOf(body: Json, names: readonly string[]): void {
	if (typeof body !== 'object' || body === null || names.some((name) => Object.hasOwn(body, name))) return
	refuseMembers(body, names, () => true)
	const expected = `at least one of ${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
	throw new GatewayError('field-missing', { field: '', expected })
}

/**
 * Refuses the body of an answer with members that are certainly misspelt, and suggests those that were meant: they have the
 * letters of one that the body lacks, in another order or case, or one letter more or less. `isMeant`: whether a value can
 * be that of the member.
 */
export function refuseMisspelt(
	body: Json,
	names: readonly string[],
	isMeant: (name: string, value: Json) => boolean,
): void {
	refuseMembers(body, names, (written, name, value) => hasLettersOf(written, name) && isMeant(name, value))
}

/** Refuses a body with unknown members that are close to one that it lacks, where `isMeant` says that it was meant. */
function refuseMembers(
	body: Json,
	names: readonly string[],
	isMeant: (written: string, name: string, value: Json) => boolean,
): void {
	if (typeof body !== 'object' || body === null) return
	const lacking = names.filter((name) => !Object.hasOwn(body, name))
	const misspelt = Object.entries(body)
		.slice(0, maxSuggested)
		.flatMap(([written, value]) => {
			const meant = names.includes(written) ? undefined : closestName(written, lacking)
			if (meant === undefined || !isMeant(written, meant, value)) return []
			const expected = `no such field; did you mean "${meant}"?`
			return [new GatewayError('field-invalid', { field: fieldPath([written]), expected })]
		})
	if (misspelt.length > 0) throw joinMistakes(misspelt)
}

/** For what fit never passes to `encode`, such as a message of a type that is not carried. Throws `internal`. */
export function unreachable({ type }: { readonly type: string }): never {
	throw new GatewayError('internal', { field: type })
}

/** Whether a message's JSON body passes a test. A body that is not JSON does not. */
export function bodyMatches(message: WireRequest | WireResponse, test: (body: Json) => boolean): boolean {
	try {
		return test(readJsonBody(message))
	} catch {
		return false
	}
}
