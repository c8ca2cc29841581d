/** What a push can express. */
import type { CanonicalReply, Carries } from '../../../src/format/index.ts'
import { targetPattern } from '../button-action.ts'
import { type Dialect, readsAnswers } from '../dialect.ts'
import { labelName, serverMarkup } from '../markup.ts'
import type { Options } from '../options.ts'
import { messageCarries, showsCards } from '../reply/carries.ts'

/** UTF-16 units of a text: with every one of them escaped, its message is within what the server accepts. */
const longestText = 80_000

/** What a push can say and do. Without a dialect and a channel: the most that there is. */
export function pushCarries(
	options: Options,
	{ dialect = 'runtime', channel }: { readonly dialect?: Dialect; readonly channel?: string | undefined },
): Carries<CanonicalReply> {
	const limits = { markup: serverMarkup, label: { escape: labelName }, url: {} }
	const { 'reply.cards': cards, 'reply.text': text, ...others } = messageCarries(options, limits)
	return {
		...others,
		'reply.text': { ...text, chars: longestText },
		'reply.text.buttons': { chars: longestText },
		...(cards && showsCards(channel) && { 'reply.cards': cards }),
		// A bot that is nothing but a URL has no intents.
		...(readsAnswers(dialect) && { 'reply.button.goto': { pattern: targetPattern(dialect) } }),
		// The page's values stand there.
		'reply.attributes.session': { reserved: ['payload'] },
		'reply.control.close': {},
		'reply.control.handover': {},
		'reply.control.handover.name': {},
		'reply.control.handover.id': {},
		'reply.control.blockInput': {},
		'reply.control.participants': {},
		'reply.control.tags': {},
	}
}
