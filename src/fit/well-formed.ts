/** Half surrogate pairs, which no UTF-8 body can hold, become U+FFFD in every string of a value. */
import { memberPath } from '../format/index.ts'
import type { Feature } from '../model/index.ts'
import { type Fitting, note } from './context.ts'

type Account = Pick<Fitting, 'changes'>

/** The value with well-formed strings and keys; the value itself when it has no others. */
export function wellFormed<T>(account: Account, feature: Feature, value: T): T {
	return isWellFormed(value) ? value : (repaired(account, feature, value, '') as T)
}

function isWellFormed(value: unknown): boolean {
	if (typeof value === 'string') return value.isWellFormed()
	if (typeof value !== 'object' || value === null) return true
	if (Array.isArray(value)) return value.every(isWellFormed)
	// Not by entries, which are a list for each member; and most members are strings.
	for (const key in value) {
		const member: unknown = value[key as keyof typeof value]
		if (!key.isWellFormed()) return false
		if (typeof member === 'string' ? !member.isWellFormed() : !isWellFormed(member)) return false
	}
	return true
}

function repaired(account: Account, feature: Feature, value: unknown, path: string): unknown {
	if (typeof value === 'string') {
		if (!value.isWellFormed()) note(account, 'converted', feature, path, 'unpaired surrogate replaced')
		return value.toWellFormed()
	}
	if (typeof value !== 'object' || value === null) return value
	if (Array.isArray(value)) return value.map((item, i) => repaired(account, feature, item, `${path}[${i}]`))
	const members: { [key: string]: unknown } = {}
	for (const [key, member] of Object.entries(value)) {
		const here = memberPath(path, key)
		const name = key.toWellFormed()
		if (Object.hasOwn(members, name)) {
			note(account, 'dropped', feature, here, 'another key has the same name after repair')
			continue
		}
		if (name !== key) note(account, 'converted', feature, here, 'unpaired surrogate replaced')
		members[name] = repaired(account, feature, member, here)
	}
	return members
}
