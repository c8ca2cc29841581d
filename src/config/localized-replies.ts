/** Reads the replies of the configuration: one for all languages, or one for each. */
import * as v from 'valibot'
import { CanonicalReply, relativeAddressesOf } from '../model/index.ts'
import type { LocalizedReplies } from '../route.ts'
import type { ConfigIssues, Path } from './issues.ts'

/** The key of the reply for all languages that have none of their own. */
const anyLanguage = '*'
// Enough of BCP 47 to catch a typo.
const languageTag = /^[A-Za-z]{2,8}(?:-[A-Za-z\d]{1,8})*$/

/** One reply for all languages, or replies by language. Leaves out invalid replies, and adds an error for each. */
export function readReplies(
	given: { readonly [key: string]: unknown },
	at: Path,
	issues: ConfigIssues,
): LocalizedReplies {
	if (Object.keys(given).length === 0) return []
	if ('messages' in given) {
		const reply = readConfiguredReply(given, at, issues)
		return reply ? [{ reply }] : []
	}
	const replies = Object.entries(given).flatMap(([language, value]) => {
		const here = [...at, language]
		if (language !== anyLanguage && !languageTag.test(language)) issues.error(here, 'is not a language tag')
		const reply = readConfiguredReply(value, here, issues)
		return reply ? [{ language, reply }] : []
	})
	const others = replies.filter(({ language }) => language !== anyLanguage)
	return [...replies.filter(({ language }) => language === anyLanguage).map(({ reply }) => ({ reply })), ...others]
}

// A reply in the configuration may leave out what is empty.
const PartialReply = v.looseObject({
	messages: v.optional(v.unknown(), []),
	attributes: v.optional(v.looseObject({}), {}),
})

function readConfiguredReply(value: unknown, at: Path, issues: ConfigIssues): CanonicalReply | undefined {
	const partial = issues.parse(PartialReply, value, at)
	if (!partial) return undefined
	const complete = { ...partial, attributes: { session: {}, user: {}, ...partial.attributes } }
	const reply = issues.parse(CanonicalReply, complete, at)
	for (const { path, expected } of reply ? relativeAddressesOf(reply) : []) {
		issues.error([...at, ...path], `must be ${expected}`)
	}
	return reply
}
