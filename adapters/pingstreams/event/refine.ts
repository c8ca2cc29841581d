/** What a call says by no field of its own, and what it must not say. */
import type { CanonicalEvent, Report } from '../../../src/format/index.ts'
import { mediaKindOf } from '../media.ts'
import { withoutSecrets } from './attributes.ts'
import { startTexts } from './content.ts'

/** The event as the call tells it: without secrets, and of the kind that follows from what it holds. */
export function refineEvent(event: CanonicalEvent, report: Report): CanonicalEvent {
	const known = refineAttributes(refineMedia(refineUser(event, report), report), report)
	return refineKind(refineLabel(refineText(known, report), report), report)
}

function refineUser(event: CanonicalEvent, report: Report): CanonicalEvent {
	const { user } = event
	if (!user) return event
	const attributes = withoutSecrets(user.attributes, 'user.attributes', (path) => {
		report({ did: 'dropped', feature: 'event.user.attributes', path, detail: 'its name suggests a secret' })
	})
	return attributes === user.attributes ? event : { ...event, user: { ...user, attributes } }
}

function refineAttributes(event: CanonicalEvent, report: Report): CanonicalEvent {
	const attributes = withoutSecrets(event.attributes, 'attributes', (path) => {
		report({ did: 'dropped', feature: 'event.attributes', path, detail: 'its name suggests a secret' })
	})
	return attributes === event.attributes ? event : { ...event, attributes }
}

function refineMedia(event: CanonicalEvent, report: Report): CanonicalEvent {
	const { media } = event
	return media ? { ...event, media: media.map((file, i) => refineFile(file, `media[${i}]`, report)) } : event
}

type File = NonNullable<CanonicalEvent['media']>[number]

/** The media type is all that parts sounds, films and other files: one that names another kind is dropped. */
function refineFile(file: File, path: string, report: Report): File {
	const { mimeType, ...others } = file
	if (file.kind === 'image' || mimeType === undefined || mediaKindOf(undefined, { type: mimeType }) === file.kind)
		return file
	report({
		did: 'dropped',
		feature: 'event.media.mimeType',
		path: `${path}.mimeType`,
		detail: 'it contradicts the kind',
	})
	return others
}

/** The label of a choice and the name of a file are sent as the message's text, which has no place beside them. */
function refineText(event: CanonicalEvent, report: Report): CanonicalEvent {
	if (event.text === undefined || !(event.choice || event.media)) return event
	const { text, ...others } = event
	const { choice, media } = others
	if (choice) {
		const { label = text } = choice
		const did = label === text ? 'merged' : 'dropped'
		report({ did, feature: 'event.text', path: 'text', detail: 'replaced by the label' })
		return { ...others, choice: { ...choice, label } }
	}
	if (!media?.some(({ name }) => name === text)) return event
	report({ did: 'merged', feature: 'event.text', path: 'text', detail: 'into the name of the file' })
	return others
}

/** A label that the platform reads as a start, or as none: a button without words sends a blank. */
function refineLabel(event: CanonicalEvent, report: Report): CanonicalEvent {
	const { choice } = event
	const { label } = choice ?? {}
	if (!choice || label === undefined || (label.trim() !== '' && !startTexts.includes(label))) return event
	const detail = label.trim() === '' ? 'it is blank' : 'it would be a start'
	report({ did: 'dropped', feature: 'event.choice.label', path: 'choice.label', detail })
	return { ...event, choice: { value: choice.value } }
}

/** The kind follows from the sender, the choice and the words. */
function refineKind(event: CanonicalEvent, report: Report): CanonicalEvent {
	const { kind, sender = 'user', text, choice, media } = event
	const content = choice ? 'choice' : text !== undefined || media || kind !== 'start' ? 'message' : 'start'
	const implied = kind === 'notice' || (sender !== 'user' && content !== 'start') ? 'notice' : content
	if (implied === kind) return event
	report({ did: 'converted', feature: 'event.kind', path: 'kind', detail: `to ${implied}` })
	return { ...event, kind: implied }
}
