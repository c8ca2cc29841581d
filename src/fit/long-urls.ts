/** Takes addresses out of a text in which they would be cut. */
import type { Message } from '../model/index.ts'
import { type Fitting, isWithin, note } from './context.ts'
import { phrases } from './phrases.ts'
import { escapeText, shortenText } from './strings.ts'

type Text = Extract<Message, { type: 'text' }>

/** A text without addresses that would be cut. Nothing of it is fitted yet. */
export interface AroundUrls {
	/** What goes before, in order. */
	readonly before: readonly Text[]
	/** The words behind the last address; undefined when there are none. */
	readonly rest: string | undefined
}

// Not behind a letter or a colon: there it is part of a word, such as the name of a field.
const address = /(?<![\w:])https?:\/\/\S*[^\s.,;:!?)\]}>"']/gu

/**
 * The text of the message at `path`, around its addresses of more than `most` units; undefined when there are none. Such an address becomes a text
 * of its own where that is long enough, or else a link button, or is dropped.
 */
export function aroundLongUrls(
	fitting: Fitting,
	text: string,
	most: number | undefined,
	path: string,
): AroundUrls | undefined {
	if (most === undefined || text.length <= most) return undefined
	const long = [...text.matchAll(address)].filter(([url]) => url.length > most)
	if (long.length === 0) return undefined
	const before: Text[] = []
	let end = 0
	for (const { index, 0: url } of long) {
		const words = text.slice(end, index).trim()
		end = index + url.length
		const message = linkMessage(fitting, url, words, path)
		if (words !== '' && message?.text !== words) before.push({ type: 'text', text: words })
		if (message) before.push(message)
	}
	return { before, rest: text.slice(end).trim() || undefined }
}

/** The address as a text, or under the words before it as a link; undefined when the format has room for neither. */
function linkMessage(fitting: Fitting, url: string, words: string, path: string): Text | undefined {
	const { carries } = fitting
	const { chars: most = Number.POSITIVE_INFINITY, escape: markup } = carries['reply.text'] ?? {}
	if (url.length <= most && (markup === undefined || escapeText(url, markup) === url)) {
		note(fitting, 'split', 'reply.text', path, 'around an address')
		return { type: 'text', text: url }
	}
	const [buttons, link] = [carries['reply.text.buttons'], carries['reply.button.link']]
	if (!buttons || !link || !isWithin(url, link)) {
		note(fitting, 'dropped', 'reply.text', path, 'an address that would be cut')
		return undefined
	}
	note(fitting, 'converted', 'reply.text', path, 'an address that would be cut, to a link')
	const { chars = Number.POSITIVE_INFINITY } = carries['reply.button.title'] ?? {}
	const title = shortenText(hostOf(url), chars)
	const isShort = words !== '' && words.length <= (buttons.chars ?? Number.POSITIVE_INFINITY)
	return { type: 'text', text: isShort ? words : phrases.noWords, buttons: [{ type: 'link', title, url }] }
}

function hostOf(url: string): string {
	return URL.parse(url)?.hostname || phrases.noWords
}
