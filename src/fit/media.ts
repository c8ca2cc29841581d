/** Pictures, films, sounds and files in normal form: as the format has them, or as text with their address. */
import type { Message } from '../model/index.ts'
import { type Fitting, fitString, isWithin, note } from './context.ts'
import { phrases } from './phrases.ts'
import { plainTexts } from './texts.ts'

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
		return plainTexts(fitting, words === undefined ? message.url : phrases.labelled(words, message.url), path)
	}
	if (message.type === 'image') {
		const alt = fitString(fitting, 'reply.image.alt', message.alt, `${path}.alt`)
		return [{ type: 'image', url: message.url, ...(alt !== undefined && { alt }) }]
	}
	const name = fitString(fitting, 'reply.media.name', message.name, `${path}.name`)
	const mimeType = fitString(fitting, 'reply.media.mimeType', message.mimeType, `${path}.mimeType`)
	return [{ type: message.type, url: message.url, ...(name !== undefined && { name }), ...(mimeType && { mimeType }) }]
}
