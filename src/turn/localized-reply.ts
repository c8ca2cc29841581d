/** Picks a configured reply by language. */
import type { CanonicalReply } from '../model/index.ts'
import type { LocalizedReplies } from '../route.ts'

/** The reply in this language (BCP 47, in any case): of the same tag, else of the same primary language, else the first. */
export function pickByLanguage(replies: LocalizedReplies, language = ''): CanonicalReply | undefined {
	const tag = language.toLowerCase()
	const of = (wanted: string | undefined) => replies.find((each) => each.language?.toLowerCase() === wanted)
	return (of(tag) ?? of(tag.split('-')[0]) ?? replies[0])?.reply
}
