/**
 * Finds what of a decoded event or reply is over the limits of the model. The schemas state those of lists and attributes,
 * too; that of all elements is for what comes in only, since what is converted for a platform may have some more.
 */
import { limits } from '../limits.ts'
import type { CanonicalEvent } from './event.ts'
import type { Attributes } from './json.ts'
import type { Message } from './message.ts'
import type { CanonicalReply } from './reply.ts'

/** A list or attributes over a limit. */
interface Excess {
	/** The path in the model. */
	readonly field: string
	readonly limit: number
	/** What there may be at most, in words. */
	readonly expected: string
}

type Found = Excess | undefined

/** The first part of the event that is over a limit. */
export function excessOfEvent({ attributes, user, trigger, contexts, media, defaultReply }: CanonicalEvent): Found {
	return (
		inAttributes('attributes', attributes) ??
		inAttributes('user.attributes', user?.attributes) ??
		inAttributes('trigger.parameters', trigger?.parameters) ??
		inList('media', media) ??
		inList('contexts', contexts) ??
		inEach(contexts, ({ parameters }) => inAttributes('parameters', parameters), 'contexts') ??
		inMessages('defaultReply', defaultReply)
	)
}

/** The first part of the reply that is over a limit. */
export function excessOfReply({ messages, attributes, control }: CanonicalReply): Found {
	return (
		inMessages('messages', messages) ??
		inAttributes('attributes.session', attributes.session) ??
		inAttributes('attributes.user', attributes.user) ??
		inList('control.tags', control?.tags) ??
		inList('control.participants.add', control?.participants?.add) ??
		inList('control.participants.remove', control?.participants?.remove)
	)
}

function inMessages(path: string, messages: readonly Message[] | undefined): Found {
	if (!messages) return undefined
	const limit = limits.elements.value
	return (
		inList(path, messages) ??
		inEach(messages, inMessage, path) ??
		(countElements(messages) > limit ? { field: path, limit, expected: `at most ${limit} elements in all` } : undefined)
	)
}

function countElements(messages: readonly Message[]): number {
	let count = messages.length
	for (const message of messages) {
		if (message.type === 'text') count += (message.alternatives?.length ?? 0) + (message.buttons?.length ?? 0)
		else if (message.type === 'choices') count += message.choices.length
		else if (message.type === 'cards') {
			count += message.cards.length
			for (const { buttons } of message.cards) count += buttons?.length ?? 0
		}
	}
	return count
}

function inMessage(message: Message): Found {
	switch (message.type) {
		case 'text':
			return inList('alternatives', message.alternatives) ?? inList('buttons', message.buttons)
		case 'choices':
			return inList('choices', message.choices)
		case 'cards':
			return (
				inList('cards', message.cards) ?? inEach(message.cards, ({ buttons }) => inList('buttons', buttons), 'cards')
			)
		default:
			return undefined
	}
}

function inList(field: string, list: readonly unknown[] | undefined): Found {
	const limit = limits.listItems.value
	return list && list.length > limit ? { field, limit, expected: `at most ${limit} items` } : undefined
}

function inAttributes(field: string, attributes: Attributes | undefined): Found {
	const limit = limits.attributes.value
	return attributes && Object.keys(attributes).length > limit
		? { field, limit, expected: `at most ${limit} attributes` }
		: undefined
}

/** The first excess in an item of a list; `path` is that of the list. Paths of items are made for what is found alone. */
function inEach<T>(list: readonly T[] | undefined, find: (item: T) => Found, path: string): Found {
	if (!list) return undefined
	for (let i = 0; i < list.length; i++) {
		const item = list[i]
		const found = item === undefined ? undefined : find(item)
		if (found) return { ...found, field: `${path}[${i}].${found.field}` }
	}
	return undefined
}
