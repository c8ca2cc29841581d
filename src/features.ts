/** What a format can express: the features of the model by name, their limits, and the changes made where they end. */
import type { CanonicalEvent, Message } from './canonical.ts'

/** The features of messages, which stand in replies and in an event's `defaultReply`. */
export const messageFeatures = [
	'reply.text',
	'reply.text.alternatives',
	'reply.text.buttons',
	'reply.image',
	'reply.image.alt',
	'reply.video',
	'reply.audio',
	'reply.file',
	'reply.media.name',
	'reply.media.mimeType',
	'reply.choices',
	'reply.choices.text',
	'reply.choice.title',
	'reply.choice.value',
	'reply.choice.goto',
	'reply.cards',
	'reply.card.title',
	'reply.card.subtitle',
	'reply.card.image',
	'reply.card.url',
	'reply.card.buttons',
	'reply.button.title',
	'reply.button.postback',
	'reply.button.link',
	'reply.button.webview',
	'reply.button.webview.height',
	'reply.button.phone',
	'reply.button.goto',
	'reply.delay',
	'reply.instead',
] as const

/** All features of a reply: paths of the model. An event leg lists those of them that its `defaultReply` can hold. */
export const replyFeatures = [
	'reply',
	'reply.messages',
	...messageFeatures,
	'reply.attributes.session',
	'reply.attributes.user',
	'reply.attributes.delete',
	'reply.control.close',
	'reply.control.handover',
	'reply.control.handover.name',
	'reply.control.handover.id',
	'reply.control.goto',
	'reply.control.blockInput',
	'reply.control.participants',
	'reply.control.tags',
	'reply.overrides',
] as const

/** All features of an event: paths of the model. */
export const eventFeatures = [
	'event',
	'event.id',
	'event.kind',
	'event.occurredAt',
	'event.channel',
	'event.sender',
	'event.bot.id',
	'event.bot.name',
	'event.bot.project',
	'event.conversation',
	'event.user.id',
	'event.user.externalId',
	'event.user.name',
	'event.user.email',
	'event.user.phone',
	'event.user.attributes',
	'event.language',
	'event.text',
	'event.choice',
	'event.choice.label',
	'event.media',
	'event.media.name',
	'event.media.mimeType',
	'event.media.width',
	'event.media.height',
	'event.trigger',
	'event.trigger.id',
	'event.trigger.name',
	'event.trigger.action',
	'event.trigger.confidence',
	'event.trigger.parameters',
	'event.attributes',
	'event.contexts',
	'event.contexts.id',
	'event.contexts.name',
	'event.contexts.action',
	'event.contexts.parameters',
	'event.defaultReply',
	'event.extensions',
] as const

export type MessageFeature = (typeof messageFeatures)[number]
export type ReplyFeature = (typeof replyFeatures)[number]
export type EventFeature = (typeof eventFeatures)[number]
export type Feature = ReplyFeature | EventFeature

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
export type Features<Model> = {
	readonly [F in Model extends CanonicalEvent ? EventFeature | MessageFeature : ReplyFeature]?: Limit
}

/** One thing that fit did to a value so that the format can hold it. `path` is that of the value before. */
export interface Change {
	readonly path: string
	readonly feature: Feature
	readonly did: 'dropped' | 'shortened' | 'split' | 'merged' | 'converted' | 'added' | 'escaped'
	readonly detail?: string
}

/** Every one of these features, without a limit. */
export function allOf<F extends Feature>(features: readonly F[]): { readonly [feature in F]: Limit } {
	return Object.fromEntries(features.map((feature) => [feature, {}])) as { [feature in F]: Limit }
}
