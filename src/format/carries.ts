/** What a format can express: features of the model with their limits. */
import type { CanonicalEvent, EventFeature, Feature, Message, MessageFeature, ReplyFeature } from '../model/index.ts'

/** A message's type, with texts that have buttons told apart. */
export type MessageKind = Message['type'] | 'buttons'

/** The kind of a message. */
export function kindOf(message: Message): MessageKind {
	return message.type === 'text' && message.buttons ? 'buttons' : message.type
}

/** How far a format carries a feature. No limit given: as far as the model goes. */
export interface Limit {
	/** UTF-16 units at most: of the string, of an attribute's value, or of the text that the buttons hang on. */
	readonly chars?: number
	/** UTF-8 bytes at most, of the encoded body. */
	readonly bytes?: number
	/** Items at most, in one list. */
	readonly items?: number
	/** Numbers outside are brought to the nearer end. */
	readonly min?: number
	readonly max?: number
	/** The source of a regular expression that the string must match; `^` and `$` are its ends. */
	readonly pattern?: string
	/** A URL: white space at its ends goes, and within it is percent-encoded. */
	readonly url?: true
	/** The only values there are; the first takes the place of any other where one is required. */
	readonly values?: readonly string[]
	/**
	 * The format cannot leave it out: fit supplies it. `default` is what it supplies, where the model has no better.
	 * Of `reply.text`: a reply has at least one text. Of `reply.control.handover.name`: departments and bots go by their
	 * name, and a human has none.
	 */
	readonly required?: true
	readonly default?: string
	/** Attribute values are strings, and nothing else. */
	readonly strings?: true
	/** Strings to which the format gives another meaning: neither they nor attributes of such a name are carried. */
	readonly reserved?: readonly string[]
	/** Names of secrets: attributes and members of attributes that have one, at any depth, are not carried. */
	readonly withheld?: readonly string[]
	/**
	 * It has no place of its own. `session`: user attributes are written among the session's. `text`: a choice's label or
	 * a file's name stands where the user's words do.
	 */
	readonly into?: 'session' | 'text'
	/**
	 * No field tells it. Of `event.kind`: it follows from what the event holds. Of a media type: sounds, films and other
	 * files are told apart by it alone, so that one that says another kind is not carried.
	 */
	readonly derived?: true
	/** The source of a regular expression: after each match, with `^` and `$` at lines, a word joiner (U+2060) breaks the markup. */
	readonly escape?: string
	/** The format has alternatives only of a text without buttons. */
	readonly plain?: true
	/** The order in which the format has its kinds of message; kinds in one group keep the author's order. */
	readonly order?: readonly (readonly MessageKind[])[]
	/** The format has one set of choices a reply at most, after everything else. */
	readonly single?: true
}

/** What a leg carries. A feature that is absent is not carried. */
export type Carries<Model> = {
	readonly [F in Model extends CanonicalEvent ? EventFeature | MessageFeature : ReplyFeature]?: Limit
}

/** Every one of these features, without a limit. */
export function allOf<F extends Feature>(features: readonly F[]): { readonly [feature in F]: Limit } {
	return Object.fromEntries(features.map((feature) => [feature, {}])) as { [feature in F]: Limit }
}
