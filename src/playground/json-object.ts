/** Looks into JSON values. */
import type { Json } from '../model/index.ts'

/** The members of an object. */
export type Members = { readonly [key: string]: Json }

export function isObject(value: Json | undefined): value is Members {
	return typeof value === 'object' && value !== null && !Array.isArray(value)
}
