/** The law of what can be pressed: it does what the author said it does, however its label was fitted. */
import * as v from 'valibot'
import { type Button, CanonicalEvent, CanonicalReply, type Choice, type Message } from '../src/model/index.ts'
import type { Side, Wire } from './laws.ts'

/** A label, and the value, address, number or target behind it. */
interface Pair {
	readonly title: string
	readonly does: string
}

/** As the author put it together. */
interface GivenPair extends Pair {
	/** What tells it from others of its title: the title of its card, also with the subtitle, or the text above it. */
	readonly owners: readonly string[]
}

/**
 * Law 9. Whatever stands to be pressed, and whatever is offered to be remembered, has a label and a deed that the author
 * put together. Where only the label comes back, the offer of that label says what it does.
 */
export function pairing<W extends Wire, M>({ fit }: Pick<Side<W, M>, 'fit'>, x: M): void {
	const given = [...pairsOf(x), ...linksOf(x).map((pair) => ({ ...pair, owners: [] }))]
	const { value, offers } = fit(x)
	for (const { label, choice } of offers) {
		expectGiven(given, { title: label, does: choice.value }, 'fit offers')
	}
	const offered = offers.map(({ label, choice }) => ({ title: label, does: choice.value }))
	for (const { title, does } of pairsOf(value)) {
		const stands = title === does ? offered.find((offer) => offer.title === title)?.does : undefined
		expectGiven(given, { title, does: stands ?? does }, 'fit shows')
	}
}

function expectGiven(given: readonly GivenPair[], { title, does }: Pair, who: string): void {
	const isGiven = given.some(
		(pair) =>
			bare(pair.does) === bare(does) &&
			namesOf(pair).some((name) => stem(name) === stem(title) || isCutOf(title, name)),
	)
	const [label, deed] = [JSON.stringify(title), JSON.stringify(does)]
	if (!isGiven) throw new Error(`${who} ${label} for ${deed}, which the author did not put together`)
}

/** The labels that a choice may have: its title, the title with its owner, and the owner alone. */
function namesOf({ title, owners }: GivenPair): string[] {
	return [title, ...owners.flatMap((owner) => [`${title}: ${owner}`, owner])]
}

/** Where a format wants URLs without white space, that is trimmed or percent-encoded. */
function bare(does: string): string {
	return does.replace(/\s/gu, (blank) => encodeURIComponent(blank)).replace(/^(?:%[\dA-F]{2})+|(?:%[\dA-F]{2})+$/g, '')
}

/** Whether a label is the start of a title, with an ellipsis, and perhaps a number that tells it from others. */
function isCutOf(label: string, title: string): boolean {
	const start = stem(label.replace(/ \(\d+\)$/, '').replace(/…$/, ''))
	return stem(title).startsWith(start)
}

/** The title as its author wrote it, but for joiners and half characters. */
function stem(title: string): string {
	return title.toWellFormed().replaceAll('\u2060', '').trim()
}

function pairsOf(model: unknown): GivenPair[] {
	return messagesOf(model).flatMap((message, i, all) =>
		groupsOf(message, all[i - 1]).flatMap(({ owners, pressables }) =>
			pressables.map((each) => ({
				title: each.title,
				does: deedOf(each).toWellFormed(),
				owners: owners.map((owner) => owner.toWellFormed()),
			})),
		),
	)
}

/** An address of the author that has no room as words becomes a link, under the words it belongs to or under its host. */
function linksOf(model: unknown): Pair[] {
	return messagesOf(model).flatMap((message): Pair[] => {
		switch (message.type) {
			case 'image':
				return [{ title: message.alt ?? '…', does: message.url.toWellFormed() }]
			case 'video':
			case 'audio':
			case 'file':
				return [{ title: message.name ?? '…', does: message.url.toWellFormed() }]
			case 'cards':
				return message.cards.flatMap(({ imageUrl }) =>
					imageUrl ? [{ title: '…', does: imageUrl.toWellFormed() }] : [],
				)
			default:
				return addressesIn(message.text ?? '').map((url) => ({ title: URL.parse(url)?.hostname || '…', does: url }))
		}
	})
}

function addressesIn(text: string): string[] {
	return text.toWellFormed().match(/https?:\/\/\S*[^\s.,;:!?)\]}>"']/gu) ?? []
}

function messagesOf(model: unknown): readonly Message[] {
	if (v.is(CanonicalReply, model)) return model.messages
	return v.is(CanonicalEvent, model) ? (model.defaultReply ?? []) : []
}

interface Group {
	readonly owners: readonly string[]
	readonly pressables: readonly (Button | Choice)[]
}

function groupsOf(message: Message, before: Message | undefined): Group[] {
	switch (message.type) {
		case 'choices': {
			const text = message.text ?? (before?.type === 'text' ? before.text : undefined)
			return [{ owners: text === undefined ? [] : [plain(text)], pressables: message.choices }]
		}
		case 'text':
			return [{ owners: [plain(message.text)], pressables: message.buttons ?? [] }]
		case 'cards':
			return message.cards.map(({ title, subtitle, buttons = [] }) => ({
				owners: [plain(title), ...(subtitle === undefined ? [] : [`${plain(title)}, ${plain(subtitle)}`])],
				pressables: buttons,
			}))
		default:
			return []
	}
}

/** The words in one line, without a colon at the end. */
function plain(words: string): string {
	return words
		.replace(/\s+/g, ' ')
		.replace(/[:： ]{1,9}$/, '')
		.trim()
}

function deedOf(each: Button | Choice): string {
	if ('value' in each) return each.value
	if ('target' in each) return each.target
	// A format may want it without the signs that people put between digits.
	return 'url' in each ? each.url : each.number.replace(/[\s()./-]/gu, '')
}
