/** The `dragoman-changes` header: what was changed, losses first, for debugging a route. */
import type { WireResponse } from '../format/index.ts'
import type { TurnContext } from './context.ts'
import type { TurnRecord } from './log.ts'

/** Longest `dragoman-changes` header, in bytes: proxies cut or refuse larger ones. */
const maxChangesHeader = 4000

/** The answer with the changes in a header, on routes that are debugged; on all others the answer as it is. */
export function withChangesHeader(
	{ route }: TurnContext,
	{ changes, moreChanges, nameOf }: TurnRecord,
	answer: WireResponse,
): WireResponse {
	if (!route.debug) return answer
	const parts: string[] = []
	let length = 0
	for (const { did, feature, path } of changes) {
		const part = `${did} ${feature} ${nameOf(path)}`
		length += part.length + 2
		if (length > maxChangesHeader) break
		parts.push(part)
	}
	const more = changes.length - parts.length + moreChanges
	if (more > 0) parts.push(`and ${more} more`)
	return { ...answer, headers: [...answer.headers, ['dragoman-changes', parts.join(', ') || 'none']] }
}
