/** Writes the path of a field as text. */

const plainName = /^[\w$-]{1,64}$/

/** The path of a member. A key of unusual characters is quoted, and cut to 64 characters. */
export function memberPath(path: string, key: string): string {
	if (!plainName.test(key)) return `${path}[${JSON.stringify(key.slice(0, 64))}]`
	return path === '' ? key : `${path}.${key}`
}

/** A path of keys and indices as text: `result.contexts[1].name`. Long keys are cut to 64 characters. */
export function fieldPath(keys: readonly (string | number)[]): string {
	return keys.reduce<string>((path, key) => (typeof key === 'number' ? `${path}[${key}]` : memberPath(path, key)), '')
}
