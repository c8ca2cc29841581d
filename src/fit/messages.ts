/** Messages in normal form: each as the format has it, or as the plainer messages that say the same. */
import { choiceToButton } from '../format/index.ts'
import type { Message } from '../model/index.ts'
import { fitCards, isWhole } from './cards.ts'
import { type Fitting, isWithin, note } from './context.ts'
import { fitMedia } from './media.ts'
import { phrases } from './phrases.ts'
import { fitText, withChoices } from './texts.ts'
import { fitUrls } from './urls.ts'

/**
 * Messages in the author's order, each fitted on its own; but choices that need words and have none take the text before
 * them. `path` is that of the list.
 */
export function fitMessages(fitting: Fitting, messages: readonly Message[], path: string): Message[] {
	const fitted: Message[] = []
	let before: Message | undefined
	for (const [i, message] of messages.entries()) {
		const after = messages[i + 1]
		if (!after || !isQuestion(fitting, message, after)) {
			for (const each of fitWithQuestion(fitting, message, before, path, i)) fitted.push(each)
		}
		before = message
	}
	return fitted
}

/** The message at the index of the list at `path`, with the text before it where it needs that. */
function fitWithQuestion(
	fitting: Fitting,
	message: Message,
	before: Message | undefined,
	path: string,
	i: number,
): Message[] {
	const at = `${path}[${i}]`
	if (!before || !isQuestion(fitting, before, message)) return fitMessage(fitting, message, at)
	const textAt = `${path}[${i - 1}]`
	const delayAt = before.delay === undefined ? at : textAt
	return fitMessage(fitting, withQuestion(fitting, message, before, at), at, textAt, delayAt)
}

type Text = Extract<Message, { type: 'text' }>

/** Whether the text is the question that the bare choices behind it need. */
function isQuestion(fitting: Fitting, message: Message, choices: Message): message is Text {
	if (message.type !== 'text' || message.buttons || message.alternatives) return false
	if (choices.type !== 'choices' || choices.text !== undefined) return false
	return fitting.carries['reply.choices']
		? fitting.carries['reply.choices.text']?.required === true
		: canPressPostback(fitting)
}

function withQuestion<M extends Message>(fitting: Fitting, choices: M, { text, delay }: Text, path: string): M {
	// The text stands whole, so that nothing is lost.
	note(fitting, 'added', 'reply.choices.text', `${path}.text`, 'the text before it')
	if (delay === undefined) return { ...choices, text }
	const isCarried = fitting.carries['reply.delay'] !== undefined
	if (choices.delay !== undefined && (!isCarried || choices.delay !== delay)) {
		note(fitting, isCarried ? 'merged' : 'dropped', 'reply.delay', `${path}.delay`, 'into that of the text before it')
	}
	return { ...choices, text, delay }
}

/** `textAt` and `delayAt`: the paths of the messages in which the text and the delay of choices stood. */
function fitMessage(fitting: Fitting, message: Message, path: string, textAt = path, delayAt = path): Message[] {
	const followable = fitUrls(fitting, message, path)
	if (!followable) return []
	const { instead, delay } = followable
	const spare = instead !== undefined && !canShow(fitting, followable)
	if (spare) noteReplaced(fitting, followable, path)
	const fitted = spare
		? fitText(fitting, { type: 'text', text: instead }, path)
		: fitBare(fitting, followable, path, textAt)
	if (fitted.length === 0 && delay !== undefined) note(fitting, 'dropped', 'reply.delay', `${delayAt}.delay`)
	const whole = withDelay(fitting, withInstead(fitting, fitted, instead), delay, delayAt)
	if (fitting.origins) for (const each of whole) fitting.origins.set(each, path)
	return whole
}

/** The messages, with the author's text on the first where the format carries it. */
function withInstead(fitting: Fitting, messages: Message[], instead: string | undefined): Message[] {
	if (instead === undefined || !fitting.carries['reply.instead']) return messages
	return messages.map((each, i) => (i === 0 ? { ...each, instead } : each))
}

/** Messages, the first with this delay, and each with the one that the format requires. */
export function withDelay(
	fitting: Fitting,
	messages: readonly Message[],
	delay: number | undefined,
	path: string,
): Message[] {
	return messages.map((each, i) => {
		const fitted = fitDelay(fitting, i === 0 ? delay : undefined, path)
		return fitted === undefined ? each : { ...each, delay: fitted }
	})
}

/** Whether the format has the element at all, or at least one of its cards. */
function canShow(fitting: Fitting, message: Message): boolean {
	const { carries } = fitting
	switch (message.type) {
		case 'text':
			return !message.buttons || carries['reply.text.buttons'] !== undefined || carries['reply.choices'] !== undefined
		case 'choices':
			return carries['reply.choices'] !== undefined || canPressPostback(fitting)
		case 'cards':
			return message.cards.some((card) => isWhole(fitting, card))
		default: {
			const limit = carries[`reply.${message.type}`]
			return limit !== undefined && isWithin(message.url, limit)
		}
	}
}

/** Notes that the author's text replaces the element, whose parts do not reach the user. */
function noteReplaced(fitting: Fitting, message: Message, path: string): void {
	const feature = message.type === 'text' ? 'reply.text.buttons' : (`reply.${message.type}` as const)
	note(fitting, 'dropped', feature, path, 'replaced by the text in "instead"')
}

/** The message as the format has it, still without its delay and the text in its place. */
function fitBare(fitting: Fitting, message: Message, path: string, textAt: string): Message[] {
	switch (message.type) {
		case 'text':
			return fitText(fitting, message, path)
		case 'choices':
			return fitChoicesMessage(fitting, message, path, textAt)
		case 'cards':
			return fitCards(fitting, message, path)
		default:
			return fitMedia(fitting, message, path)
	}
}

function fitChoicesMessage(
	fitting: Fitting,
	message: Extract<Message, { type: 'choices' }>,
	path: string,
	textAt: string,
): Message[] {
	if (fitting.carries['reply.choices'] || !canPressPostback(fitting)) {
		const placed = message.choices.map((choice, i) => ({ choice, path: `${path}.choices[${i}]`, set: path }))
		return withChoices(fitting, message.text, placed, path, textAt)
	}
	note(fitting, 'converted', 'reply.choices', path, 'to buttons')
	const buttons = message.choices.map(choiceToButton)
	const words = message.text ?? phrases.noWords
	return fitText(fitting, { type: 'text', text: words, buttons }, path, { buttons: `${path}.choices`, text: textAt })
}

function canPressPostback({ carries }: Fitting): boolean {
	return carries['reply.text.buttons'] !== undefined && carries['reply.button.postback'] !== undefined
}

function fitDelay(fitting: Fitting, delay: number | undefined, path: string): number | undefined {
	const limit = fitting.carries['reply.delay']
	if (!limit) {
		if (delay !== undefined) note(fitting, 'dropped', 'reply.delay', `${path}.delay`)
		return undefined
	}
	if (delay === undefined) {
		if (limit.default === undefined) return undefined
		note(fitting, 'added', 'reply.delay', `${path}.delay`)
		return limit.default
	}
	const { min = 0, max = Number.POSITIVE_INFINITY } = limit
	const fitted = Math.min(Math.max(delay, min), max)
	if (fitted !== delay) note(fitting, 'converted', 'reply.delay', `${path}.delay`, `to ${fitted} ms`)
	return fitted
}
