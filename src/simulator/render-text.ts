/** Renders a reply as text: what the user would see, with the options numbered. */
import type { Attributes, Button, CanonicalReply, Card, Choice, Message } from '../model/index.ts'

/** One line of output, with its choice if the user can select it. */
interface Line {
	readonly text: string
	readonly choice?: Choice
}

/** The reply as text, one item a line: messages, cards, numbered options, then attributes, control and overrides. */
export function renderReply(reply: CanonicalReply): string {
	let number = 0
	const lines = linesOf(reply).map(({ text, choice }) => (choice ? `  ${++number}) ${text}` : text))
	return lines.length === 0 ? '(nothing)' : lines.join('\n')
}

/** The options that the user can select, in the order in which `renderReply` numbers them. */
export function selectableOptions(reply: CanonicalReply): Choice[] {
	return linesOf(reply).flatMap(({ choice }) => (choice ? [choice] : []))
}

function linesOf({ messages, attributes, control, overrides }: CanonicalReply): Line[] {
	return [
		...messages.flatMap(linesOfMessage),
		...linesOfAttributes('session', attributes.session),
		...linesOfAttributes('user', attributes.user),
		...Object.entries(control ?? {}).map(([name, value]) => ({ text: `<${name}: ${JSON.stringify(value)}>` })),
		...Object.entries(overrides ?? {}).map(([name, value]) => ({ text: `<${name}: ${JSON.stringify(value)}>` })),
	]
}

function linesOfMessage(message: Message): Line[] {
	const delay = message.delay ? [{ text: `(${message.delay} ms)` }] : []
	return [...delay, ...linesOfElement(message)]
}

function linesOfElement(message: Message): Line[] {
	switch (message.type) {
		case 'text':
			return [
				{ text: message.text },
				...(message.alternatives ?? []).map((text) => ({ text: `or: ${text}` })),
				...linesOfButtons(message.buttons),
			]
		case 'choices':
			return [...(message.text === undefined ? [] : [{ text: message.text }]), ...message.choices.map(lineOfChoice)]
		case 'cards':
			return message.cards.flatMap(linesOfCard)
		case 'image':
			return [{ text: `[image] ${message.url}${inBrackets(message.alt)}` }]
		default:
			return [{ text: `[${message.type}] ${message.url}${inBrackets(message.name)}` }]
	}
}

function linesOfCard({ title, subtitle, imageUrl, url, buttons }: Card): Line[] {
	return [
		{ text: `[card] ${title}` },
		...[subtitle, imageUrl, url].flatMap((text) => (text === undefined ? [] : [{ text: `       ${text}` }])),
		...linesOfButtons(buttons),
	]
}

function linesOfButtons(buttons: readonly Button[] = []): Line[] {
	return buttons.map((button): Line => {
		switch (button.type) {
			case 'postback':
				return lineOfChoice({ title: button.title, value: button.value })
			case 'goto':
				return lineOfChoice({ title: button.title, target: button.target })
			case 'phone':
				return { text: `  [${button.title}] ${button.number}` }
			default:
				return { text: `  [${button.title}] ${button.url}` }
		}
	})
}

function lineOfChoice(choice: Choice): Line {
	return { text: 'value' in choice ? choice.title : `${choice.title} -> ${choice.target}`, choice }
}

function linesOfAttributes(scope: 'session' | 'user', attributes: Attributes): Line[] {
	return Object.entries(attributes).map(([name, value]) => ({
		text: value === null ? `<${scope}: ${name} deleted>` : `<${scope}: ${name} = ${JSON.stringify(value)}>`,
	}))
}

function inBrackets(text: string | undefined): string {
	return text === undefined ? '' : ` (${text})`
}
