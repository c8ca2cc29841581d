/** Addresses in replies: each is absolute, for a reply stands on no page of its author's. */
import type { Button, Card, Message } from './message.ts'
import type { CanonicalReply } from './reply.ts'

/** An address that is not absolute: its path, and what was expected there. */
interface RelativeAddress {
	/** Keys and indices from the reply on. */
	readonly path: readonly (string | number)[]
	readonly expected: string
}

const expected = 'an absolute address, such as https://example.com/page'

/** A scheme; or a fragment alone, with which bots write a link to nowhere. */
export const absolute = /^\s*(?:[A-Za-z][A-Za-z\d+.-]*:|#)/

/** Whether the address says nothing without the page on which it stands. */
export function isRelative(address: string): boolean {
	return !absolute.test(address)
}

/** The address with the scheme of the web, where that is all it lacks: `//host/path` and `www.host/path`. */
export function withScheme(address: string): string {
	return address.replace(/^\s*(?:\/\/(?=[^\s/])|(?=www\.[^\s/]))/i, 'https://')
}

/** The relative addresses of a reply. */
export function relativeAddressesOf({ messages }: CanonicalReply): RelativeAddress[] {
	const found: RelativeAddress[] = []
	for (const [i, message] of messages.entries()) {
		if (!canHaveAddress(message)) continue
		for (const [path, address] of addressesOf(message, ['messages', i])) {
			if (isRelative(address)) found.push({ path, expected })
		}
	}
	return found
}

/** Most messages are texts and choices, which have none. */
function canHaveAddress(message: Message): boolean {
	return message.type !== 'choices' && (message.type !== 'text' || message.buttons !== undefined)
}

type Path = readonly (string | number)[]
type Address = readonly [path: Path, address: string]

function addressesOf(message: Message, at: Path): Address[] {
	switch (message.type) {
		case 'text':
			return buttonAddresses(message.buttons, at)
		case 'cards':
			return message.cards.flatMap((card, i) => cardAddresses(card, [...at, 'cards', i]))
		case 'choices':
			return []
		default:
			return [[[...at, 'url'], message.url]]
	}
}

function cardAddresses({ url, imageUrl, buttons }: Card, at: Path): Address[] {
	return [
		...(url === undefined ? [] : [[[...at, 'url'], url] as const]),
		...(imageUrl === undefined ? [] : [[[...at, 'imageUrl'], imageUrl] as const]),
		...buttonAddresses(buttons, at),
	]
}

function buttonAddresses(buttons: readonly Button[] | undefined, at: Path): Address[] {
	return (buttons ?? []).flatMap((button, i): Address[] =>
		'url' in button ? [[[...at, 'buttons', i, 'url'], button.url]] : [],
	)
}
