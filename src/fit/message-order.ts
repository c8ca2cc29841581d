/** The messages of a reply in the number and the order that a format has. */
import { kindOf, type MessageKind } from '../format/index.ts'
import { limits } from '../limits.ts'
import type { Choice, Message } from '../model/index.ts'
import type { PlacedChoice } from './choice-names.ts'
import { numberChoices } from './choices.ts'
import { type Fitting, note } from './context.ts'
import { fitMessages, withDelay } from './messages.ts'
import { phrases } from './phrases.ts'
import { plainTexts } from './texts.ts'

/** The messages in the number and the order that the format has. */
export function arrange(fitting: Fitting, messages: Message[]): Message[] {
	const limit = fitting.carries['reply.messages'] ?? {}
	let arranged = limit.single ? withOneSet(fitting, messages) : messages
	const ordered = inOrder(arranged, limit.order)
	if (ordered !== arranged && ordered.some((message, i) => message !== arranged[i]))
		note(fitting, 'converted', 'reply.messages', 'messages', 'reordered')
	arranged = ordered
	if (isTextRequired(fitting) && !arranged.some((message) => isText(fitting, message))) {
		note(fitting, 'added', 'reply.text', 'messages')
		const text = fitting.carries['reply.text']?.default ?? phrases.noWords
		arranged = inOrder([...fitMessages(fitting, [{ type: 'text', text }], 'messages'), ...arranged], limit.order)
	}
	const items = Math.min(limit.items ?? limits.listItems.value, limits.listItems.value)
	if (arranged.length <= items) return arranged
	note(fitting, 'dropped', 'reply.messages', 'messages', `the last ${arranged.length - items}`)
	return firstOf(fitting, arranged, items)
}

/** The first messages, a text among them where the format must have one. */
export function firstOf(fitting: Fitting, messages: readonly Message[], count: number): Message[] {
	const first = messages.slice(0, count)
	const isWanted = (message: Message) => isText(fitting, message)
	const text = isTextRequired(fitting) && !first.some(isWanted) ? messages.find(isWanted) : undefined
	return text ? [...first.slice(0, -1), text] : first
}

/** A text with buttons is none where the format has those apart from texts. */
function isText({ carries }: Fitting, message: Message): boolean {
	const texts = carries['reply.messages']?.order?.find((group) => group.includes('text'))
	return message.type === 'text' && (!message.buttons || !texts || texts.includes('buttons'))
}

/** Whether a reply of the format must have a text. */
export function isTextRequired({ carries }: Fitting): boolean {
	const { required, default: text } = carries['reply.text'] ?? {}
	return required === true || text !== undefined
}

type Order = readonly (readonly MessageKind[])[]

function inOrder(messages: Message[], order: Order | undefined): Message[] {
	if (!order) return messages
	const rank = (kind: MessageKind): number => order.findIndex((group) => group.includes(kind))
	return messages.toSorted((a, b) => rank(kindOf(a)) - rank(kindOf(b)))
}

/** All choices in one set at the end, or as numbered text when they are more than a set holds. */
function withOneSet(fitting: Fitting, messages: Message[]): Message[] {
	const sets = messages.filter((message) => message.type === 'choices')
	const last = sets.at(-1)
	if (!last) return messages
	const choices = sets.flatMap((set) => set.choices)
	if (sets.length > 1) note(fitting, 'merged', 'reply.choices', 'messages')
	const others = messages.flatMap((message): Message[] => {
		if (message.type !== 'choices') return [message]
		const { text, delay } = message
		return text === undefined || message === last ? [] : [{ type: 'text', text, ...(delay !== undefined && { delay }) }]
	})
	const { items = limits.listItems.value } = fitting.carries['reply.choices'] ?? {}
	if (choices.length <= items) {
		if (last !== messages.at(-1)) note(fitting, 'converted', 'reply.messages', 'messages', 'reordered')
		return [...others, { ...last, choices }]
	}
	note(fitting, 'converted', 'reply.choices', 'messages', 'to numbered text')
	const lines = numberChoices(fitting, takeBack(fitting, choices), false)
	const words = [...(last.text === undefined ? [] : [last.text]), ...lines].join('\n')
	if (words === '') return others
	return [...others, ...withDelay(fitting, plainTexts(fitting, words, 'messages'), last.delay, 'messages')]
}

/** The choices as the upstream gave them, their offers and labels withdrawn. */
function takeBack({ offers, labels, oneSet }: Fitting, choices: readonly Choice[]): PlacedChoice[] {
	const given = choices.map((choice) => oneSet?.placed.get(choice) ?? { choice, path: 'messages', set: 'messages' })
	const withdrawn = new Set(given.map(({ offer }) => offer))
	offers.splice(0, offers.length, ...offers.filter((offer) => !withdrawn.has(offer)))
	labels.taken = undefined
	labels.lastNumbers = undefined
	return given
}
