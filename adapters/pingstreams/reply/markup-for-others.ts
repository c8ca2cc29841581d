/** The text that asks for markup, in the fields of the model: for platforms that have no markup. */
import * as v from 'valibot'
import { type CanonicalReply, compact, compactOrNone, Json, matches } from '../../../src/format/index.ts'
import { type AnsweredDialect, name } from '../dialect.ts'
import { decodeMarkup, defaultDelay, type ScriptState } from './script.ts'

/** The reply with the text that asks for markup as the engine reads it; named, too, if the model has no field for some of it. */
export function withMarkupRead(reply: CanonicalReply, dialect: AnsweredDialect, caption: string): CanonicalReply {
	const { [name]: native, ...others } = reply.overrides ?? {}
	if (!matches(WithText, native)) return reply
	const { text, ...rest } = native
	const context = { dialect, caption, home: undefined, asWritten: false }
	const state: ScriptState = { context, control: {}, hidden: [] }
	const isAlone = reply.messages.length === 0
	const { messages, unread } = isAlone
		? decodeMarkup({ text }, [], state)
		: { messages: [{ type: 'text' as const, text, delay: defaultDelay }], unread: [] }
	const left = compactOrNone(unread.length > 0 ? native : rest)
	return compact<CanonicalReply>({
		...reply,
		messages: [...reply.messages, ...messages],
		control: compactOrNone({ ...state.control, ...reply.control }),
		overrides: left ? { ...others, [name]: left } : compactOrNone(others),
	})
}

const WithText = v.objectWithRest({ text: v.string() }, Json)
