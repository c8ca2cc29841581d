/**
 * Pictures, films, sounds and files, which look the same both ways: a type, and metadata with the source and a media
 * type. Tiledesk/chat21-web-widget: utils-message.ts, isImage, isFrame, isAudio, isFile.
 */
import * as v from 'valibot'
import { nonEmpty } from '../../src/format/index.ts'

export type FileKind = 'image' | 'video' | 'audio' | 'file'

const Some = v.object({
	src: v.nullish(v.string()),
	name: v.nullish(v.string()),
	type: v.nullish(v.string()),
	width: v.nullish(v.union([v.number(), v.string()])),
	height: v.nullish(v.union([v.number(), v.string()])),
	/** On the message that a pressed text button sends. */
	button: v.nullish(v.boolean()),
})
/** Metadata of a message; the widget sends the empty string for none. */
export const Metadata = v.pipe(
	v.nullish(v.union([Some, v.literal('')])),
	v.transform((metadata) => metadata || undefined),
)
export type Metadata = v.InferOutput<typeof Metadata>

/** What stands in the place of a media type that nobody knows: the widget calls a method of it. */
const unknown = { image: undefined, video: 'video', audio: 'audio', file: 'application/octet-stream' } as const

/** Media types that say no more than the kind. */
export const emptyTypes: readonly string[] = Object.values(unknown).filter((each) => each !== undefined)

/** The kind of a file. */
export function kindOf(type: string | null | undefined, metadata: Metadata): FileKind {
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
export function readMimeType(metadata: Metadata): string | undefined {
	const type = nonEmpty(metadata?.type)
	return type === undefined || emptyTypes.includes(type) ? undefined : type
}

/** What stands for the media type. */
export function writeMimeType(kind: FileKind, mimeType: string | undefined): string | undefined {
	return mimeType ?? unknown[kind]
}
