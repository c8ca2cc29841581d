/** Ways to say nothing: in the model, absent is the only one. */

/** The object without its undefined members: in the model, absent is the one way to say nothing. */
export function compact<T extends object>(object: T): T {
	for (const key of Object.keys(object)) {
		if (object[key as keyof T] === undefined) {
			const present = Object.entries(object).filter(([, value]) => value !== undefined)
			return Object.fromEntries(present) as T
		}
	}
	return object
}

/** The object without its undefined members, or undefined when none is left. */
export function compactOrNone<T extends object>(object: T): T | undefined {
	const present = compact(object)
	return Object.keys(present).length === 0 ? undefined : present
}

/** A string that says something, or undefined: the empty string is the platforms' way to say nothing. */
export function nonEmpty(text: string | null | undefined): string | undefined {
	return text === '' || text === null ? undefined : text
}

/** The list, or undefined when it has no items. */
export function nonEmptyList<T>(list: readonly T[]): T[] | undefined {
	return list.length === 0 ? undefined : [...list]
}
