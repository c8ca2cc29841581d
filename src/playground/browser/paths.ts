/** Reads the paths that the gateway writes. */

const parts = /\["((?:[^"\\]|\\.)*)"\]|\[(\d{1,7})\]|([^.[\]]+)/g

/** The keys of a path as `fieldPath` writes it. */
export function keysOfPath(path: string): (string | number)[] {
	return [...path.matchAll(parts)].map(([, quoted, index, plain = '']) => {
		if (quoted !== undefined) return String(JSON.parse(`"${quoted}"`))
		return index === undefined ? plain : Number(index)
	})
}
