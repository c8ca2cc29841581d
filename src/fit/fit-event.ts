/** An event in a format's normal form. */
import * as v from 'valibot'
import { compact, compactOrNone, type Leg, nonEmptyList, type WireRequest } from '../format/index.ts'
import type { Attributes, CanonicalEvent, EventFeature } from '../model/index.ts'
import { fitAttributes, suffix } from './attributes.ts'
import { type Fitting, fitLabel, note, within } from './context.ts'
import { fitKind, fitWords } from './inferred.ts'
import { saysKind } from './media.ts'
import { fitMessages } from './messages.ts'
import type { FitContext, Fitted } from './types.ts'
import { wellFormed } from './well-formed.ts'

type Part<K extends keyof CanonicalEvent> = NonNullable<CanonicalEvent[K]> | undefined

const kinds = ['message', 'choice', 'start', 'notice'] as const
const senders = ['user', 'bot', 'agent', 'system', 'unknown'] as const
const triggers = ['interaction', 'block', 'intent', 'module', 'webhook'] as const

/** The event as the format can hold it, and what was done to it. */
export function fitEvent(
	event: CanonicalEvent,
	leg: Leg<WireRequest, CanonicalEvent>,
	context: FitContext,
): Fitted<CanonicalEvent> {
	const fitting: Fitting = { ...context, carries: leg.carries, changes: [], offers: [], labels: new Map() }
	const { kind, text, choice, ...rest } = fitChoice(fitting, wellFormed(fitting, 'event', event))
	const value = compact({
		id: kept(fitting, 'event.id', rest.id, 'id', fitting.turnId),
		kind: oneOf(fitting, 'event.kind', kind, 'kind', kinds) ?? kind,
		occurredAt: kept(fitting, 'event.occurredAt', rest.occurredAt, 'occurredAt', fitting.receivedAt),
		channel: kept(fitting, 'event.channel', rest.channel, 'channel'),
		sender: oneOf(fitting, 'event.sender', rest.sender, 'sender', senders),
		bot: fitBot(fitting, rest.bot),
		conversation: kept(fitting, 'event.conversation', rest.conversation, 'conversation', rest.user?.id, fitting.turnId),
		user: fitUser(fitting, rest.user, rest.conversation),
		language: kept(fitting, 'event.language', rest.language, 'language'),
		text: kept(fitting, 'event.text', text, 'text'),
		choice,
		media: fitMedia(fitting, rest.media),
		trigger: fitTrigger(fitting, rest.trigger),
		attributes: fitAttributes(fitting, 'event.attributes', rest.attributes, 'attributes'),
		contexts: fitContexts(fitting, rest.contexts),
		defaultReply: fitDefaultReply(fitting, rest.defaultReply),
		extensions: fitExtensions(fitting, leg, rest.extensions),
	})
	return { value: fitKind(fitting, fitWords(fitting, value)), changes: fitting.changes, offers: fitting.offers }
}

/** A choice where the format has choices; elsewhere the value in the place of the user's words. */
function fitChoice(fitting: Fitting, event: CanonicalEvent): CanonicalEvent {
	const { choice, ...others } = event
	if (!choice) return event
	const { value, label } = choice
	if (fitting.carries['event.choice']) {
		if (label === undefined || fitting.carries['event.choice.label']) return event
		note(fitting, 'dropped', 'event.choice.label', 'choice.label')
		return { ...others, choice: { value } }
	}
	if (!fitting.carries['event.text']) {
		note(fitting, 'dropped', 'event.choice', 'choice')
		return others
	}
	note(fitting, 'converted', 'event.choice', 'choice.value', 'to text')
	if (label !== undefined) note(fitting, 'dropped', 'event.choice.label', 'choice.label')
	if (others.text !== undefined && others.text !== value) note(fitting, 'dropped', 'event.text', 'text')
	return { ...others, text: value }
}

function fitBot(fitting: Fitting, bot: Part<'bot'>): Part<'bot'> {
	return compactOrNone({
		id: kept(fitting, 'event.bot.id', bot?.id, 'bot.id'),
		name: kept(fitting, 'event.bot.name', bot?.name, 'bot.name'),
		project: kept(fitting, 'event.bot.project', bot?.project, 'bot.project'),
	})
}

function fitUser(fitting: Fitting, user: Part<'user'>, conversation: string | undefined): Part<'user'> {
	const named = compactOrNone({
		id: kept(fitting, 'event.user.id', user?.id, 'user.id', conversation, fitting.turnId),
		externalId: kept(fitting, 'event.user.externalId', user?.externalId, 'user.externalId'),
		name: kept(fitting, 'event.user.name', user?.name, 'user.name'),
		email: kept(fitting, 'event.user.email', user?.email, 'user.email'),
		phone: kept(fitting, 'event.user.phone', user?.phone, 'user.phone'),
	})
	const attributes = fitAttributes(fitting, 'event.user.attributes', user?.attributes ?? {}, 'user.attributes')
	return named || Object.keys(attributes).length > 0 ? { ...named, attributes } : undefined
}

function fitMedia(fitting: Fitting, media: Part<'media'>): Part<'media'> {
	const limit = fitting.carries['event.media']
	const fitted = (media ?? []).flatMap(({ kind, url, ...rest }, i) => {
		const path = `media[${i}]`
		if (!limit || i >= (limit.items ?? i + 1) || (limit.values && !limit.values.includes(kind))) {
			note(fitting, 'dropped', 'event.media', path)
			return []
		}
		return [
			compact({
				kind,
				url,
				name: kept(fitting, 'event.media.name', rest.name, `${path}.name`),
				mimeType: fitMimeType(fitting, kind, rest.mimeType, `${path}.mimeType`),
				width: carried(fitting, 'event.media.width', rest.width, `${path}.width`),
				height: carried(fitting, 'event.media.height', rest.height, `${path}.height`),
			}),
		]
	})
	return nonEmptyList(fitted)
}

