/** The upstream inside the gateway: a small bot that shows what a reply can hold, for trying out a platform. */
import { GatewayError } from '../errors.ts'
import { jsonResponse, type WireResponse } from '../format/index.ts'
import type { Attributes, CanonicalEvent, CanonicalReply, Choice, Message, Turn } from '../model/index.ts'
import type { OutgoingCall } from '../runtime.ts'

const picture = 'https://picsum.photos/id/1025/600/400'

const colours: readonly (Choice & { readonly value: string })[] = [
	{ title: 'Red', value: 'colour-red' },
	{ title: 'Green', value: 'colour-green' },
	{ title: 'Blue', value: 'colour-blue' },
]

/** What the bot shows for a word. */
const shows: { readonly [word: string]: () => Partial<CanonicalReply> } = {
	help: () =>
		say('I repeat what you write. Write one of these words to see more: choices, cards, image, buttons, attributes.'),
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
		...say('I set the attribute "colour" of this conversation to "blue".'),
		attributes: { session: { colour: 'blue' }, user: {} },
	}),
}

/** Answers a call in the gateway's own JSON as an upstream would. */
export async function demo(call: OutgoingCall): Promise<WireResponse> {
	// The gateway wrote it itself, a moment ago.
	const { event, turn }: { event: CanonicalEvent; turn?: Turn } = JSON.parse(call.body)
	if (call.signal.aborted) throw new GatewayError('upstream-timeout')
	const reply = turn?.answer === 'never' ? {} : replyTo(event)
	return jsonResponse({ messages: [], attributes: { session: {}, user: {} }, ...reply })
}

function replyTo(event: CanonicalEvent): Partial<CanonicalReply> {
	const { kind, choice, text } = event
	if (kind === 'notice') return {}
	if (kind === 'start') return hello(event)
	const pressed = colours.find(({ value }) => value === (choice?.value ?? text))
	if (pressed) return say(`You chose ${pressed.title}.`)
	if (choice) return say(`You chose ${choice.label ?? choice.value}.`)
	if (text === undefined) return withoutText(event)
	return shows[wordOf(text)]?.() ?? say(`You said: ${text}`)
}

function hello(event: CanonicalEvent): Partial<CanonicalReply> {
	return say(`Hello${nameOf(event)}! Write "help" to see what I can show.`)
}

function withoutText(event: CanonicalEvent): Partial<CanonicalReply> {
	if (event.media) return say('Thank you for the file. I can only repeat words, though.')
	// A block in the middle of a flow calls after the user has spoken; elsewhere nobody has said anything yet.
	if (event.trigger?.kind !== 'block') return hello(event)
	const names = Object.keys(event.attributes as Attributes)
	const held = names.length === 0 ? '' : ` I was given these attributes: ${names.join(', ')}.`
	return say(
		`Hello${nameOf(event)}! I was called, but I see no words.`,
		`If there were any: save them to an attribute in your bot, and name that attribute in the options of the route.${held}`,
	)
}

function say(...texts: string[]): { messages: Message[] } {
	return { messages: texts.map((text) => ({ type: 'text', text })) }
}

function wordOf(text: string): string {
	const word = text.trim().toLowerCase()
	return Object.hasOwn(shows, word) ? word : ''
}

function nameOf({ user }: CanonicalEvent): string {
	return user?.name ? `, ${user.name}` : ''
}
