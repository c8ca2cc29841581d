/** The value of a header. */
import type { Fields } from '../format/index.ts'

/** The value of the header of this lower-case name, or all its values as a list (RFC 9110, section 5.3). */
export function fieldValue(headers: Fields, name: string): string | undefined {
	let found: string | undefined
	for (const [each, value] of headers) {
		if (each === name) found = found === undefined ? value : `${found}, ${value}`
	}
	return found
}
