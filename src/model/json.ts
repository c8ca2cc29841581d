/** JSON values, and the reserved keys that no object may have. */
import * as v from 'valibot'

/** Any JSON value. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

/** Values under names that bot authors choose. A name may contain spaces, hyphens and any case; a value is any JSON. */
export type Attributes = { readonly [key: string]: Json }

/** Keys with a special meaning in JavaScript: rejected in every object, at every depth. */
export const reservedKeys: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype'])

/** The path of the first reserved key in a JSON value; undefined if it has none. */
export function findReservedKey(
	value: unknown,
	path: readonly (string | number)[] = [],
): readonly (string | number)[] | undefined {
	if (typeof value !== 'object' || value === null) return undefined
	for (const key of Object.keys(value)) {
		const here = [...path, Array.isArray(value) ? Number(key) : key]
		if (reservedKeys.has(key)) return here
		const deeper = findReservedKey((value as { [key: string]: unknown })[key], here)
		if (deeper) return deeper
	}
	return undefined
}

function isJson(value: unknown): value is Json {
	if (value === null || typeof value === 'string' || typeof value === 'boolean') return true
	if (typeof value === 'number') return Number.isFinite(value)
	if (Array.isArray(value)) return value.every(isJson)
	return isObject(value) && Object.values(value).every(isJson)
}

function isObject(value: unknown): value is { [key: string]: unknown } {
	if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
	const prototype = Object.getPrototypeOf(value)
	return prototype === Object.prototype || prototype === null
}

// Not v.record: it silently drops `__proto__`, `prototype` and `constructor`.
export const Json = v.custom<Json>(
	(value) => isJson(value) && !findReservedKey(value),
	'must be a JSON value without reserved keys',
)

export const Attributes = v.custom<Attributes>(
	(value) => isObject(value) && isJson(value) && !findReservedKey(value),
	'must be an object of JSON values without reserved keys',
)

/** JSON values by adapter name. */
export const JsonByAdapter = v.custom<{ readonly [adapter: string]: Json }>(
	(value) => isObject(value) && isJson(value) && !findReservedKey(value) && Object.keys(value).length > 0,
	'must be an object of JSON values by adapter name',
)
