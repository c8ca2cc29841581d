/** What a format can express: features of the model, each with the limits that fit keeps for it. */
import * as v from 'valibot'
import {
	Button,
	CanonicalEvent,
	type EventFeature,
	type Feature,
	Message,
	type MessageFeature,
	type ReplyFeature,
} from '../model/index.ts'
import type { MessageKind } from './message-kind.ts'

const kind = v.picklist([...Message.options.map(({ entries }) => entries.type.literal), 'buttons'])

const listOf = <S extends v.GenericSchema>(item: S) => v.pipe(v.array(item), v.readonly())
const mark = v.optional(v.literal(true))

// The limits, each with one meaning wherever it stands.

/** UTF-16 units at most. Words beyond are split or cut; addresses, values and ids are not carried. */
const chars = v.optional(v.number())
/** UTF-8 bytes at most, of the encoded body. */
const bytes = v.optional(v.number())
/** Items at most, in one list. */
const items = v.optional(v.number())
/** Numbers outside are brought to the nearer end. */
const min = v.optional(v.number())
const max = v.optional(v.number())
/** The source of a regular expression that the string must match; `^` and `$` are its ends. */
const pattern = v.optional(v.string())
/** Text of white space alone is not carried. */
const notBlank = mark
/** The source of a regular expression: after each match, with `^` and `$` at lines, a word joiner (U+2060) breaks the markup. */
const markup = v.optional(v.string())
/** White space at the ends of an address goes, and between them it is percent-encoded. */
const blanks = v.optional(v.literal('encoded'))
/** Strings to which the format gives another meaning: neither they nor attributes of such a name are carried. */
const reserved = v.optional(listOf(v.string()))
/** Attribute values are strings, and nothing else. */
const strings = mark
/** The format cannot leave it out. Fit supplies it, or what it belongs to is not carried. */
const required = mark
/** What fit supplies where there is none: the format cannot leave it out. */
const defaultText = v.optional(v.string())
const defaultNumber = v.optional(v.number())
/** The format has alternatives only of a text without buttons. */
const withoutButtons = mark
/** Buttons of several texts may show in one place: those of one title that do different things are told apart. */
const apart = mark
/** User attributes have no place of their own: they are written among the session's, under the session's limits. */
const foldedInto = v.literal('session')
/** The only values there are; the first takes the place of any other where one is required. */
const valuesOf = <S extends v.GenericSchema>(value: S) => v.pipe(v.tupleWithRest([value], value), v.readonly())
/** The order in which the format has its kinds of message; kinds in one group keep the author's order. */
const order = v.optional(listOf(listOf(kind)))
/** The format has one set of choices a reply at most, after everything else. */
const single = v.literal(true)
type ChoicesLast = readonly [...(readonly Exclude<MessageKind, 'choices'>[])[], readonly ['choices']]
const choicesLast = v.optional(
	v.custom<ChoicesLast>(
		(groups) => Array.isArray(groups) && groups.findIndex((group) => group.includes('choices')) === groups.length - 1,
	),
)

// Which of them there are for what.

/** Carried or not. */
const Flag = v.strictObject({})
const Count = v.strictObject({ items })
/** Words that are split into several messages where they are too long. */
const Text = v.strictObject({ chars, escape: markup, notBlank, required, default: defaultText })
/** Words that something hangs on. */
const Heading = v.strictObject({ chars, required })
/** Words that are cut where they are too long. */
const Label = v.strictObject({ chars, escape: markup })
/** Words that are cut where they are too long, and left out where the format cannot hold them. */
const Caption = v.strictObject({ chars, escape: markup, pattern, reserved, default: defaultText })
/** A string that is carried as it is, or not at all. */
const Name = v.strictObject({ pattern, reserved, default: defaultText })
/** A name that fit can supply. */
const Id = v.strictObject({ pattern, reserved, required, default: defaultText })
/** A name; the trigger's own name takes its place in events of another format, which has no such field. */
const Action = v.strictObject({ pattern, reserved, default: defaultText, fromName: mark })
/** What a button, a choice or a jump stands for. */
const Argument = v.strictObject({ chars, pattern, reserved })
const Address = v.strictObject({ chars, pattern, blanks })
const attributes = { strings, chars, reserved, items }
const Attributes = v.strictObject(attributes)

const oneOf = <S extends v.GenericSchema>(value: S) =>
	v.union([
		v.strictObject({ values: v.optional(valuesOf(value)) }),
		v.strictObject({ values: valuesOf(value), required: v.literal(true) }),
	])

const { kind: eventKind, sender, media, trigger } = CanonicalEvent.entries
const [, , webview] = Button.options
const handover = v.picklist(['human', 'department', 'bot'])

