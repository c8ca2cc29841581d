/** Replies that the configuration has, by language. */
import type { CanonicalReply } from './canonical.ts'

/** The first is for everybody whose language has none; none at all: nothing is configured. */
export type Replies = readonly { readonly language?: string; readonly reply: CanonicalReply }[]

/** The reply in this language (BCP 47, in any case): of the same tag, else of the same primary language, else the first. */
export function inLanguage(replies: Replies, language = ''): CanonicalReply | undefined {
	const tag = language.toLowerCase()
	const of = (wanted: string | undefined) => replies.find((each) => each.language?.toLowerCase() === wanted)
	return (of(tag) ?? of(tag.split('-')[0]) ?? replies[0])?.reply
}
