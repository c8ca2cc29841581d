/** Lists of typed items, such as responses, cards and actions, of which a format knows some types. */
import * as v from 'valibot'
import { GatewayError } from '../errors.ts'
import { Json, type Message } from '../model/index.ts'
import type { SchemaNode } from '../schema/index.ts'
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
export function hasKnownType(schema: TypedItem, item: unknown): boolean {
	return isOneOf(typesOf(schema), schema.key, item)
}

function isOneOf(types: ReadonlySet<unknown>, key: string, item: unknown): boolean {
	return typeof item === 'object' && item !== null && types.has(Reflect.get(item, key))
}

const typesBySchema = new WeakMap<TypedItem, ReadonlySet<unknown>>()

/** The types that a schema lists. */
function typesOf(schema: TypedItem): ReadonlySet<unknown> {
	const known = typesBySchema.get(schema)
	if (known) return known
	const { key, options } = schema
	const found = new Set<unknown>()
	for (const { entries } of options) {
		const type: SchemaNode | undefined = entries[key]
		if (type?.literal !== undefined) found.add(type.literal)
	}
	typesBySchema.set(schema, found)
	return found
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
	const messages: Message[] = []
	const natives: Json[] = []
	const unread: string[] = []
	const supplied: string[] = []
	const errors: GatewayError[] = []
	const types = typesOf(schema)
	for (const [i, item] of (list ?? []).entries()) {
		const here = [...at, i]
		if (isOneOf(types, schema.key, item)) {
			const checked = check(schema, item, here)
			if (checked instanceof GatewayError) {
				errors.push(checked)
				if (errors.length === maxErrors) break
				continue
			}
			append(unread, checked.unread)
			const decoded = decode(checked.wire, here)
			append(supplied, decoded.added)
			append(messages, decoded.messages)
			append(natives, decoded.natives)
			append(unread, decoded.unread)
		} else if (isObjectWithMembers(item) && isNative(item)) natives.push(item)
		else unread.push(fieldPath(here))
	}
	if (errors.length > 0) throw joinMistakes(errors)
	return supplied.length > 0 ? { messages, natives, unread, added: supplied } : { messages, natives, unread }
}

function append<T>(list: T[], more: readonly T[] | undefined): void {
	if (more) for (const each of more) list.push(each)
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
