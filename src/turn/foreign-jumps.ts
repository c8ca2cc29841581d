/** Takes the jumps out of a reply whose platform has other steps than the format that the reply was written in. */
import { compact, compactOrNone } from '../format/index.ts'
import type { Button, CanonicalReply, Change, Choice, Feature } from '../model/index.ts'

/**
 * The reply without jumps: a button or a choice that jumps sends its label instead. Each is reported, for the name of a
 * step means nothing, or something else, on another platform.
 */
export function withoutJumps(reply: CanonicalReply): { reply: CanonicalReply; changes: Change[] } {
	const changes: Change[] = []
	const convert = (feature: Feature, path: string): void => {
		changes.push({ did: 'converted', feature, path, detail: 'the step is one of another platform: sends its label' })
	}
	const plainButtons = (buttons: readonly Button[], path: string): Button[] =>
		buttons.map((button, i) => {
			if (button.type !== 'goto') return button
			convert('reply.button.goto', `${path}.buttons[${i}]`)
			return { type: 'postback', title: button.title, value: button.title }
		})
	const messages = reply.messages.map((message, i): CanonicalReply['messages'][number] => {
		const path = `messages[${i}]`
		switch (message.type) {
			case 'text':
				return message.buttons ? { ...message, buttons: plainButtons(message.buttons, path) } : message
			case 'cards':
				return {
					...message,
					cards: message.cards.map((card, n) =>
						card.buttons ? { ...card, buttons: plainButtons(card.buttons, `${path}.cards[${n}]`) } : card,
					),
				}
			case 'choices':
				return {
					...message,
					choices: message.choices.map((choice, n): Choice => {
						if ('value' in choice) return choice
						convert('reply.choice.goto', `${path}.choices[${n}]`)
						return { title: choice.title, value: choice.title }
					}),
				}
			default:
				return message
		}
	})
	const { control } = reply
	if (control?.goto === undefined) return { reply: { ...reply, messages }, changes }
	const detail = 'the step is one of another platform'
	changes.push({ did: 'dropped', feature: 'reply.control.goto', path: 'control.goto', detail })
	const rest = compactOrNone({ ...control, goto: undefined })
	return { reply: compact({ ...reply, messages, control: rest }), changes }
}
