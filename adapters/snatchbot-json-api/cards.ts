/** The cards of an answer, and their buttons: https://support.snatchbot.me/docs/json-api */
import * as v from 'valibot'
import {
	type Button,
	type Card,
	compact,
	fieldPath,
	GatewayError,
	Json,
	type Message,
	nonEmpty,
	nonEmptyList,
	validate,
} from '../../src/format/index.ts'

const Text = v.nullish(v.string())
// The id of an interaction may be a number.
const Value = v.nullish(v.pipe(v.union([v.string(), v.number()]), v.transform(String)))
const WireButton = v.object({ type: Text, value: Value, name: Text })
type WireButton = v.InferOutput<typeof WireButton>
const buttons = v.nullish(v.array(WireButton))
const Item = v.object({ image: Text, heading: Text, subtitle: Text, url: Text, buttons })
type Item = v.InferOutput<typeof Item>

const WireCard = v.variant('type', [
	v.object({ type: v.literal('text'), value: Text, buttons }),
	v.object({ type: v.literal('image'), value: Text }),
	v.object({ type: v.literal('gallery'), value: Text, gallery: v.nullish(v.array(Item)) }),
])
type WireCard = v.InferOutput<typeof WireCard>

/** Whatever is of one of the types above, and so has to be as the platform has it. */
const Known = v.object({ type: v.picklist(WireCard.options.map(({ entries }) => entries.type.literal)) })

/** A card of another type. */
export const Native = v.pipe(
	Json,
	v.check((card) => !v.is(Known, card), 'must be of a type that is not documented'),
)

/** The value of every gallery: it is no text. */
const galleryValue = 'gallery'

/** Said where the platform has no words and the model wants some. */
const noWords = '…'

/** The cards as messages, those of other types as they are, and the paths of what cannot be said. */
export function decodeCards(cards: readonly Json[]): { messages: Message[]; natives: Json[]; unread: string[] } {
	const decoded: ReturnType<typeof decodeCards> = { messages: [], natives: [], unread: [] }
	for (const [i, each] of cards.entries()) {
		if (v.is(Known, each)) {
			const at = ['cards', i]
			const { wire, unread } = validate(WireCard, each, at)
			decoded.messages.push(...decodeCard(wire))
			decoded.unread.push(...unread, ...unreadValue(wire, at), ...unreadButtons(wire, at))
		} else decoded.natives.push(each)
	}
	return decoded
}

/** Nothing for a card that says nothing. */
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

/** The message as a card; nothing where it stands elsewhere in the answer. */
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
			throw new GatewayError('internal', { field: message.type })
	}
}

/** An item may have any of its parts alone; the model wants a title. */
function decodeItem(item: Item): Card[] {
	const heading = nonEmpty(item.heading)
	const subtitle = nonEmpty(item.subtitle)
	const rest = { imageUrl: decodeUrl(item.image), url: decodeUrl(item.url), buttons: decodeButtons(item) }
	const title = heading ?? subtitle ?? rest.buttons?.[0]?.title ?? (rest.imageUrl || rest.url ? noWords : undefined)
	return title ? [compact({ title, subtitle: heading === undefined ? undefined : subtitle, ...rest })] : []
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

/** Nothing for a type that is not known, and for a button that leads nowhere. */
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
	throw new GatewayError('internal', { field: type })
}

function unreadValue({ type, value }: WireCard, at: readonly (string | number)[]): string[] {
	return type === 'gallery' && nonEmpty(value) !== undefined && value !== galleryValue
		? [fieldPath([...at, 'value'])]
		: []
}

function unreadButtons(card: WireCard, at: readonly (string | number)[]): string[] {
	const holders = card.type === 'gallery' ? (card.gallery ?? []) : [card]
	return holders.flatMap((holder, i) => {
		const path = holder === card ? at : [...at, 'gallery', i]
		const buttons = 'buttons' in holder ? (holder.buttons ?? []) : []
		return buttons.flatMap((button, n) => (decodeButton(button).length > 0 ? [] : fieldPath([...path, 'buttons', n])))
	})
}
