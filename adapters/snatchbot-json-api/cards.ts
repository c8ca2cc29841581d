/** The cards of an answer, and their buttons: https://support.snatchbot.me/docs/json-api */
import * as v from 'valibot'
import {
	type Button,
	type Card,
	compact,
	decodeTyped,
	fieldPath,
	hasKnownType,
	Json,
	type Message,
	matches,
	NativeItem,
	nonEmpty,
	nonEmptyList,
	type Path,
	unreachable,
	WireOptionalText,
	wireList,
} from '../../src/format/index.ts'

const Text = WireOptionalText
const WireButton = v.object({ type: Text, value: Text, name: Text })
type WireButton = v.InferOutput<typeof WireButton>
const buttons = v.nullish(wireList(WireButton))
const Item = v.object({ image: Text, heading: Text, subtitle: Text, url: Text, buttons })
type Item = v.InferOutput<typeof Item>

const WireCard = v.variant('type', [
	v.object({ type: v.literal('text'), value: Text, buttons }),
	v.object({ type: v.literal('image'), value: Text }),
	v.object({ type: v.literal('gallery'), value: Text, gallery: v.nullish(wireList(Item)) }),
])
type WireCard = v.InferOutput<typeof WireCard>

/** A card of another type. */
export const NativeCard = v.pipe(
	Json,
	v.check(
		(card) => matches(NativeItem, card) && !hasKnownType(WireCard, card),
		'must be an object of a type that is not documented',
	),
)

/** The value of every gallery. */
const galleryValue = 'gallery'

/** The text where the platform needs none and the model needs one. */
const noWords = '…'

/** The cards as messages, those of other types as native parts, and the paths of what is left out. */
export function decodeCards(cards: readonly Json[] | null | undefined): ReturnType<typeof decodeTyped> {
	return decodeTyped(cards, {
		schema: WireCard,
		at: ['cards'],
		decode: (card, at) => ({
			messages: decodeCard(card),
			unread: [...unreadValue(card, at), ...unreadButtons(card, at)],
			added: addedWords(card, at),
		}),
	})
}

/** No message for a card without content. */
function decodeCard(card: WireCard): Message[] {
	switch (card.type) {
		case 'text': {
			const text = nonEmpty(card.value)
			const buttons = decodeButtons(card)
			return text || buttons ? [compact<Message>({ type: 'text', text: text ?? noWords, buttons })] : []
		}
		case 'image': {
			const url = decodeUrl(card.value)
			return url ? [{ type: 'image', url }] : []
		}
		case 'gallery': {
			const cards = nonEmptyList((card.gallery ?? []).flatMap(decodeItem))
			return cards ? [{ type: 'cards', cards }] : []
		}
	}
}

/** The message as a card; nothing for one that is elsewhere in the answer. */
export function encodeCard(message: Message): object[] {
	switch (message.type) {
		case 'choices':
			return []
		case 'text': {
			const { text, buttons } = message
			return buttons ? [{ type: 'text', value: text, buttons: buttons.map(encodeButton) }] : []
		}
		case 'image':
			return [{ type: 'image', value: message.url }]
		case 'cards':
			return [{ type: 'gallery', value: galleryValue, gallery: message.cards.map(encodeItem) }]
		default:
			return unreachable(message)
	}
}

/** An item may have any one of its parts; the model needs a title. */
function decodeItem(item: Item): Card[] {
	const heading = nonEmpty(item.heading)
	const subtitle = nonEmpty(item.subtitle)
	const rest = { imageUrl: decodeUrl(item.image), url: decodeUrl(item.url), buttons: decodeButtons(item) }
	const title = heading ?? subtitle ?? rest.buttons?.[0]?.title ?? (rest.imageUrl || rest.url ? noWords : undefined)
	return title ? [compact({ title, subtitle: heading === undefined ? undefined : subtitle, ...rest })] : []
}

/** Paths of words that the backend left out, the platform needs none of, and the model has. */
function addedWords(card: WireCard, at: Path): string[] {
	if (card.type === 'text') return !nonEmpty(card.value) && decodeButtons(card) ? [fieldPath([...at, 'value'])] : []
	if (card.type !== 'gallery') return []
	return (card.gallery ?? []).flatMap((item, i) => {
		const hasWords = nonEmpty(item.heading) !== undefined || nonEmpty(item.subtitle) !== undefined
		return hasWords || decodeItem(item).length === 0 ? [] : [fieldPath([...at, 'gallery', i, 'heading'])]
	})
}

function encodeItem({ title, subtitle, imageUrl, url, buttons }: Card): object {
	return { image: imageUrl, heading: title, subtitle, url, buttons: buttons?.map(encodeButton) }
}

function decodeUrl(url: string | null | undefined): string | undefined {
	return nonEmpty(url?.trim())
}

function decodeButtons({ buttons }: { buttons?: WireButton[] | null | undefined }): Button[] | undefined {
	return nonEmptyList((buttons ?? []).flatMap(decodeButton))
}

/** No button for an unknown type, or for one without a value. */
function decodeButton({ type, value, name }: WireButton): Button[] {
	const url = decodeUrl(value)
	if (url === undefined) return []
	const title = nonEmpty(name) ?? url
	if (type === 'url') return [{ type: 'link', title, url }]
	return type === 'module' ? [{ type: 'goto', title, target: url }] : []
}

function encodeButton(button: Button): object {
	const { type, title } = button
	if (type === 'link') return { type: 'url', value: button.url, name: title }
	if (type === 'goto') return { type: 'module', value: button.target, name: title }
	return unreachable(button)
}

function unreadValue({ type, value }: WireCard, at: Path): string[] {
	return type === 'gallery' && nonEmpty(value) !== undefined && value !== galleryValue
		? [fieldPath([...at, 'value'])]
		: []
}

function unreadButtons(card: WireCard, at: Path): string[] {
	const holders = card.type === 'gallery' ? (card.gallery ?? []) : [card]
	return holders.flatMap((holder, i) => {
		const path = holder === card ? at : [...at, 'gallery', i]
		const buttons = 'buttons' in holder ? (holder.buttons ?? []) : []
		return buttons.flatMap((button, n) => (decodeButton(button).length > 0 ? [] : fieldPath([...path, 'buttons', n])))
	})
}
