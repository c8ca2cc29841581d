/** Half surrogate pairs, which no UTF-8 body can hold, become U+FFFD in every string of a value. */
import { memberPath } from '../format/index.ts'
import type { Feature } from '../model/index.ts'
import { type Fitting, note } from './context.ts'

/** The value with well-formed strings and keys; the value itself when it has no others. */
export function wellFormed<T>(fitting: Fitting, feature: Feature, value: T): T {
	return isWellFormed(value) ? value : (repaired(fitting, feature, value, '') as T)
}

function isWellFormed(value: unknown): boolean {
	if (typeof value === 'string') return value.isWellFormed()
	if (typeof value !== 'object' || value === null) return true
	if (Array.isArray(value)) return value.every(isWellFormed)
	return Object.entries(value).every(([key, member]) => key.isWellFormed() && isWellFormed(member))
}

function repaired(fitting: Fitting, feature: Feature, value: unknown, path: string): unknown {
	if (typeof value === 'string') {
		if (!value.isWellFormed()) note(fitting, 'converted', feature, path, 'unpaired surrogate replaced')
		return value.toWellFormed()
	}
	if (typeof value !== 'object' || value === null) return value
	if (Array.isArray(value)) return value.map((item, i) => repaired(fitting, feature, item, `${path}[${i}]`))
	const members: { [key: string]: unknown } = {}
	for (const [key, member] of Object.entries(value)) {
		const here = memberPath(path, key)
		const name = key.toWellFormed()
		if (Object.hasOwn(members, name)) {
			note(fitting, 'dropped', feature, here, 'another key has the same name after repair')
			continue
		}
		if (name !== key) note(fitting, 'converted', feature, here, 'unpaired surrogate replaced')
		members[name] = repaired(fitting, feature, member, here)
	}
	return members
}
