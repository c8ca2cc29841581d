/** Pictures, films, sounds and files in normal form: as the format has them, or as text with their address. */
import type { Feature, Message } from '../model/index.ts'
import { type Fitting, fitString, isWithin, note } from './context.ts'
import { phrases } from './phrases.ts'
import { fitText, plainTexts } from './texts.ts'
import { isData, urlInWords, withoutBlanks } from './urls.ts'

type Media = Extract<Message, { type: 'image' | 'video' | 'audio' | 'file' }>

export function fitMedia(fitting: Fitting, message: Media, path: string): Message[] {
	const feature = `reply.${message.type}` as const
	const limit = fitting.carries[feature]
	const words = message.type === 'image' ? message.alt : message.name
	if (!limit || !isWithin(message.url, limit)) {
		note(fitting, 'converted', feature, path, 'to text')
		if (message.type !== 'image' && message.mimeType !== undefined) {
			note(fitting, 'dropped', 'reply.media.mimeType', `${path}.mimeType`)
		}
		return addressOf(fitting, feature, message.url, words, path)
	}
	if (message.type === 'image') {
		const alt = fitString(fitting, 'reply.image.alt', message.alt, `${path}.alt`)
		return [{ type: 'image', url: message.url, ...(alt !== undefined && { alt }) }]
	}
	const name = fitString(fitting, 'reply.media.name', message.name, `${path}.name`)
	const mimeType = fitString(fitting, 'reply.media.mimeType', message.mimeType, `${path}.mimeType`)
	return [{ type: message.type, url: message.url, ...(name !== undefined && { name }), ...(mimeType && { mimeType }) }]
}

/** A file as its words and its address: in a text, or where that has no room for it, as a link. */
function addressOf(
	fitting: Fitting,
	feature: Feature,
	url: string,
	words: string | undefined,
	path: string,
): Message[] {
	const { carries } = fitting
	const link = carries['reply.button.link']
	const isCut = url.length > (carries['reply.text']?.chars ?? Number.POSITIVE_INFINITY)
	if (isCut && !isData(url) && carries['reply.text.buttons'] && link) {
		const opened = withoutBlanks(fitting, 'reply.button.link', url, path)
		const title = words ?? phrases.noWords
		const buttons = [{ type: 'link' as const, title, url: opened }]
		if (isWithin(opened, link))
			return fitText(fitting, { type: 'text', text: title, buttons }, path, { buttons: [path] })
	}
	const address = urlInWords(fitting, feature, url, path)
	if (address === undefined) return words === undefined ? [] : plainTexts(fitting, words, path)
	return plainTexts(fitting, words === undefined ? address : phrases.labelled(words, address), path)
}
