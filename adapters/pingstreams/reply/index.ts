/** The answer to an intent's webhook: Tiledesk/tiledesk-chatbot, index.js; Tiledesk/tiledesk-server, services/faqBotSupport.js. */
import {
	blankIsSilence,
	bodyAsJson,
	type CanonicalReply,
	type Carries,
	compact,
	compactOrNone,
	emptyReply,
	jsonResponse,
	matches,
	nonEmptyList,
	type ReplyLeg,
} from '../../../src/format/index.ts'
import { type AnsweredDialect, name } from '../dialect.ts'
import { mergeTags } from '../merge-tags.ts'
import type { Options } from '../options.ts'
import { encodeControl, encodeSetAttribute } from './actions.ts'
import { type DecodeState, decodeAnswer, encodeForRuntime, encodeForServer, readAnswer } from './answer.ts'
import { showsCards, translatedCarries, writtenCarries } from './carries.ts'
import { withMarkupRead } from './markup-for-others.ts'
import { encodeMessage } from './message.ts'
import { type Native, nativeSchema } from './native.ts'
import { refineTranslated, refineWritten } from './refine.ts'
import { defaultDelay, type Hidden, type ScriptState, type TimedMessage } from './script.ts'
import { seenByUser } from './seen.ts'

/** Who reads an answer. */
interface Reader {
	readonly dialect: AnsweredDialect
	/** The intent that called. */
	readonly home: string | undefined
	/** The channel of the user. Absent: the widget on the web. */
	readonly channel: string | undefined
}

/** Makes the leg of a dialect whose caller reads the answer. */
export function replyLegs(options: Options): (reader: Reader) => ReplyLeg {
	const { caption } = options
	const ofDialect = (dialect: AnsweredDialect) => {
		const context = { dialect, caption, home: undefined, asWritten: true }
		return {
			withCards: translatedCarries(dialect, options, true),
			withoutCards: translatedCarries(dialect, options, false),
			sameFormat: { ...legOf(context, writtenCarries(dialect, options)), refine: refineWritten },
		}
	}
	const legs = { runtime: ofDialect('runtime'), server: ofDialect('server') }
	return ({ dialect, home, channel }) => {
		const { withCards, withoutCards, sameFormat } = legs[dialect]
		return {
			...legOf({ dialect, caption, home, asWritten: false }, showsCards(channel) ? withCards : withoutCards),
			mergeTags,
			forOthers: (reply) => withMarkupRead(reply, dialect, caption),
			refine: refineTranslated(caption, home),
			seen: (reply, event) => seenByUser(reply, event, dialect),
			sameFormat,
		}
	}
}

function legOf(context: ScriptState['context'], carries: Carries<CanonicalReply>): ReplyLeg {
	const schema = nativeSchema(context)
	return {
		carries,
		native: { name, schema },

		decode: blankIsSilence((answer) => {
			// Whatever its media type: the platform parses every answer as JSON, such as PHP's, labelled as HTML.
			const body = bodyAsJson(answer)
			const { wire, unread } = readAnswer(body, context.dialect)
			const state: DecodeState = { context, control: {}, attributes: new Map(), hidden: [], before: 0 }
			const { messages, natives, unread: ignored } = decodeAnswer(wire, state)
			const native = compactOrNone<Native>({
				text: state.nativeText,
				hidden: nonEmptyList(state.hidden),
				before: nonEmptyList(natives.slice(0, state.before)),
				actions: nonEmptyList(natives.slice(state.before)),
			})
			return {
				model: compact<CanonicalReply>({
					messages,
					attributes: { ...emptyReply.attributes, session: Object.fromEntries(state.attributes) },
					control: compactOrNone(state.control),
					overrides: native && { [name]: native },
				}),
				unread: [...unread, ...ignored],
			}
		}),

		encode({ messages, attributes, control: { blockInput, ...control } = {}, overrides }) {
			const given = overrides?.[name]
			const native: Native = matches(schema, given) ? given : {}
			const timed: TimedMessage[] = messages.map((message) => ({
				delay: message.delay,
				message: encodeMessage(message, context),
			}))
			if (native.text !== undefined) {
				const message = { type: 'text', text: native.text, attributes: { markbot: true } }
				timed.push({ delay: timed.length > 0 ? defaultDelay : undefined, message })
			}
			const hidden = (native.hidden ?? []).map(encodeHidden)
			if (context.dialect === 'server') return jsonResponse(encodeForServer([...timed, ...hidden]))
			const actions = [...(native.actions ?? []), ...encodeControl(control)]
			const before = [...(native.before ?? []), ...Object.entries(attributes.session).map(encodeSetAttribute)]
			return jsonResponse(encodeForRuntime({ timed, hidden, before, actions, blockInput }))
		},
	}
}

function encodeHidden({ subtype, text }: Hidden): TimedMessage {
	return { delay: undefined, message: { type: 'text', text, attributes: { subtype } } }
}
