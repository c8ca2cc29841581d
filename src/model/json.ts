/** JSON values, and the reserved keys that no object may have. */
import * as v from 'valibot'

/** Any JSON value. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

/** Values under names that bot authors choose. A name may contain spaces, hyphens and any case; a value is any JSON. */
export type Attributes = { readonly [key: string]: Json }

/** Keys with a special meaning in JavaScript: rejected in every object, at every depth. */
export const reservedKeys: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype'])

/** The path of the first reserved key in a JSON value; undefined if it has none. */
export function findReservedKey(value: unknown): (string | number)[] | undefined {
	return findFrom(value)?.reverse()
}

/** The path from its end: it is only written when there is one. */
function findFrom(value: unknown): (string | number)[] | undefined {
	if (typeof value !== 'object' || value === null) return undefined
	if (Array.isArray(value)) {
		for (const [i, item] of value.entries()) {
			const deeper = findFrom(item)
			if (deeper) return [...deeper, i]
		}
		return undefined
	}
	for (const [key, member] of Object.entries(value)) {
		if (reservedKeys.has(key)) return [key]
		const deeper = findFrom(member)
		if (deeper) return [...deeper, key]
	}
	return undefined
}

/** Whether it is a JSON value without reserved keys. */
function isJson(value: unknown): value is Json {
	if (value === null || typeof value === 'string' || typeof value === 'boolean') return true
	if (typeof value === 'number') return Number.isFinite(value)
	return Array.isArray(value) ? value.every(isJson) : isJsonObject(value)
}

function isJsonObject(value: unknown): value is { [key: string]: Json } {
	if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
	const prototype: unknown = Object.getPrototypeOf(value)
	if (prototype !== Object.prototype && prototype !== null) return false
	for (const key in value) {
		if (reservedKeys.has(key) || !isJson(value[key as keyof typeof value])) return false
	}
	return true
}

// Not v.record: it silently drops `__proto__`, `prototype` and `constructor`.
export const Json = v.custom<Json>(isJson, 'must be a JSON value without reserved keys')

export const Attributes = v.custom<Attributes>(isJsonObject, 'must be an object of JSON values without reserved keys')

/** JSON values by adapter name. */
export const JsonByAdapter = v.custom<{ readonly [adapter: string]: Json }>(
	(value) => isJsonObject(value) && Object.keys(value).length > 0,
	'must be an object of JSON values by adapter name',
)
