/** The names of the model's features: the parts of an event or a reply that a format may be able to express. */

/** All features of messages, which occur in replies and in the `defaultReply` of an event. */
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

/** All features of a reply, as paths of the model. An event leg uses the message features for its `defaultReply`. */
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

/** All features of an event, as paths of the model. */
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

/** A feature of a message. */
export type MessageFeature = (typeof messageFeatures)[number]

/** A feature of a reply, those of messages included. */
export type ReplyFeature = (typeof replyFeatures)[number]

/** A feature of an event. */
export type EventFeature = (typeof eventFeatures)[number]

/** A feature of an event or a reply. */
export type Feature = ReplyFeature | EventFeature
