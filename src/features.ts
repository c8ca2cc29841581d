/** What a format can express: the features of the model by name, their limits, and the changes made where they end. */
import type { CanonicalEvent, Message } from './canonical.ts'

const said = [
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
	...said,
	'reply.attributes.session',
	'reply.attributes.user',
	'reply.attributes.delete',
	'reply.control.close',
	'reply.control.handover',
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

export type MessageFeature = (typeof said)[number]
export type ReplyFeature = (typeof replyFeatures)[number]
export type EventFeature = (typeof eventFeatures)[number]
export type Feature = ReplyFeature | EventFeature

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
	/** The source of a regular expression that the string must match. */
	readonly pattern?: string
	/** The only values there are; the first takes the place of any other where one is required. */
	readonly values?: readonly string[]
	/** The format cannot leave it out: fit supplies it. `default` is what it supplies, where the model has no better. */
	readonly required?: true
	readonly default?: string
	/** Attribute values are strings, and nothing else. */
	readonly strings?: true
	/** User attributes are written into the session's. */
	readonly into?: 'session'
	/** The source of a regular expression: after each match the platform's markup is broken by a word joiner, U+2060. */
	readonly escape?: string
	/** The order in which the format has the kinds of message, and the kinds of which it has one a reply at most. */
	readonly order?: readonly Message['type'][]
	readonly single?: readonly Message['type'][]
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
