/** The demo upstream inside the gateway: a small bot that shows what a reply can contain. */
import { jsonResponse, type WireResponse } from '../format/index.ts'
import type { Attributes, CanonicalEvent, CanonicalReply, Choice, Message, Turn } from '../model/index.ts'
import type { OutgoingCall } from '../runtime.ts'

const picture = 'https://picsum.photos/id/1025/600/400'

const colours: readonly (Choice & { readonly value: string })[] = [
	{ title: 'Red', value: 'colour-red' },
	{ title: 'Green', value: 'colour-green' },
	{ title: 'Blue', value: 'colour-blue' },
]

/** The bot's replies to the words it knows. */
const replies: { readonly [word: string]: () => Partial<CanonicalReply> } = {
	help: () =>
		textReply(
			'I repeat what you write. Write one of these words to see more: choices, cards, image, buttons, attributes.',
		),
	choices: () => ({ messages: [{ type: 'choices', text: 'Which colour do you like?', choices: [...colours] }] }),
	cards: () => ({
		messages: [
			{
				type: 'cards',
				cards: colours.map(({ title, value }) => ({
					title: `${title} paint`,
					subtitle: 'One litre',
					imageUrl: picture,
					buttons: [{ type: 'postback', title: `Take ${title.toLowerCase()}`, value }],
				})),
			},
		],
	}),
	image: () => ({ messages: [{ type: 'image', url: picture, alt: 'A dog in a blanket' }] }),
	buttons: () => ({
		messages: [
			{
				type: 'text',
				text: 'A text with buttons under it.',
				buttons: [
					{ type: 'postback', title: 'Choose red', value: 'colour-red' },
					{ type: 'link', title: 'Open a page', url: 'https://example.com/' },
				],
			},
		],
	}),
	attributes: () => ({
		...textReply('I set the attribute "colour" of this conversation to "blue".'),
		attributes: { session: { colour: 'blue' }, user: {} },
	}),
}

/** Answers a call in the canonical format, as an upstream would. */
export async function demo(call: OutgoingCall): Promise<WireResponse> {
	// No need to validate: the gateway has just encoded this body itself.
	const { event, turn }: { event: CanonicalEvent; turn?: Turn } = JSON.parse(call.body)
	const reply = turn?.answer === 'never' ? {} : replyTo(event)
	return jsonResponse({ messages: [], attributes: { session: {}, user: {} }, ...reply })
}

function replyTo(event: CanonicalEvent): Partial<CanonicalReply> {
	const { kind, choice, text } = event
	if (kind === 'notice') return {}
	if (kind === 'start') return greeting(event)
	const pressed = colours.find(({ value }) => value === (choice?.value ?? text))
	if (pressed) return textReply(`You chose ${pressed.title}.`)
	if (choice) return textReply(`You chose ${choice.label ?? choice.value}.`)
	if (text === undefined) return replyWithoutText(event)
	return replies[knownWord(text)]?.() ?? textReply(`You said: ${text}`)
}

function greeting(event: CanonicalEvent): Partial<CanonicalReply> {
	return textReply(`Hello${nameOf(event)}! Write "help" to see what I can show.`)
}

function replyWithoutText(event: CanonicalEvent): Partial<CanonicalReply> {
	if (event.media) return textReply('Thank you for the file. I can only repeat words, though.')
	// A block in the middle of a flow runs after a message of the user; other events without text may start the chat.
	if (event.trigger?.kind !== 'block') return greeting(event)
	const names = Object.keys(event.attributes as Attributes)
	const received = names.length === 0 ? '' : ` I was given these attributes: ${names.join(', ')}.`
	return textReply(
		`Hello${nameOf(event)}! I was called, but I see no words.`,
		`If there were any: save them to an attribute in your bot, and name that attribute in the options of the route.${received}`,
	)
}

function textReply(...texts: string[]): { messages: Message[] } {
	return { messages: texts.map((text) => ({ type: 'text', text })) }
}

/** The word of `replies` that the text consists of, or the empty string. */
function knownWord(text: string): string {
	const word = text.trim().toLowerCase()
	return Object.hasOwn(replies, word) ? word : ''
}

function nameOf({ user }: CanonicalEvent): string {
	return user?.name ? `, ${user.name}` : ''
}
