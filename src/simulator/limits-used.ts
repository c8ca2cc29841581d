/** How much of each limit of a format a fitted reply uses. */
import type { Carries, Limit } from '../format/index.ts'
import type { Button, CanonicalReply, Card, Feature, Message, ReplyFeature } from '../model/index.ts'

/** The largest use that a reply makes of one limit. */
export interface LimitUse {
	readonly feature: ReplyFeature
	/** `chars`: UTF-16 units of one string. `items`: of one list. `bytes`: of the whole body. */
	readonly unit: 'chars' | 'items' | 'bytes'
	readonly used: number
	readonly limit: number
}

/** What stands in a reply for a feature: words, or the items of a list. */
type Part = readonly [feature: ReplyFeature, value: string | readonly unknown[] | undefined]

/** The largest use of each limit, the one that is nearest to its end first. `bytes`: of the reply as encoded. */
export function limitsUsed(reply: CanonicalReply, carries: Carries<CanonicalReply>, bytes: number): LimitUse[] {
	const limits: { readonly [F in Feature]?: Limit<F> } = carries
	const uses = new Map<string, LimitUse>()
	const add = (feature: ReplyFeature, unit: LimitUse['unit'], used: number, limit: number | undefined): void => {
		const key = `${feature} ${unit}`
		if (limit === undefined || used <= (uses.get(key)?.used ?? 0)) return
		uses.set(key, { feature, unit, used, limit })
	}
	for (const [feature, part] of partsOf(reply)) {
		const { chars, items } = limits[feature] ?? {}
		if (typeof part === 'string') add(feature, 'chars', part.length, chars)
		else if (part) add(feature, 'items', part.length, items)
	}
	add('reply', 'bytes', bytes, carries.reply?.bytes)
	return [...uses.values()].sort((a, b) => b.used / b.limit - a.used / a.limit)
}

function partsOf({ messages, control = {} }: CanonicalReply): Part[] {
	return [
		['reply.messages', messages],
		...messages.flatMap(partsOfMessage),
		['reply.control.handover.name', control.handover?.name],
		['reply.control.goto', control.goto],
		['reply.control.tags', control.tags],
	]
}

function partsOfMessage(message: Message): Part[] {
	switch (message.type) {
		case 'text': {
			const { text, alternatives, buttons } = message
			return [
				['reply.text', text],
				['reply.text.alternatives', alternatives],
				['reply.text.buttons', buttons],
				...partsOfButtons(buttons),
			]
		}
		case 'choices':
			return [
				['reply.choices.text', message.text],
				['reply.choices', message.choices],
				...message.choices.flatMap((choice): Part[] => [
					['reply.choice.title', choice.title],
					'value' in choice ? ['reply.choice.value', choice.value] : ['reply.choice.goto', choice.target],
				]),
			]
		case 'cards':
			return [['reply.cards', message.cards], ...message.cards.flatMap(partsOfCard)]
		case 'image':
			return [
				['reply.image', message.url],
				['reply.image.alt', message.alt],
			]
		default:
			return [
				[`reply.${message.type}`, message.url],
				['reply.media.name', message.name],
			]
	}
}

function partsOfCard({ title, subtitle, imageUrl, url, buttons }: Card): Part[] {
	return [
		['reply.card.title', title],
		['reply.card.subtitle', subtitle],
		['reply.card.image', imageUrl],
		['reply.card.url', url],
		['reply.card.buttons', buttons],
		...partsOfButtons(buttons),
	]
}

function partsOfButtons(buttons: readonly Button[] = []): Part[] {
	return buttons.flatMap((button): Part[] => [['reply.button.title', button.title], argumentOf(button)])
}

function argumentOf(button: Button): Part {
	switch (button.type) {
		case 'postback':
			return ['reply.button.postback', button.value]
		case 'goto':
			return ['reply.button.goto', button.target]
		case 'phone':
			return ['reply.button.phone', button.number]
		default:
			return [`reply.button.${button.type}`, button.url]
	}
}
