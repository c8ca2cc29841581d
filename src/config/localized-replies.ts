/** Reads the replies of the configuration: one for everybody, or one for each language. */
import * as v from 'valibot'
import { CanonicalReply } from '../model/index.ts'
import type { LocalizedReplies } from '../route.ts'
import type { ConfigIssues, Path } from './issues.ts'

/** Stands for every language that has no reply of its own. */
const anyLanguage = '*'
// Enough of BCP 47 to catch a slip of the pen.
const languageTag = /^[A-Za-z]{2,8}(?:-[A-Za-z\d]{1,8})*$/

/** A reply for everybody, or replies by language; those that cannot be used are left out, and are mistakes. */
export function repliesOf(
	given: { readonly [key: string]: unknown },
	at: Path,
	findings: ConfigIssues,
): LocalizedReplies {
	if (Object.keys(given).length === 0) return []
	if ('messages' in given) {
		const reply = replyOf(given, at, findings)
		return reply ? [{ reply }] : []
	}
	const replies = Object.entries(given).flatMap(([language, value]) => {
		const here = [...at, language]
		if (language !== anyLanguage && !languageTag.test(language)) findings.issue(here, 'is not a language tag')
		const reply = replyOf(value, here, findings)
		return reply ? [{ language, reply }] : []
	})
	const others = replies.filter(({ language }) => language !== anyLanguage)
	return [...replies.filter(({ language }) => language === anyLanguage).map(({ reply }) => ({ reply })), ...others]
}

// A reply may be written short: what it leaves out is empty.
const ShortReply = v.looseObject({
	messages: v.optional(v.unknown(), []),
	attributes: v.optional(v.looseObject({}), {}),
})

function replyOf(value: unknown, at: Path, findings: ConfigIssues): CanonicalReply | undefined {
	const short = findings.parse(ShortReply, value, at)
	if (!short) return undefined
	const whole = { ...short, attributes: { session: {}, user: {}, ...short.attributes } }
	return findings.parse(CanonicalReply, whole, at)
}