/** The limits that fit keeps, by feature, as schemas. A union: limits of which one needs or excludes another. */
export const featureLimits = {
	reply: v.strictObject({ bytes }),
	'reply.messages': v.union([v.strictObject({ items, order }), v.strictObject({ items, single, order: choicesLast })]),
	'reply.text': Text,
	'reply.text.alternatives': v.strictObject({ items, withoutButtons }),
	'reply.text.buttons': v.strictObject({ items, chars }),
	'reply.image': Address,
	'reply.image.alt': Caption,
	'reply.video': Address,
	'reply.audio': Address,
	'reply.file': Address,
	'reply.media.name': Caption,
	'reply.media.mimeType': Name,
	'reply.choices': Count,
	'reply.choices.text': Heading,
	'reply.choice.title': Label,
	'reply.choice.value': Argument,
	'reply.choice.goto': Argument,
	'reply.cards': Count,
	'reply.card.title': Label,
	'reply.card.subtitle': v.strictObject({ chars, escape: markup, required }),
	'reply.card.image': v.strictObject({ chars, pattern, blanks, required }),
	'reply.card.url': Address,
	'reply.card.buttons': v.strictObject({ items, required }),
	'reply.button.title': v.union([Label, v.strictObject({ escape: markup, apart })]),
	'reply.button.postback': Argument,
	'reply.button.link': Address,
	'reply.button.webview': Address,
	'reply.button.webview.height': oneOf(webview.entries.height.wrapped),
	'reply.button.phone': Argument,
	'reply.button.goto': Argument,
	'reply.delay': v.strictObject({ min, max, default: defaultNumber }),
	'reply.instead': Flag,
	'reply.attributes.session': Attributes,
	'reply.attributes.user': v.union([Attributes, v.strictObject({ foldedInto })]),
	'reply.attributes.delete': Flag,
	'reply.control.close': Flag,
	'reply.control.handover': v.strictObject({ values: v.optional(valuesOf(handover)) }),
	'reply.control.handover.name': Argument,
	'reply.control.handover.id': Argument,
	'reply.control.goto': Argument,
	'reply.control.blockInput': Flag,
	'reply.control.participants': Flag,
	'reply.control.tags': Count,
	'reply.overrides': Flag,

	event: Flag,
	'event.id': Id,
	'event.kind': v.strictObject({ values: v.optional(valuesOf(eventKind)) }),
	'event.occurredAt': v.strictObject({ required }),
	'event.channel': Name,
	'event.sender': oneOf(sender.wrapped),
	'event.bot.id': Name,
	'event.bot.name': Caption,
	'event.bot.project': Name,
	'event.conversation': v.union([Name, v.strictObject({ required: v.literal(true) })]),
	'event.user.id': Id,
	'event.user.externalId': Name,
	'event.user.name': Caption,
	'event.user.email': Name,
	'event.user.phone': Name,
	'event.user.attributes': Attributes,
	'event.language': Name,
	'event.text': Caption,
	'event.choice': Flag,
	'event.choice.label': Flag,
	'event.media': v.strictObject({ items, values: v.optional(valuesOf(media.wrapped.item.entries.kind)) }),
	'event.media.name': Caption,
	'event.media.mimeType': Name,
	'event.media.width': Flag,
	'event.media.height': Flag,
	'event.trigger': oneOf(trigger.wrapped.entries.kind),
	'event.trigger.id': Name,
	'event.trigger.name': Caption,
	'event.trigger.action': Action,
	'event.trigger.confidence': Flag,
	'event.trigger.parameters': Attributes,
	'event.attributes': Attributes,
	'event.contexts': Count,
	'event.contexts.id': Name,
	'event.contexts.name': Caption,
	'event.contexts.action': Name,
	'event.contexts.parameters': Attributes,
	'event.defaultReply': Flag,
	'event.extensions': Flag,
} satisfies { readonly [F in Feature]: v.GenericSchema }

type Kept<F extends Feature> = v.InferOutput<(typeof featureLimits)[F]>
type KeysOf<L> = L extends unknown ? keyof L : never

/** The name of a limit. */
export type LimitName = KeysOf<Kept<Feature>>

// Other limits are named as `never`, so that none passes in an object made elsewhere.
type Only<L> = L extends unknown ? Readonly<L> & { readonly [N in Exclude<LimitName, keyof L>]?: never } : never

/** How far a format carries a feature. No limit given: as far as the model goes. */
export type Limit<F extends Feature = Feature> = Only<Kept<F>>

/** What a leg carries. A feature that is absent is not carried. */
export type Carries<Model> = {
	readonly [F in Model extends CanonicalEvent ? EventFeature | MessageFeature : ReplyFeature]?: Limit<F>
}
