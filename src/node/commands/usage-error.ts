/** Wrong usage of the command line: shown without a stack, with advice. */
import { namesLike } from '../../schema/index.ts'

/** The command was written wrongly. The message says what to write instead. */
export class UsageError extends Error {
	override readonly name = 'UsageError'
}

/** The end of a sentence about an unknown name: a full stop, or the name that was probably meant. */
export function didYouMean(written: string, names: readonly string[]): string {
	const suggested = namesLike(written, names)
	return suggested.length === 0 ? '.' : `; did you mean ${suggested.map((name) => `"${name}"`).join(' or ')}?`
}
