/** Replies that the configuration has, by language. */
import type { CanonicalReply } from './canonical.ts'

/** The first is for everybody whose language has none; none at all: nothing is configured. */
export type Replies = readonly { readonly language?: string; readonly reply: CanonicalReply }[]

/** The reply in this language (BCP 47): of the same tag, else of the same primary language, else the first. */
export function inLanguage(replies: Replies, language = ''): CanonicalReply | undefined {
	const primary = language.split('-')[0]
	const found =
		replies.find((each) => each.language === language) ??
		replies.find((each) => each.language === primary) ??
		replies[0]
	return found?.reply
}
