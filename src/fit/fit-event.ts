/** An event in a format's normal form. */
import { compact, compactOrNone, type Leg, matches, nonEmptyList, type WireRequest } from '../format/index.ts'
import { limits } from '../limits.ts'
import { type Attributes, type CanonicalEvent, type Change, type EventFeature, eventFeatures } from '../model/index.ts'
import { fitAttributes, suffix } from './attributes.ts'
import { type Fitting, fitOneOf, fitString, isWithin, newFitting, note } from './context.ts'
import { fitMessages } from './messages.ts'
import { refine } from './refine.ts'
import type { FitContext, Fitted } from './types.ts'
import { wellFormed } from './well-formed.ts'

type Part<K extends keyof CanonicalEvent> = NonNullable<CanonicalEvent[K]> | undefined

/** The event as the format can hold it, and what was done to it. */
export function fitEvent(
	event: CanonicalEvent,
	leg: Leg<WireRequest, CanonicalEvent>,
	context: FitContext,
): Fitted<CanonicalEvent> {
	const changes: Change[] = []
	const whole = context.isWellFormed ? event : wellFormed({ changes }, 'event', event)
	if (holdsAll(leg) && !whole.defaultReply) return { value: whole, changes, offers: [] }

	// Only messages have origins to trace.
	const fitting = newFitting(whole.defaultReply ? leg : { carries: leg.carries }, context, changes)
	const given = fitChoice(fitting, whole)
	const head = {
		id: fitString(fitting, 'event.id', given.id, 'id', fitting.turnId),
		kind: fitKind(fitting, given.kind),
		occurredAt: fitString(fitting, 'event.occurredAt', given.occurredAt, 'occurredAt', fitting.receivedAt),
		channel: fitString(fitting, 'event.channel', given.channel, 'channel'),
		sender: fitOneOf(fitting, 'event.sender', fitting.carries['event.sender'], given.sender, 'sender'),
		bot: fitBot(fitting, given.bot),
	}
	const ids = [given.user?.id, fitting.turnId]
	const conversation = fitString(fitting, 'event.conversation', given.conversation, 'conversation', ...ids)
	const value = compact({
		...head,
		conversation,
		user: fitUser(fitting, given.user, conversation ?? given.conversation),
		language: fitString(fitting, 'event.language', given.language, 'language'),
		text: fitWords(fitting, whole, given.text),
		choice: given.choice,
		media: fitEventMedia(fitting, given.media),
		trigger: fitTrigger(fitting, given.trigger),
		attributes: fitAttributes(fitting, 'event.attributes', given.attributes, 'attributes'),
		contexts: fitContexts(fitting, given.contexts),
		defaultReply: fitDefaultReply(fitting, given.defaultReply),
		extensions: fitExtensions(fitting, leg, given.extensions),
	})
	return { value: refine(fitting, leg, value), changes: fitting.changes, offers: fitting.offers }
}

const complete = new WeakMap<Leg<WireRequest, CanonicalEvent>, boolean>()

/** Whether a leg carries every event as it stands, but for its messages, which are fitted in any case. */
function holdsAll(leg: Leg<WireRequest, CanonicalEvent>): boolean {
	const known = complete.get(leg)
	if (known !== undefined) return known
	const isUnlimited = (feature: EventFeature): boolean => {
		const limit = leg.carries[feature]
		return limit !== undefined && Object.keys(limit).length === 0
	}
	const isComplete = !leg.refine && eventFeatures.every(isUnlimited)
	complete.set(leg, isComplete)
	return isComplete
}

/** A choice where the format has choices; elsewhere the value in the place of the user's words. */
function fitChoice(fitting: Fitting, event: CanonicalEvent): CanonicalEvent {
	if (!event.choice) return event
	const { choice, ...others } = event
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

/** The words, which may be those of a choice that the format has no place for. */
function fitWords(fitting: Fitting, { choice, text: typed }: CanonicalEvent, text: Part<'text'>): Part<'text'> {
	const { 'event.choice': asChoice, 'event.text': asText } = fitting.carries
	if (asChoice || !asText || text === undefined || text !== choice?.value) {
		return fitString(fitting, 'event.text', text, 'text')
	}
	const before = fitting.changes.length
	const fitted = fitString(fitting, 'event.text', text, 'choice.value')
	if (typed !== text) return fitted
	// The user typed the same words: what is lost of the one is lost of the other.
	for (const { did, feature } of fitting.changes.slice(before)) note(fitting, did, feature, 'text')
	return fitted
}

/** The kind as it is, or the first that the format has: an event cannot be without one. */
function fitKind(fitting: Fitting, kind: CanonicalEvent['kind']): CanonicalEvent['kind'] {
	const { values } = fitting.carries['event.kind'] ?? {}
	if (fitting.carries['event.kind'] && (!values || values.includes(kind))) return kind
	note(fitting, values ? 'converted' : 'dropped', 'event.kind', 'kind')
	return values?.[0] ?? kind
}

function fitBot(fitting: Fitting, bot: Part<'bot'>): Part<'bot'> {
	return compactOrNone({
		id: fitString(fitting, 'event.bot.id', bot?.id, 'bot.id'),
		name: fitString(fitting, 'event.bot.name', bot?.name, 'bot.name'),
		project: fitString(fitting, 'event.bot.project', bot?.project, 'bot.project'),
	})
}

function fitUser(fitting: Fitting, user: Part<'user'>, conversation: string | undefined): Part<'user'> {
	const named = compactOrNone({
		id: fitString(fitting, 'event.user.id', user?.id, 'user.id', conversation, fitting.turnId),
		externalId: fitString(fitting, 'event.user.externalId', user?.externalId, 'user.externalId'),
		name: fitString(fitting, 'event.user.name', user?.name, 'user.name'),
		email: fitString(fitting, 'event.user.email', user?.email, 'user.email'),
		phone: fitString(fitting, 'event.user.phone', user?.phone, 'user.phone'),
	})
	const attributes = fitAttributes(fitting, 'event.user.attributes', user?.attributes ?? {}, 'user.attributes')
	return named || Object.keys(attributes).length > 0 ? { ...named, attributes } : undefined
}

function fitEventMedia(fitting: Fitting, media: Part<'media'>): Part<'media'> {
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
				name: fitString(fitting, 'event.media.name', rest.name, `${path}.name`),
				mimeType: fitString(fitting, 'event.media.mimeType', rest.mimeType, `${path}.mimeType`),
				width: ifCarried(fitting, 'event.media.width', rest.width, `${path}.width`),
				height: ifCarried(fitting, 'event.media.height', rest.height, `${path}.height`),
			}),
		]
	})
	return nonEmptyList(fitted)
}

