/** Lists of typed items, such as responses, cards and actions, of which a format knows some types. */
import * as v from 'valibot'
import { GatewayError } from '../errors.ts'
import { Json, type Message } from '../model/index.ts'
import { matches } from '../schema/index.ts'
import { fieldPath } from './field-path.ts'
import { joinMistakes } from './mistakes.ts'
import { validate } from './validate.ts'

/** Keys and indexes, from the top of a body. */
export type Path = readonly (string | number)[]

/** A `v.variant` of objects, each with a literal under the key. */
type TypedItem = v.GenericSchema & {
	readonly key: string
	readonly options: readonly { readonly entries: { readonly [key: string]: v.GenericSchema } }[]
}

/** Whether an item is of one of the schema's types, and so has to match it. */
export function hasKnownType({ key, options }: TypedItem, item: unknown): boolean {
	if (typeof item !== 'object' || item === null) return false
	const type: unknown = Reflect.get(item, key)
	return options.some(({ entries }) => entries[key] !== undefined && matches(entries[key], type))
}

/** An item of a type that a format does not know: an object with members. Anything else means nothing on any platform. */
export const NativeItem = v.pipe(Json, v.check(isObjectWithMembers, 'must be an object with members'))

function isObjectWithMembers(item: Json): boolean {
	return typeof item === 'object' && item !== null && !Array.isArray(item) && Object.keys(item).length > 0
}

/** What a format makes of the items of a list. */
export interface TypedList<S extends TypedItem> {
	/** The known items: a `v.variant` by the key that holds their type. */
	readonly schema: S
	/** Where the list is in its message. */
	readonly at: Path
	/** A known item as messages and native parts, and the paths of what is left out. Called in the order of the list. */
	decode(
		item: v.InferOutput<S>,
		at: Path,
	): {
		readonly messages?: readonly Message[]
		readonly natives?: readonly Json[]
		readonly unread?: readonly string[]
		/** Paths of what was supplied. */
		readonly added?: readonly string[]
	}
	/** Whether an object of another type is kept as a native part. Absent: every one. */
	isNative?(item: Json): boolean
}

/**
 * The items of a list: known ones as messages, others as native parts, and the paths of what is neither. Throws
 * `field-missing` or `field-invalid` for an item of a known type that does not match its schema.
 */
export function decodeTyped<S extends TypedItem>(
	list: readonly Json[] | null | undefined,
	{ schema, at, decode, isNative = () => true }: TypedList<S>,
): { messages: Message[]; natives: Json[]; unread: string[]; added?: string[] } {
	const decoded: ReturnType<typeof decodeTyped> = { messages: [], natives: [], unread: [] }
	const supplied: string[] = []
	const errors: GatewayError[] = []
	for (const [i, item] of (list ?? []).entries()) {
		const here = [...at, i]
		if (hasKnownType(schema, item)) {
			const checked = check(schema, item, here)
			if (checked instanceof GatewayError) {
				errors.push(checked)
				if (errors.length === maxErrors) break
				continue
			}
			const { wire, unread: unlisted } = checked
			const { messages = [], natives = [], unread = [], added = [] } = decode(wire, here)
			supplied.push(...added)
			decoded.messages.push(...messages)
			decoded.natives.push(...natives)
			decoded.unread.push(...unlisted, ...unread)
		} else if (isObjectWithMembers(item) && isNative(item)) decoded.natives.push(item)
		else decoded.unread.push(fieldPath(here))
	}
	if (errors.length > 0) throw joinMistakes(errors)
	return supplied.length > 0 ? { ...decoded, added: supplied } : decoded
}

/** Wrong items after which a list is given up. */
const maxErrors = 10

function check<S extends v.GenericSchema>(
	schema: S,
	item: unknown,
	at: Path,
): ReturnType<typeof validate<S>> | GatewayError {
	try {
		return validate(schema, item, at)
	} catch (thrown) {
		if (thrown instanceof GatewayError) return thrown
		throw thrown
	}
}