function fitMimeType(
	fitting: Fitting,
	kind: Parameters<typeof saysKind>[3],
	mimeType: string | undefined,
	path: string,
): string | undefined {
	const feature = 'event.media.mimeType'
	if (saysKind(fitting, feature, mimeType, kind)) return kept(fitting, feature, mimeType, path)
	note(fitting, 'dropped', feature, path, 'says another kind')
	return undefined
}

function fitTrigger(fitting: Fitting, trigger: Part<'trigger'>): Part<'trigger'> {
	const kind = oneOf(fitting, 'event.trigger', trigger?.kind, 'trigger.kind', triggers)
	if (!kind) {
		if (trigger) note(fitting, 'dropped', 'event.trigger', 'trigger')
		return undefined
	}
	return compact({
		kind,
		id: kept(fitting, 'event.trigger.id', trigger?.id, 'trigger.id'),
		name: kept(fitting, 'event.trigger.name', trigger?.name, 'trigger.name'),
		action: kept(fitting, 'event.trigger.action', trigger?.action, 'trigger.action'),
		confidence: carried(fitting, 'event.trigger.confidence', trigger?.confidence, 'trigger.confidence'),
		parameters: fitParameters(fitting, 'event.trigger.parameters', trigger?.parameters, 'trigger.parameters'),
	})
}

function fitContexts(fitting: Fitting, contexts: Part<'contexts'>): Part<'contexts'> {
	if (contexts && !fitting.carries['event.contexts']) {
		note(fitting, 'dropped', 'event.contexts', 'contexts')
		return undefined
	}
	const fitted = (contexts ?? []).flatMap((context, i) => {
		const path = `contexts[${i}]`
		const one = compactOrNone({
			id: kept(fitting, 'event.contexts.id', context.id, `${path}.id`),
			name: kept(fitting, 'event.contexts.name', context.name, `${path}.name`),
			action: kept(fitting, 'event.contexts.action', context.action, `${path}.action`),
			parameters: fitParameters(fitting, 'event.contexts.parameters', context.parameters, `${path}.parameters`),
		})
		return one ? [one] : []
	})
	return nonEmptyList(fitted)
}

function fitParameters(
	fitting: Fitting,
	feature: EventFeature,
	parameters: Attributes | undefined,
	path: string,
): Attributes | undefined {
	return parameters && compactOrNone(fitAttributes(fitting, feature, parameters, path))
}

function fitDefaultReply(fitting: Fitting, messages: Part<'defaultReply'>): Part<'defaultReply'> {
	if (messages && !fitting.carries['event.defaultReply']) {
		note(fitting, 'dropped', 'event.defaultReply', 'defaultReply')
		return undefined
	}
	return nonEmptyList(fitMessages(fitting, messages ?? [], 'defaultReply'))
}

/** What another platform alone says is lost on this one; our own stays where it satisfies the format's schema. */
function fitExtensions(
	fitting: Fitting,
	leg: Leg<WireRequest, CanonicalEvent>,
	extensions: Part<'extensions'>,
): Part<'extensions'> {
	if (!extensions || fitting.carries['event.extensions']) return extensions
	const fitted = Object.entries(extensions).filter(([name, value]) => {
		const held = name === leg.native?.name && v.is(leg.native.schema, value)
		if (!held) note(fitting, 'dropped', 'event.extensions', `extensions${suffix(name)}`)
		return held
	})
	return compactOrNone(Object.fromEntries(fitted))
}

/** The value where the format has a place for it. */
function carried<T>(fitting: Fitting, feature: EventFeature, value: T | undefined, path: string): T | undefined {
	if (value === undefined || fitting.carries[feature]) return value
	note(fitting, 'dropped', feature, path)
	return undefined
}

/** The string within its limit; the first of `supply` that fits stands in where the format cannot do without one. */
function kept(
	fitting: Fitting,
	feature: EventFeature,
	value: string | undefined,
	path: string,
	...supply: (string | undefined)[]
): string | undefined {
	const limit = fitting.carries[feature]
	if (
		value !== undefined &&
		limit &&
		within(value, { pattern: limit.pattern, values: limit.values, reserved: limit.reserved })
	) {
		return fitLabel(fitting, feature, value, path)
	}
	if (value !== undefined) note(fitting, 'dropped', feature, path)
	if (!limit?.required) return undefined
	if (value === undefined) note(fitting, 'added', feature, path)
	return limit.default ?? limit.values?.[0] ?? supply.find((each) => each !== undefined && within(each, limit))
}

/** The value if the format has it, else the first that it has where it must have one. */
function oneOf<T extends string>(
	fitting: Fitting,
	feature: EventFeature,
	value: T | undefined,
	path: string,
	all: readonly T[],
): T | undefined {
	const limit = fitting.carries[feature]
	if (value !== undefined && limit && (!limit.values || limit.values.includes(value))) return value
	if (!limit?.required) {
		if (value !== undefined) note(fitting, 'dropped', feature, path)
		return undefined
	}
	note(fitting, value === undefined ? 'added' : 'converted', feature, path)
	return all.find((each) => each === limit.values?.[0])
}