function fitTrigger(fitting: Fitting, trigger: Part<'trigger'>): Part<'trigger'> {
	const kind = fitOneOf(fitting, 'event.trigger', fitting.carries['event.trigger'], trigger?.kind, 'trigger.kind')
	if (!kind) {
		if (trigger) note(fitting, 'dropped', 'event.trigger', 'trigger')
		return undefined
	}
	return compact({
		kind,
		id: fitString(fitting, 'event.trigger.id', trigger?.id, 'trigger.id'),
		name: fitString(fitting, 'event.trigger.name', trigger?.name, 'trigger.name'),
		action: fitAction(fitting, trigger, kind),
		confidence: ifCarried(fitting, 'event.trigger.confidence', trigger?.confidence, 'trigger.confidence'),
		parameters: fitParameters(fitting, 'event.trigger.parameters', trigger?.parameters, 'trigger.parameters'),
	})
}

/** The action; for an event of another format, the trigger's name where the format's backends choose what to do by it. */
function fitAction(fitting: Fitting, trigger: Part<'trigger'>, kind: string): string | undefined {
	const action = fitString(fitting, 'event.trigger.action', trigger?.action, 'trigger.action')
	const limit = fitting.carries['event.trigger.action']
	if (action !== undefined || trigger?.name === undefined || trigger.kind === kind || !limit?.fromName) return action
	if (!isWithin(trigger.name, limit)) return undefined
	note(fitting, 'added', 'event.trigger.action', 'trigger.action', 'the name')
	return trigger.name
}

function fitContexts(fitting: Fitting, contexts: Part<'contexts'>): Part<'contexts'> {
	const limit = fitting.carries['event.contexts']
	if (contexts && !limit) {
		note(fitting, 'dropped', 'event.contexts', 'contexts')
		return undefined
	}
	const fitted = (contexts ?? []).flatMap((context, i) => {
		const path = `contexts[${i}]`
		if (i >= (limit?.items ?? i + 1)) {
			note(fitting, 'dropped', 'event.contexts', path)
			return []
		}
		const one = compactOrNone({
			id: fitString(fitting, 'event.contexts.id', context.id, `${path}.id`),
			name: fitString(fitting, 'event.contexts.name', context.name, `${path}.name`),
			action: fitString(fitting, 'event.contexts.action', context.action, `${path}.action`),
			parameters: fitParameters(fitting, 'event.contexts.parameters', context.parameters, `${path}.parameters`),
		})
		return one ? [one] : []
	})
	return nonEmptyList(fitted)
}

function fitParameters(
	fitting: Fitting,
	feature: 'event.trigger.parameters' | 'event.contexts.parameters',
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
	const fitted = fitMessages(fitting, messages ?? [], 'defaultReply')
	const most = limits.listItems.value
	if (fitted.length > most) {
		note(fitting, 'dropped', 'event.defaultReply', 'defaultReply', `the last ${fitted.length - most}`)
	}
	return nonEmptyList(fitted.slice(0, most))
}

/** What another platform alone says is lost on this one; our own stays where it satisfies the format's schema. */
function fitExtensions(
	fitting: Fitting,
	leg: Leg<WireRequest, CanonicalEvent>,
	extensions: Part<'extensions'>,
): Part<'extensions'> {
	if (!extensions || fitting.carries['event.extensions']) return extensions
	const fitted = Object.entries(extensions).filter(([name, value]) => {
		const held = name === leg.native?.name && matches(leg.native.schema, value)
		if (!held) note(fitting, 'dropped', 'event.extensions', `extensions${suffix(name)}`)
		return held
	})
	return compactOrNone(Object.fromEntries(fitted))
}

/** The value where the format has a place for it. */
function ifCarried<T>(fitting: Fitting, feature: EventFeature, value: T | undefined, path: string): T | undefined {
	if (value === undefined || fitting.carries[feature]) return value
	note(fitting, 'dropped', feature, path)
	return undefined
}
