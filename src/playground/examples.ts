/** Replies to begin with in the preview. */
import type { CanonicalEvent, CanonicalReply } from '../model/index.ts'

/** An example as its author would write it: what holds nothing is left out. */
export interface Example {
	readonly name: string
	readonly reply: Partial<CanonicalReply>
}

const pizzas = ['Margherita', 'Diavola', 'Funghi']

/** The first is shown when the page is opened. */
export const examples: readonly [Example, ...Example[]] = [
	{
		name: 'A menu with cards',
		reply: {
			messages: [
				{ type: 'text', text: 'Good evening, Ada. This is what comes out of the oven tonight:' },
				{
					type: 'cards',
					cards: pizzas.map((title, i) => ({
						title,
						subtitle: `${9 + i}.50 €, with a basil leaf on top`,
						imageUrl: `https://example.com/${title.toLowerCase()}.jpg`,
						buttons: [
							{ type: 'postback', title: 'Order', value: `order-${title.toLowerCase()}` },
							{ type: 'link', title: 'What is in it', url: `https://example.com/${title.toLowerCase()}` },
						],
					})),
				},
				{
					type: 'choices',
					text: 'Or something else?',
					choices: [
						{ title: 'Show me the whole menu, please', value: 'menu' },
						{ title: 'Opening hours', value: 'hours' },
						{ title: 'Talk to a human', value: 'human' },
					],
				},
			],
		},
	},
	{ name: 'Plain text', reply: { messages: [{ type: 'text', text: 'Your parcel arrives tomorrow before noon.' }] } },
	{
		name: 'Choices',
		reply: {
			messages: [
				{
					type: 'choices',
					text: 'Which colour do you like?',
					choices: ['Red', 'Green', 'Blue'].map((title) => ({ title, value: `colour-${title.toLowerCase()}` })),
				},
			],
		},
	},
	{
		name: 'Pictures and files',
		reply: {
			messages: [
				{ type: 'image', url: 'https://example.com/shop.jpg', alt: 'The shop from the street' },
				{ type: 'video', url: 'https://example.com/tour.mp4', name: 'A tour in one minute' },
				{ type: 'file', url: 'https://example.com/invoice.pdf', name: 'invoice.pdf', mimeType: 'application/pdf' },
			],
		},
	},
	{
		name: 'Buttons of every kind',
		reply: {
			messages: [
				{
					type: 'text',
					text: 'How would you like to go on?',
					buttons: [
						{ type: 'postback', title: 'Track my order', value: 'track' },
						{ type: 'link', title: 'Open the shop', url: 'https://example.com/' },
						{ type: 'webview', title: 'Pay here', url: 'https://example.com/pay', height: 'tall' },
						{ type: 'phone', title: 'Call us', number: '+49 30 1234567' },
						{ type: 'goto', title: 'Start again', target: 'welcome' },
					],
				},
			],
		},
	},
	{
		name: 'Text that a platform would execute',
		reply: {
			messages: [
				{ type: 'text', text: '* Not a button\n\\agent\nHello {{name}}, your total is {{memory.total}}' },
				{ type: 'text', text: 'First part::next::second part' },
			],
		},
	},
	{
		name: 'Attributes and a handover',
		reply: {
			messages: [{ type: 'text', text: 'One moment, I am getting a colleague.', delay: 1500 }],
			attributes: { session: { topic: 'refund', priority: 2 }, user: { vip: true } },
			control: { handover: { to: 'human' }, tags: ['refund'] },
		},
	},
]

/** An event to begin with: as much as a platform may say of a message. */
export const exampleEvent: CanonicalEvent = {
	id: '00000000-0000-4000-8000-000000000001',
	kind: 'message',
	occurredAt: '2026-01-31T12:00:00.000Z',
	channel: 'web',
	conversation: '000000000000000000000001',
	user: {
		id: '000000000000000000000002',
		name: 'Ada',
		email: 'ada@example.com',
		attributes: { plan: 'pro', 'last order': 4711 },
	},
	language: 'en-GB',
	text: 'Where is my parcel?',
	media: [{ kind: 'image', url: 'https://example.com/label.jpg', name: 'label.jpg' }],
	attributes: { page: '/orders', cart: { items: 2 } },
}
