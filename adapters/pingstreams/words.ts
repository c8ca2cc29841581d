/** What a message says: words, a pressed button, a file; and the kind of event it makes. */
import * as v from 'valibot'
import { type CanonicalEvent, compact, compactOrNone, nonEmpty } from '../../src/format/index.ts'
import { readAction, writeAction } from './action.ts'
import type { Call, Message } from './call.ts'
import type { Dialect } from './dialect.ts'
import { kindOf, type Metadata, readMimeType, writeMimeType } from './file.ts'
import { internal, type Sender } from './person.ts'

type Words = Pick<CanonicalEvent, 'kind' | 'text' | 'choice' | 'media'>

/** What opens a conversation, as the platform writes it; no user says it. */
export const starts: readonly string[] = ['/start', '\\start']

export function readWords({ isMessage, message, variables }: Call, sender: Sender): Words {
	if (!isMessage) return { kind: 'notice' }
	const { attributes, metadata } = message
	const text = nonEmpty(message.text)
	const isPrivate = attributes?.subtype === 'private'
	const choice = readChoice(message)
	const file = readFile(message.type, metadata)
	const isStart = !isPrivate && !choice && !file && text !== undefined && starts.includes(text)
	const words = compactOrNone({
		text: choice || isStart ? undefined : wordsOf(text, message, variables.lastUserText, file?.name),
		choice,
		media: file && [file],
	})
	if (isStart) return { kind: 'start', ...words }
	if (isPrivate || sender !== 'user') return { kind: 'notice', ...words }
	return { kind: choice ? 'choice' : 'message', ...words }
}

/** Paths of what the metadata says and no file does: a size that is none, and all of it where there is no file. */
export function unreadMetadata({ message: { metadata }, at }: Call): string[] {
	if (!metadata) return []
	const { src, name, type, width, height } = metadata
	const sizes = { width, height }
	const lost = nonEmpty(src)
		? Object.entries(sizes).filter(([, value]) => pixels(value) === undefined)
		: Object.entries({ name, type, ...sizes })
	return lost.flatMap(([key, value]) =>
		value === undefined || value === null || value === '' ? [] : [`${at}.metadata.${key}`],
	)
}

/** What of a message says it, and in which attributes. */
export function writeWords({ kind, sender, text, choice, media = [] }: CanonicalEvent, dialect: Dialect) {
	const [file] = media
	const pressed = choice !== undefined && choice.value === choice.label
	const words = choice ? choice.label : (text ?? file?.name)
	return {
		type: file ? (file.kind === 'image' ? 'image' : 'file') : 'text',
		text: kind === 'start' ? starts[0] : (words ?? ''),
		metadata: compactOrNone({ ...(file && writeFile(file)), button: pressed || undefined }),
		attributes: {
			action: choice && !pressed ? writeAction({ value: choice.value }, dialect, undefined) : undefined,
			subtype: kind === 'notice' && sender === 'user' ? 'private' : undefined,
		},
	}
}

/** A pressed action button sends its action, a pressed text button its label. */
function readChoice({ text, metadata, attributes }: Message): CanonicalEvent['choice'] {
	const label = nonEmpty(text)
	const action = nonEmpty(attributes?.action)
	if (action !== undefined) {
		const read = readAction(action)
		return compact({ value: 'target' in read ? read.target : read.value, label })
	}
	return metadata?.button && label !== undefined ? { value: label, label } : undefined
}

/** The user's words: neither the name of a file, which stands for words that are not there, nor a call from the flow. */
function wordsOf(
	text: string | undefined,
	{ sender, attributes }: Message,
	lastWords: unknown,
	fileName: string | undefined,
): string | undefined {
	const fromFlow = sender === internal || attributes?.subtype === 'info'
	// `/name` jumps to the intent of that name. Tiledesk/tiledesk-chatbot: DirIntent.js, DirReplaceBotV2.js.
	if (fromFlow && text?.startsWith('/')) return v.is(v.string(), lastWords) ? nonEmpty(lastWords) : undefined
	return text === fileName ? undefined : text
}

type File = NonNullable<CanonicalEvent['media']>[number]

function readFile(type: Message['type'], metadata: Metadata): File | undefined {
	const url = nonEmpty(metadata?.src)
	if (url === undefined) return undefined
	return compact<File>({
		kind: kindOf(type, metadata),
		url,
		name: nonEmpty(metadata?.name),
		mimeType: readMimeType(metadata),
		width: pixels(metadata?.width),
		height: pixels(metadata?.height),
	})
}

function writeFile({ kind, url, name, mimeType, width, height }: File): object {
	return { src: url, name, type: writeMimeType(kind, mimeType), width, height }
}

const Pixels = v.pipe(
	v.union([v.number(), v.pipe(v.string(), v.regex(/^\d+$/), v.transform(Number))]),
	v.safeInteger(),
	v.minValue(0),
)

function pixels(value: unknown): number | undefined {
	const result = v.safeParse(Pixels, value)
	return result.success ? result.output : undefined
}
