/** Removes empty values: the model leaves a field out instead. */

/** The object without its undefined members. */
export function compact<T extends object>(object: T): T {
	// Not by entries: this is done for each part of each turn, and they are a list for each member.
	for (const key in object) if (object[key] === undefined) return withoutUndefined(object)
	return object
}

function withoutUndefined<T extends object>(object: T): T {
	const present: Partial<T> = {}
	for (const key in object) if (object[key] !== undefined) present[key] = object[key]
	return present as T
}

/** The object without its undefined members, or undefined if none is left. */
export function compactOrNone<T extends object>(object: T): T | undefined {
	for (const key in object) if (object[key] !== undefined) return compact(object)
	return undefined
}

/** The string, or undefined if it is empty or null: platforms write an absent value in any of these ways. */
export function nonEmpty(text: string | null | undefined): string | undefined {
	return text === '' || text === null ? undefined : text
}

/** The list, or undefined if it is empty. */
export function nonEmptyList<T>(list: readonly T[]): T[] | undefined {
	return list.length === 0 ? undefined : [...list]
}
