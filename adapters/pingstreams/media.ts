/**
 * Pictures, films, sounds and files, which have one shape on both legs: a type, and metadata with the source and a
 * media type. Tiledesk/chat21-web-widget: utils-message.ts, isImage, isFrame, isAudio, isFile.
 */
import * as v from 'valibot'
import { nonEmpty, WireFlag, WireOptionalText, wireObject } from '../../src/format/index.ts'

/** The model's kinds of media. */
export type MediaKind = 'image' | 'video' | 'audio' | 'file'

const size = v.nullish(v.union([v.number(), v.string()]))

/** Metadata of a message; the widget sends the empty string for none. */
export const Metadata = wireObject(
	v.object({
		src: WireOptionalText,
		name: WireOptionalText,
		type: WireOptionalText,
		width: size,
		height: size,
		/** On the message that a pressed text button sends. */
		button: v.nullish(WireFlag),
	}),
)
export type Metadata = v.InferOutput<typeof Metadata>

/** What we send when the media type is unknown: the widget calls a method of the field. */
const placeholders = { image: undefined, video: 'video', audio: 'audio', file: 'application/octet-stream' } as const

/** Media types that say no more than the kind. */
export const placeholderTypes: readonly string[] = Object.values(placeholders).filter((each) => each !== undefined)

/** The kind of a file, by its message's type and its media type. */
export function mediaKindOf(type: string | null | undefined, metadata: Metadata): MediaKind {
	if (type === 'image') return 'image'
	const family = /^(?:image|video|audio)(?=\/|$)/i.exec(metadata?.type || (type ?? ''))?.[0]
	switch (family?.toLowerCase()) {
		case 'image':
			return 'image'
		case 'video':
			return 'video'
		case 'audio':
			return 'audio'
		default:
			return 'file'
	}
}

/** The media type, where the metadata says more than the kind. */
export function decodeMimeType(metadata: Metadata): string | undefined {
	const type = nonEmpty(metadata?.type)
	return type === undefined || placeholderTypes.includes(type) ? undefined : type
}

/** The metadata's type: the media type, or the placeholder of the kind. */
export function encodeMimeType(kind: MediaKind, mimeType: string | undefined): string | undefined {
	return mimeType ?? placeholders[kind]
}
