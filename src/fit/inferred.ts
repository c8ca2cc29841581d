/** What a format tells of an event by no field of its own: where words stand for something else, and what makes a kind. */
import type { CanonicalEvent } from '../model/index.ts'
import { type Fitting, note } from './context.ts'

/** Where a label or a file's name stands in the place of the words: the words that are left. */
export function fitWords(fitting: Fitting, event: CanonicalEvent): CanonicalEvent {
	const { text, ...others } = event
	const { choice, media } = others
	if (text === undefined) return event
	if (choice && fitting.carries['event.choice.label']?.into === 'text') {
		const { label = text } = choice
		note(fitting, label === text ? 'merged' : 'dropped', 'event.text', 'text', 'the label stands there')
		return { ...others, choice: { ...choice, label } }
	}
	const repeats = fitting.carries['event.media.name']?.into === 'text' && media?.some(({ name }) => name === text)
	if (!repeats) return event
	note(fitting, 'merged', 'event.text', 'text', 'it is the name of the file')
	return others
}

/** Where no field tells the kind: the one that follows from the sender, the choice and the words. */
export function fitKind(fitting: Fitting, event: CanonicalEvent): CanonicalEvent {
	const { kind, sender = 'user', text, choice, media } = event
	if (!fitting.carries['event.kind']?.derived) return event
	const said = choice ? 'choice' : text !== undefined || media || kind !== 'start' ? 'message' : 'start'
	const implied = kind === 'notice' || (sender !== 'user' && said !== 'start') ? 'notice' : said
	if (implied === kind) return event
	note(fitting, 'converted', 'event.kind', 'kind', `to ${implied}`)
	return { ...event, kind: implied }
}
