/** What a message says: a text, a pressed button, a file; and the kind of event that follows from it. */
import * as v from 'valibot'
import { type CanonicalEvent, compact, compactOrNone, nonEmpty } from '../../../src/format/index.ts'
import { decodeButtonAction, encodeButtonAction } from '../button-action.ts'
import type { Dialect } from '../dialect.ts'
import { decodeMimeType, encodeMimeType, type Metadata, mediaKindOf } from '../media.ts'
import type { Call, Message } from './call.ts'
import { internal, type Sender, textVariable } from './sender.ts'

type Content = Pick<CanonicalEvent, 'kind' | 'text' | 'choice' | 'media'>

/**
 * The texts with which the platform opens a conversation; no user says them. They are a start whatever else the message
 * has: the widget's restart sends an action too. Tiledesk/tiledesk-server, event/botEvent.js.
 */
export const startTexts: readonly string[] = ['/start', '\\start']

export function decodeContent({ isMessage, message, variables }: Call, sender: Sender): Content {
	if (!isMessage) return { kind: 'notice' }
	const text = nonEmpty(message.text)
	const file = decodeAttachment(message.type, message.metadata)
	const isPrivate = message.attributes?.subtype === 'private'
	const isStart = !isPrivate && !file && text !== undefined && startTexts.includes(text)
	const choice = isStart ? undefined : decodeChoice(message)
	const content = compactOrNone({
		text: choice || isStart ? undefined : userText(text, message, variables, file?.name),
		choice,
		media: file && [file],
	})
	if (isStart) return { kind: 'start', ...content }
	if (isPrivate || sender !== 'user') return { kind: 'notice', ...content }
	return { kind: choice ? 'choice' : 'message', ...content }
}

/** The members of a message that hold its content. */
export function encodeContent({ kind, sender, text, choice, media = [] }: CanonicalEvent, dialect: Dialect) {
	const [file] = media
	const isTextButton = choice !== undefined && choice.value === choice.label
	const words = choice ? choice.label : (text ?? file?.name)
	return {
		type: file ? (file.kind === 'image' ? 'image' : 'file') : 'text',
		text: kind === 'start' ? startTexts[0] : (words ?? ''),
		metadata: compactOrNone({ ...(file && encodeFile(file)), button: isTextButton || undefined }),
		attributes: {
			action: choice && !isTextButton ? encodeButtonAction({ value: choice.value }, dialect, undefined) : undefined,
			subtype: kind === 'notice' && sender === 'user' ? 'private' : undefined,
		},
	}
}

/** A pressed action button sends its action, a pressed text button its label. */
function decodeChoice({ text, metadata, attributes }: Message): CanonicalEvent['choice'] {
	// Connectors to other channels send a blank for a button without words.
	const label = text?.trim() ? text : undefined
	const action = nonEmpty(attributes?.action)
	if (action !== undefined) {
		const decoded = decodeButtonAction(action)
		return compact({ value: 'target' in decoded ? decoded.target : decoded.value, label })
	}
	return metadata?.button && label !== undefined ? { value: label, label } : undefined
}

/** The user's own words. A file's name, which the platform sends as text, is none; neither is a jump that the flow made. */
function userText(
	text: string | undefined,
	{ sender, attributes }: Message,
	variables: Call['variables'],
	fileName: string | undefined,
): string | undefined {
	if (isFlowCall({ text, sender, attributes })) return textVariable(variables, 'lastUserText')
	return text === fileName ? undefined : text
}

/** `/name` and `/name{json}` jump to the intent of that name: Tiledesk/tiledesk-chatbot, DirIntent.js, DirReplaceBotV2.js. */
function isFlowCall({ text, sender, attributes }: Pick<Message, 'text' | 'sender' | 'attributes'>): boolean {
	return (sender === internal || attributes?.subtype === 'info') && text?.startsWith('/') === true
}

/** The path of a jump to an intent which the call does not name, with the values that it passes on. */
export function unreadFlowCall({ message, intent, at }: Call): string[] {
	const isStart = startTexts.some((each) => each === message.text)
	return !intent && !isStart && isFlowCall(message) ? [`${at}.text`] : []
}

type File = NonNullable<CanonicalEvent['media']>[number]

function decodeAttachment(type: Message['type'], metadata: Metadata): File | undefined {
	const url = nonEmpty(metadata?.src)
	if (url === undefined) return undefined
	return compact<File>({
		kind: mediaKindOf(type, metadata),
		url,
		name: nonEmpty(metadata?.name),
		mimeType: decodeMimeType(metadata),
		width: decodePixels(metadata?.width),
		height: decodePixels(metadata?.height),
	})
}

function encodeFile({ kind, url, name, mimeType, width, height }: File): object {
	return { src: url, name, type: encodeMimeType(kind, mimeType), width, height }
}

const Pixels = v.pipe(
	v.union([v.number(), v.pipe(v.string(), v.regex(/^\d+$/), v.transform(Number))]),
	v.safeInteger(),
	v.minValue(0),
)

function decodePixels(value: unknown): number | undefined {
	const result = v.safeParse(Pixels, value)
	return result.success ? result.output : undefined
}

/** Paths of the metadata that `decodeFile` leaves out: a size that is no number, or all of it when there is no URL. */
export function unreadAttachment({ message: { metadata }, at }: Call): string[] {
	if (!metadata) return []
	const { src, name, type, width, height } = metadata
	const sizes = { width, height }
	const ignored = nonEmpty(src)
		? Object.entries(sizes).filter(([, value]) => decodePixels(value) === undefined)
		: Object.entries({ name, type, ...sizes })
	return ignored.flatMap(([key, value]) =>
		value === undefined || value === null || value === '' ? [] : [`${at}.metadata.${key}`],
	)
}
