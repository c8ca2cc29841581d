/** Removes empty values: the model leaves a field out instead. */

/** The object without its undefined members. */
export function compact<T extends object>(object: T): T {
	for (const key of Object.keys(object)) {
		if (object[key as keyof T] === undefined) {
			const present = Object.entries(object).filter(([, value]) => value !== undefined)
			return Object.fromEntries(present) as T
		}
	}
	return object
}

/** The object without its undefined members, or undefined if none is left. */
export function compactOrNone<T extends object>(object: T): T | undefined {
	const present = compact(object)
	return Object.keys(present).length === 0 ? undefined : present
}

/** The string, or undefined if it is empty or null: platforms write an absent value in any of these ways. */
export function nonEmpty(text: string | null | undefined): string | undefined {
	return text === '' || text === null ? undefined : text
}

/** The list, or undefined if it is empty. */
export function nonEmptyList<T>(list: readonly T[]): T[] | undefined {
	return list.length === 0 ? undefined : [...list]
}
