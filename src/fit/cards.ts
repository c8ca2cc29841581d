/** Cards in normal form: carousels as long as the format has them, and plainer messages for cards it has not. */
import type { Limit } from '../format/index.ts'
import type { Card, Message } from '../model/index.ts'
import { canPress, sortButtons } from './buttons.ts'
import { type Fitting, fitLabel, isWithin, note } from './context.ts'
import { fitMedia } from './media.ts'
import { phrases } from './phrases.ts'
import { fitText, inGroups, withChoices } from './texts.ts'
import { urlInWords } from './urls.ts'

type Cards = Extract<Message, { type: 'cards' }>

/** Whether the format can show the card as a card, with all its parts. A long title or subtitle can be cut, a URL cannot. */
export function isWhole(fitting: Pick<Fitting, 'carries'>, card: Card): boolean {
	const { carries } = fitting
	const buttons = carries['reply.card.buttons']
	return (
		carries['reply.cards'] !== undefined &&
		hasRoom(carries['reply.card.subtitle'], card.subtitle !== undefined) &&
		hasRoom(carries['reply.card.image'], card.imageUrl !== undefined) &&
		(card.imageUrl === undefined || isWithin(card.imageUrl, carries['reply.card.image'] ?? {})) &&
		hasRoom(buttons, card.buttons !== undefined) &&
		(!buttons?.required || (card.buttons ?? []).some((button) => canPress(fitting, button)))
	)
}

/** A part that is there is carried, and a part that is required is there. */
function hasRoom(limit: Limit | undefined, given: boolean): boolean {
	return given ? limit !== undefined : !limit?.required
}

/** A carousel in the author's order: whole cards stay together, the others become plainer messages between them. */
export function fitCards(fitting: Fitting, message: Cards, path: string): Message[] {
	const fitted: Message[] = []
	let together: Card[] = []
	let rest: Message[] = []
	const finish = (): void => {
		const groups = inGroups(together, fitting.carries['reply.cards']?.items)
		if (groups.length > 1) note(fitting, 'split', 'reply.cards', `${path}.cards`, `into ${groups.length}`)
		fitted.push(...groups.map((cards): Cards => ({ type: 'cards', cards })), ...rest)
		together = []
		rest = []
	}
	for (const [i, card] of message.cards.entries()) {
		const at = `${path}.cards[${i}]`
		if (isWhole(fitting, card)) {
			const whole = fitCard(fitting, card, at)
			together.push(whole.card)
			rest.push(...whole.rest)
		} else {
			finish()
			fitted.push(...plainCard(fitting, card, at))
		}
	}
	finish()
	return fitted
}

/** The card within its limits, and messages for what did not fit on it. */
function fitCard(fitting: Fitting, card: Card, path: string): { card: Card; rest: Message[] } {
	const { carries } = fitting
	const limit = carries['reply.card.buttons']
	const urlLimit = carries['reply.card.url']
	const keepsUrl = card.url !== undefined && urlLimit !== undefined && isWithin(card.url, urlLimit)
	const { shown, places, choices, lines } = sortButtons(
		fitting,
		card.buttons ?? [],
		limit !== undefined,
		path,
		`${path}.buttons`,
	)
	const [first = [], ...over] = inGroups(shown, limit?.items)
	if (over.length > 0) note(fitting, 'split', 'reply.card.buttons', `${path}.buttons`)
	const address = card.url === undefined || keepsUrl ? undefined : cardUrlInWords(fitting, card.url, path)
	if (address !== undefined) lines.push(phrases.labelled(card.title, address))
	const text = lines.length > 0 ? lines.join('\n') : card.title
	// The card stands above its choices, and says its title itself.
	const hasWords = lines.length > 0 || carries['reply.choices.text'] !== undefined
	return {
		card: {
			title: fitLabel(fitting, 'reply.card.title', card.title, `${path}.title`),
			...(card.subtitle !== undefined && {
				subtitle: fitLabel(fitting, 'reply.card.subtitle', card.subtitle, `${path}.subtitle`),
			}),
			...(card.imageUrl !== undefined && { imageUrl: card.imageUrl }),
			...(keepsUrl && { url: card.url }),
			...(first.length > 0 && { buttons: first }),
		},
		rest: [
			...(over.length > 0
				? fitText(fitting, { type: 'text', text, buttons: over.flat() }, path, { buttons: places.slice(first.length) })
				: []),
			...(choices.length > 0 || (over.length === 0 && lines.length > 0)
				? withChoices(fitting, over.length === 0 && hasWords ? text : undefined, choices, path)
				: []),
		],
	}
}

/** A card as a picture and a text with its buttons. */
function plainCard(fitting: Fitting, card: Card, path: string): Message[] {
	note(fitting, 'converted', 'reply.cards', path, 'to simpler messages')
	const address = card.url === undefined ? undefined : urlInWords(fitting, 'reply.card.url', card.url, `${path}.url`)
	const words = [card.title, card.subtitle, address].filter((line) => line !== undefined).join('\n')
	return [
		...(card.imageUrl === undefined ? [] : fitMedia(fitting, { type: 'image', url: card.imageUrl }, path)),
		...fitText(fitting, { type: 'text', text: words, ...(card.buttons && { buttons: card.buttons }) }, path),
	]
}

function cardUrlInWords(fitting: Fitting, url: string, path: string): string | undefined {
	const address = urlInWords(fitting, 'reply.card.url', url, `${path}.url`)
	if (address !== undefined) note(fitting, 'converted', 'reply.card.url', `${path}.url`, 'to text')
	return address
}
