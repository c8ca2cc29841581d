/** Paths of keys and indices as text. */

const plainName = /^[\w$-]{1,64}$/

export function join(path: string, key: string): string {
	if (!plainName.test(key)) return `${path}[${JSON.stringify(key.slice(0, 64))}]`
	return path === '' ? key : `${path}.${key}`
}

/** A path of keys and indices as text: `result.contexts[1].name`. Long keys are cut. */
export function fieldPath(keys: readonly (string | number)[]): string {
	return keys.reduce<string>((path, key) => (typeof key === 'number' ? `${path}[${key}]` : join(path, key)), '')
}
