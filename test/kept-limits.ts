/** The law behind `carries`: fit keeps every limit that a format can state. */
import { expect } from 'vitest'
import type { Carries, Limit } from '../src/format/index.ts'
import type { Attributes, Button, CanonicalEvent, CanonicalReply, Card, Feature, Message } from '../src/model/index.ts'

/** What stands in a value for a feature. Undefined: nothing, where there could be something. */
type Part = readonly [feature: Feature, value: string | number | readonly unknown[] | Attributes | undefined]

/** Fails where a part of the value is beyond the limits of its feature. */
export function keepsLimits(
	carries: Carries<CanonicalReply> | Carries<CanonicalEvent>,
	value: CanonicalReply | CanonicalEvent,
): void {
	const limits: { readonly [F in Feature]?: Limit<F> } = carries
	for (const [feature, part] of 'messages' in value ? partsOfReply(value) : partsOfEvent(value)) {
		const limit = limits[feature]
		// Formats say nothing of messages as such, unless they limit them.
		if (part !== undefined && feature !== 'reply.messages') expect(limit, `${feature} is carried`).toBeDefined()
		if (limit) expect(broken(limit, part), `the limits of ${feature} that ${JSON.stringify(part)} breaks`).toEqual([])
	}
}

function broken(limit: Limit, part: Part[1]): string[] {
	const { chars, items, min, max, pattern, notBlank, escape: markup, blanks, values, reserved, strings } = limit
	const broken: { readonly [name: string]: boolean } =
		part === undefined
			? // What fit supplies must satisfy the limits, too.
				{ required: limit.required === true && !pattern && !reserved, default: limit.default !== undefined }
			: typeof part === 'string'
				? {
						chars: chars !== undefined && part.length > chars,
						pattern: pattern !== undefined && !new RegExp(pattern, 'u').test(part) && part !== limit.default,
						notBlank: notBlank === true && part.trim() === '',
						escape: markup !== undefined && new RegExp(`(?:${markup})(?!\u2060)`, 'mu').test(part),
						blanks: blanks === 'encoded' && part.trim() !== '' && /\s/.test(part),
						values: values !== undefined && !values.some((each) => each === part),
						reserved: reserved?.includes(part) === true && part !== limit.default,
					}
				: typeof part === 'number'
					? { min: min !== undefined && part < min, max: max !== undefined && part > max }
					: isList(part)
						? { items: items !== undefined && part.length > items }
						: {
								items: items !== undefined && Object.keys(part).length > items,
								reserved: Object.keys(part).some((key) => reserved?.includes(key)),
								strings: strings === true && Object.values(part).some((each) => typeof each !== 'string'),
								chars: Object.values(part).some(
									(each) => typeof each === 'string' && each.length > (chars ?? Infinity),
								),
							}
	return Object.keys(broken).filter((name) => broken[name])
}

// Array.isArray does not narrow a readonly list.
function isList(part: readonly unknown[] | Attributes): part is readonly unknown[] {
	return Array.isArray(part)
}

function partsOfReply({ messages, attributes, control = {} }: CanonicalReply): Part[] {
	const { handover, goto, tags } = control
	return [
		['reply.messages', messages],
		...messages.flatMap(partsOfMessage),
		['reply.attributes.session', something(attributes.session)],
		['reply.attributes.user', something(attributes.user)],
		['reply.control.handover', handover?.to],
		['reply.control.handover.name', handover?.name],
		['reply.control.handover.id', handover?.id],
		['reply.control.goto', goto],
		['reply.control.tags', tags],
	]
}

function something(attributes: Attributes): Attributes | undefined {
	return Object.keys(attributes).length > 0 ? attributes : undefined
}

function partsOfMessage(message: Message): Part[] {
	const delay: Part = ['reply.delay', message.delay]
	switch (message.type) {
		case 'text': {
			const { text, alternatives, buttons } = message
			if (!buttons) return [delay, ['reply.text', text], ...given('reply.text.alternatives', alternatives)]
			return [
				delay,
				['reply.text.buttons', text],
				['reply.text.buttons', buttons],
				...given('reply.text.alternatives', alternatives),
				...buttons.flatMap(partsOfButton),
			]
		}
		case 'image':
			return [delay, ['reply.image', message.url], ['reply.image.alt', message.alt]]
		case 'choices':
			return [
				delay,
				['reply.choices.text', message.text],
				['reply.choices', message.choices],
				...message.choices.flatMap((choice): Part[] => [
					['reply.choice.title', choice.title],
					'target' in choice ? ['reply.choice.goto', choice.target] : ['reply.choice.value', undefined],
				]),
			]
		case 'cards':
			return [delay, ['reply.cards', message.cards], ...message.cards.flatMap(partsOfCard)]
		default:
			return [
				delay,
				[`reply.${message.type}`, message.url],
				['reply.media.name', message.name],
				['reply.media.mimeType', message.mimeType],
			]
	}
}

function given(feature: Feature, part: Part[1]): Part[] {
	return part === undefined ? [] : [[feature, part]]
}

function partsOfCard({ title, subtitle, imageUrl, url, buttons }: Card): Part[] {
	return [
		['reply.card.title', title],
		['reply.card.subtitle', subtitle],
		['reply.card.image', imageUrl],
		['reply.card.url', url],
		['reply.card.buttons', buttons],
		...(buttons ?? []).flatMap(partsOfButton),
	]
}

function partsOfButton(button: Button): Part[] {
	const title: Part = ['reply.button.title', button.title]
	switch (button.type) {
		case 'postback':
			return [title, ['reply.button.postback', button.value]]
		case 'link':
			return [title, ['reply.button.link', button.url]]
		case 'webview':
			return [title, ['reply.button.webview', button.url], ['reply.button.webview.height', button.height]]
		case 'phone':
			return [title, ['reply.button.phone', button.number]]
		case 'goto':
			return [title, ['reply.button.goto', button.target]]
	}
}

function partsOfEvent(event: CanonicalEvent): Part[] {
	const { user, bot, trigger, media, contexts } = event
	return [
		['event.id', event.id],
		['event.kind', event.kind],
		['event.occurredAt', event.occurredAt],
		['event.channel', event.channel],
		['event.sender', event.sender],
		['event.bot.id', bot?.id],
		['event.bot.name', bot?.name],
		['event.bot.project', bot?.project],
		['event.conversation', event.conversation],
		['event.user.id', user?.id],
		['event.user.externalId', user?.externalId],
		['event.user.name', user?.name],
		['event.user.email', user?.email],
		['event.user.phone', user?.phone],
		['event.user.attributes', user && something(user.attributes)],
		['event.language', event.language],
		['event.text', event.text],
		['event.media', media],
		...(media ?? []).flatMap((file): Part[] => [
			['event.media', file.kind],
			['event.media.name', file.name],
			['event.media.mimeType', file.mimeType],
		]),
		['event.trigger', trigger?.kind],
		...(trigger
			? ([
					['event.trigger.id', trigger.id],
					['event.trigger.name', trigger.name],
					['event.trigger.action', trigger.action],
					['event.trigger.parameters', trigger.parameters],
				] satisfies Part[])
			: []),
		['event.attributes', something(event.attributes)],
		['event.contexts', contexts],
		...(contexts ?? []).flatMap((context): Part[] => [
			['event.contexts.id', context.id],
			['event.contexts.name', context.name],
			['event.contexts.action', context.action],
			['event.contexts.parameters', context.parameters],
		]),
	]
}
