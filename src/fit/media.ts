/** Pictures, films, sounds and files in normal form: as the format has them, or as text with their address. */
import type { Feature, Message } from '../model/index.ts'
import { type Fitting, fitLabel, note, noWords, within } from './context.ts'
import { plainTexts } from './texts.ts'

type Media = Extract<Message, { type: 'image' | 'video' | 'audio' | 'file' }>

export function fitMedia(fitting: Fitting, message: Media, path: string): Message[] {
	const feature = `reply.${message.type}` as const
	const limit = fitting.carries[feature]
	const words = message.type === 'image' ? message.alt : message.name
	if (!limit || !within(message.url, limit)) {
		note(fitting, 'converted', feature, path, 'to text')
		if (message.type !== 'image' && message.mimeType !== undefined) {
			note(fitting, 'dropped', 'reply.media.mimeType', `${path}.mimeType`)
		}
		return plainTexts(fitting, words === undefined ? message.url : `${words}: ${message.url}`, path)
	}
	if (message.type === 'image') {
		const alt = fitPart(fitting, 'reply.image.alt', message.alt, `${path}.alt`, noWords)
		return [{ type: 'image', url: message.url, ...(alt !== undefined && { alt }) }]
	}
	const name = fitPart(fitting, 'reply.media.name', message.name, `${path}.name`, noWords)
	const typed = saysKind(fitting, 'reply.media.mimeType', message.mimeType, message.type)
	if (!typed) note(fitting, 'dropped', 'reply.media.mimeType', `${path}.mimeType`, 'says another kind')
	const mimeType = typed && fitPart(fitting, 'reply.media.mimeType', message.mimeType, `${path}.mimeType`)
	return [
		{
			type: message.type,
			url: message.url,
			...(name !== undefined && { name }),
			...(mimeType && { mimeType }),
		},
	]
}

/** The string where the format has it; what it cannot do without is supplied. */
function fitPart(
	fitting: Fitting,
	feature: Feature,
	value: string | undefined,
	path: string,
	supply?: string,
): string | undefined {
	const limit = fitting.carries[feature]
	if (value !== undefined && limit && within(value, { pattern: limit.pattern, reserved: limit.reserved })) {
		return fitLabel(fitting, feature, value, path)
	}
	if (value !== undefined) note(fitting, 'dropped', feature, path)
	if (!limit?.required) return undefined
	if (value === undefined) note(fitting, 'added', feature, path)
	return limit.default ?? supply
}

/** Whether a media type agrees with the kind, where it alone tells sounds, films and files apart. */
export function saysKind(
	{ carries }: Fitting,
	feature: Feature,
	mimeType: string | undefined,
	kind: 'image' | 'video' | 'audio' | 'file',
): boolean {
	if (!carries[feature]?.derived || mimeType === undefined || kind === 'image') return true
	return (/^(?:image|video|audio)(?=\/)/i.exec(mimeType)?.[0]?.toLowerCase() ?? 'file') === kind
}
