/** Addresses in normal form: each is one piece that a user can follow, or it is named and left out. */
import { compact } from '../format/index.ts'
import { type Button, type Card, type Feature, isRelative, type Message, withScheme } from '../model/index.ts'
import { type Fitting, isWithin, note } from './context.ts'

/**
 * The message with its URLs as the format takes them, and without those that would run a script; undefined when nothing
 * is left. What becomes of other URLs that the format does not take is decided later.
 */
export function fitUrls(fitting: Fitting, message: Message, path: string): Message | undefined {
	switch (message.type) {
		case 'text':
			return message.buttons ? { ...message, buttons: fitButtonUrls(fitting, message.buttons, path) } : message
		case 'cards':
			return { ...message, cards: message.cards.map((card, i) => fitCardUrls(fitting, card, `${path}.cards[${i}]`)) }
		case 'choices':
			return message
		default: {
			const url = fitUrl(fitting, `reply.${message.type}`, message.url, path, isNoFile)
			if (url !== undefined) return { ...message, url }
			const words = message.type === 'image' ? message.alt : message.name
			if (words === undefined) return undefined
			const { delay, instead } = message
			return compact<Message>({ type: 'text', text: words, delay, instead })
		}
	}
}

function fitCardUrls(fitting: Fitting, card: Card, path: string): Card {
	const { imageUrl, url, buttons } = card
	return compact<Card>({
		...card,
		imageUrl: imageUrl && fitUrl(fitting, 'reply.card.image', imageUrl, path, isNoFile, 'imageUrl'),
		url: url && fitUrl(fitting, 'reply.card.url', url, path, isNoLink, 'url'),
		buttons: buttons && fitButtonUrls(fitting, buttons, path),
	})
}

/** A link that nobody can open keeps its place, so that the others keep their paths; it goes where buttons are sorted. */
function fitButtonUrls(fitting: Fitting, buttons: readonly Button[], path: string): Button[] {
	return buttons.map((button, i) => {
		if (button.type === 'phone')
			return { ...button, number: fitNumber(fitting, button.number, `${path}.buttons[${i}].number`) }
		if (!('url' in button) || isNoLink(fitting, button.url)) return button
		const feature = `reply.button.${button.type}` as const
		const carried = fitting.carries[feature] ? feature : 'reply.button.link'
		return { ...button, url: repaired(fitting, carried, button.url, `${path}.buttons[${i}].url`) }
	})
}

/** The number as the format dials it: without blanks and the signs that people put between digits, where only they are in the way. */
function fitNumber(fitting: Fitting, number: string, path: string): string {
	const limit = fitting.carries['reply.button.phone']
	if (!limit || isWithin(number, limit)) return number
	const digits = number.replace(/[\s()./-]/gu, '')
	if (digits === '' || !isWithin(digits, limit)) return number
	note(fitting, 'converted', 'reply.button.phone', path, 'without blanks and signs')
	return digits
}

/** The URL of what stands at `path`, which is nothing without it; with `member`, one of its members that is a URL. */
function fitUrl(
	fitting: Fitting,
	feature: Feature,
	url: string,
	path: string,
	isRefused: (fitting: Fitting, url: string) => boolean,
	member?: string,
): string | undefined {
	if (isRefused(fitting, url)) {
		note(
			fitting,
			'dropped',
			feature,
			member === undefined ? path : `${path}.${member}`,
			'no address that a user can open',
		)
		return undefined
	}
	return repaired(fitting, feature, url, `${path}.${member ?? 'url'}`)
}

/** The URL as another platform can open it, with its blanks encoded where the format wants it so. */
function repaired(fitting: Fitting, feature: Feature, url: string, path: string): string {
	const absolute = fitting.isForeign ? withScheme(url) : url
	if (absolute !== url) note(fitting, 'converted', feature, path, 'with its scheme')
	return withoutBlanks(fitting, feature, absolute, path)
}

/** The URL with its blanks encoded where the format wants it so. */
export function withoutBlanks(fitting: Fitting, feature: Feature, url: string, path: string): string {
	if (fitting.carries[feature]?.blanks !== 'encoded') return url
	const fitted = encodeBlanks(url.trim())
	if (fitted === '' || fitted === url) return url
	note(fitting, 'escaped', feature, path)
	return fitted
}

/** The URL with each blank percent-encoded: kind by kind, because a call for each of a million takes a quarter of a second. */
function encodeBlanks(url: string): string {
	let encoded = url
	for (let blank = /\s/u.exec(encoded); blank; blank = /\s/u.exec(encoded)) {
		encoded = encoded.replaceAll(blank[0], encodeURIComponent(blank[0]))
	}
	return encoded
}

// As browsers read a scheme: https://url.spec.whatwg.org/#concept-basic-url-parser
const skipped = /[\t\n\r]/g
const script = /^[\0-\x20]*(?:javascript|vbscript):/i
const data = /^[\0-\x20]*data:/i

function isScript(url: string): boolean {
	return script.test(url.replace(skipped, ''))
}

/** Whether the address holds the file itself. */
export function isData(url: string): boolean {
	return data.test(url.replace(skipped, ''))
}

/** Whether the address leads from a page that is not there: what is relative for one platform is nothing on another. */
function isNowhere({ isForeign }: Pick<Fitting, 'isForeign'>, url: string): boolean {
	return isForeign === true && isRelative(withScheme(url))
}

/** Whether no file can be shown from the address. */
function isNoFile(fitting: Pick<Fitting, 'isForeign'>, url: string): boolean {
	return isScript(url) || isNowhere(fitting, url)
}

/** Whether no link may have the address: a page is opened by a link, and a file in an address is no page. */
export function isNoLink(fitting: Pick<Fitting, 'isForeign'>, url: string): boolean {
	return isNoFile(fitting, url) || isData(url)
}

/**
 * The address as it can stand in a text: in one piece, without white space; undefined when it cannot, and then noted as
 * dropped. Nobody can follow a `data:` address in a text, nor a fragment alone or any other relative one.
 */
export function urlInWords(fitting: Fitting, feature: Feature, url: string, path: string): string | undefined {
	const { chars = Number.POSITIVE_INFINITY } = fitting.carries['reply.text'] ?? {}
	const absolute = withScheme(url)
	const encoded = encodeBlanks(absolute.trim())
	const isDead = isData(url) || encoded.startsWith('#') || isRelative(encoded)
	if (encoded === '' || isDead || encoded.length > chars) {
		note(fitting, 'dropped', feature, path, isDead ? 'no address for a text' : 'it would be cut')
		return undefined
	}
	if (absolute !== url) note(fitting, 'converted', feature, path, 'with its scheme')
	if (encoded !== absolute) note(fitting, 'escaped', feature, path)
	return encoded
}
