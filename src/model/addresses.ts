/** Addresses in replies: each is absolute, for a reply stands on no page of its author's. */
import type { Button, Card, Message } from './message.ts'
import type { CanonicalReply } from './reply.ts'

/** An address that is not absolute: its path, and what was expected there. */
export interface RelativeAddress {
	readonly field: string
	readonly expected: string
}

const expected = 'an absolute address, such as https://example.com/page'

/** A scheme; or a fragment alone, with which bots write a link to nowhere. */
export const absolute = /^\s*(?:[A-Za-z][A-Za-z\d+.-]*:|#)/

/** The first relative address of a reply; undefined when it has none. */
export function relativeAddressOf({ messages }: CanonicalReply): RelativeAddress | undefined {
	for (const [i, message] of messages.entries()) {
		const found = addressesOf(message).find(([, address]) => !absolute.test(address))
		if (found) return { field: `messages[${i}].${found[0]}`, expected }
	}
	return undefined
}

type Address = readonly [path: string, address: string]

function addressesOf(message: Message): Address[] {
	switch (message.type) {
		case 'text':
			return buttonAddresses(message.buttons, '')
		case 'cards':
			return message.cards.flatMap((card, i) => cardAddresses(card, `cards[${i}].`))
		case 'choices':
			return []
		default:
			return [['url', message.url]]
	}
}

function cardAddresses({ url, imageUrl, buttons }: Card, at: string): Address[] {
	return [
		...(url === undefined ? [] : [[`${at}url`, url] as const]),
		...(imageUrl === undefined ? [] : [[`${at}imageUrl`, imageUrl] as const]),
		...buttonAddresses(buttons, at),
	]
}

function buttonAddresses(buttons: readonly Button[] | undefined, at: string): Address[] {
	return (buttons ?? []).flatMap((button, i): Address[] =>
		'url' in button ? [[`${at}buttons[${i}].url`, button.url]] : [],
	)
}
