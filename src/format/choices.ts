/** Choices of a reply, in formats that have buttons or labels in their place. */
import type { Button, Choice, Message } from '../model/index.ts'
import { nonEmptyList } from './compact.ts'

/** Labels that come back as the user's words: one set of choices, or nothing if all labels are empty. */
export function decodeLabels(labels: readonly string[]): Message[] {
	const choices = nonEmptyList(labels.filter((label) => label !== '').map((title) => ({ title, value: title })))
	return choices ? [{ type: 'choices', choices }] : []
}

/** The labels of a set of choices; none for any other message. */
export function encodeLabels(message: Message): string[] {
	return message.type === 'choices' ? message.choices.map(({ title }) => title) : []
}

/** The choice that does what a button does; none for a button that leads out of the conversation. */
export function buttonToChoice(button: Button): Choice[] {
	if (button.type === 'postback') return [{ title: button.title, value: button.value }]
	return button.type === 'goto' ? [{ title: button.title, target: button.target }] : []
}

/** The button that does what a choice does. */
export function choiceToButton(choice: Choice): Button {
	const { title } = choice
	return 'target' in choice
		? { type: 'goto', title, target: choice.target }
		: { type: 'postback', title, value: choice.value }
}
