/** Addresses in normal form: each is one piece, its white space encoded where the format wants it so. */
import { compact } from '../format/index.ts'
import type { Button, Card, Feature, Message } from '../model/index.ts'
import { type Fitting, note } from './context.ts'

/** The message with its URLs as the format takes them; what becomes of URLs that it does not take is decided later. */
export function fitUrls(fitting: Fitting, message: Message, path: string): Message {
	switch (message.type) {
		case 'text':
			return message.buttons ? { ...message, buttons: fitButtonUrls(fitting, message.buttons, path) } : message
		case 'cards':
			return { ...message, cards: message.cards.map((card, i) => fitCardUrls(fitting, card, `${path}.cards[${i}]`)) }
		case 'choices':
			return message
		default:
			return { ...message, url: fitUrl(fitting, `reply.${message.type}`, message.url, `${path}.url`) }
	}
}

function fitCardUrls(fitting: Fitting, card: Card, path: string): Card {
	const { imageUrl, url, buttons } = card
	return compact({
		...card,
		imageUrl: imageUrl && fitUrl(fitting, 'reply.card.image', imageUrl, `${path}.imageUrl`),
		url: url && fitUrl(fitting, 'reply.card.url', url, `${path}.url`),
		buttons: buttons && fitButtonUrls(fitting, buttons, path),
	})
}

function fitButtonUrls(fitting: Fitting, buttons: readonly Button[], path: string): Button[] {
	return buttons.map((button, i) => {
		if (!('url' in button)) return button
		const feature = `reply.button.${button.type}` as const
		const carried = fitting.carries[feature] ? feature : 'reply.button.link'
		return { ...button, url: fitUrl(fitting, carried, button.url, `${path}.buttons[${i}].url`) }
	})
}

function fitUrl(fitting: Fitting, feature: Feature, url: string, path: string): string {
	if (fitting.carries[feature]?.blanks !== 'encoded') return url
	const fitted = url.trim().replace(/\s/gu, encodeURIComponent)
	if (fitted === '' || fitted === url) return url
	note(fitting, 'escaped', feature, path)
	return fitted
}
