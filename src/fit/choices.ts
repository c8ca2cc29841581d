/** Choices in normal form: as the format shows them, or as numbered lines of text. */
import type { Button, Choice, Message } from '../model/index.ts'
import type { PlacedChoice } from './choice-names.ts'
import { type Fitting, fitLabel, isWithin, type Labels, noLabels, note, take, unique } from './context.ts'
import { phrases } from './phrases.ts'
import type { Offer } from './types.ts'

/**
 * What comes back from presses of what a reply shows, wherever the format has values. Most replies need not know, so it is
 * looked up when it is first asked for.
 */
export function returnedValues(leg: Pick<Fitting, 'carries'>, messages: readonly Message[]): () => ReadonlySet<string> {
	let values: ReadonlySet<string> | undefined
	return () => {
		values ??= findReturnedValues(leg, messages)
		return values
	}
}

function findReturnedValues({ carries }: Pick<Fitting, 'carries'>, messages: readonly Message[]): ReadonlySet<string> {
	const values = new Set<string>()
	for (const message of messages) {
		const choices = message.type === 'choices' ? message.choices : []
		const cards = message.type === 'cards' ? message.cards : []
		const buttons = message.type === 'text' ? message.buttons : cards.flatMap((card) => card.buttons ?? [])
		collect(choices, carries['reply.choices'] && carries['reply.choice.value'])
		collect(buttons ?? [], carries['reply.button.postback'])
	}
	return values

	function collect(pressed: readonly (Button | Choice)[], limit: Parameters<typeof isWithin>[1] | undefined): void {
		if (!limit) return
		for (const each of pressed) if ('value' in each && isWithin(each.value, limit)) values.add(each.value)
	}
}

/** Choices as the format has them. `path` names each; lines go into the text before them. */
export function fitChoices(fitting: Fitting, choices: readonly PlacedChoice[]): { choices: Choice[]; lines: string[] } {
	const { carries } = fitting
	const fitted: Choice[] = []
	const lines: string[] = []
	const { 'reply.choice.value': limit, 'reply.choice.goto': jump } = carries
	const { oneSet } = fitting
	const shownTogether = oneSet ? fitting.labels : noLabels()
	for (const placed of choices) {
		const { choice, path, set } = placed
		const isJump = 'target' in choice
		if (isJump && (!jump || !isWithin(choice.target, jump))) {
			note(fitting, 'dropped', 'reply.choice.goto', path)
			continue
		}
		const isCarried = !isJump && limit !== undefined && isWithin(choice.value, limit)
		const { title, name } = fitChoiceTitle(fitting, placed, shownTogether, isJump || isCarried, lines)
		if (title === undefined) {
			note(fitting, 'merged', 'reply.choices', path, 'with one that does the same')
			continue
		}
		const shown = isJump ? { title, target: choice.target } : { title, value: isCarried ? choice.value : title }
		fitted.push(shown)
		if (isJump) {
			oneSet?.placed.set(shown, { ...placed, name })
			continue
		}
		if (!isCarried && choice.value !== title && !fitting.remembers) {
			note(fitting, 'dropped', 'reply.choice.value', `${path}.value`, 'a press sends the label back')
		}
		const offer: Offer = isCarried ? { set, label: title, value: choice.value, choice } : { set, label: title, choice }
		fitting.offers.push(offer)
		oneSet?.placed.set(shown, { ...placed, name, offer })
	}
	return { choices: fitted, lines }
}

/**
 * The title of a choice within its limit, and its name in full. `isKnown`: what a press does is known without it. The
 * title is undefined when another choice of the same title does the same, where a reply has one set.
 */
function fitChoiceTitle(
	fitting: Fitting,
	{ choice, path, set }: PlacedChoice,
	shownTogether: Labels,
	isKnown: boolean,
	lines: string[],
): { title: string | undefined; name: string } {
	const feature = 'reply.choice.title'
	const { carries, nameChoice, oneSet } = fitting
	const { chars } = carries[feature] ?? {}
	const given = nameChoice?.(choice.title, set)
	const name = given?.full ?? choice.title
	const hasRoom = chars === undefined || name.length <= chars
	const fitted = fitLabel(fitting, feature, hasRoom ? name : (given?.short ?? name), `${path}.title`)
	const does = 'target' in choice ? JSON.stringify(choice) : choice.value
	// A label that comes back must mean one thing in the whole reply; one that was cut, among those it stands with.
	const comesBack = !isKnown || carries['reply.choice.value'] === undefined
	const labels = comesBack ? fitting.labels : shownTogether
	const isShown = (label: string): boolean => {
		if (!oneSet) return false
		const both = JSON.stringify([label, does])
		const shown = oneSet.shown.has(both)
		oneSet.shown.add(both)
		return shown
	}
	if (isShown(fitted)) return { title: undefined, name }
	const isReserved = (label: string) => fitting.values().has(label) || shownTogether.taken?.has(label) === true
	const title = comesBack
		? unique(fitted, labels, { chars, does, isReserved })
		: fitted === choice.title
			? fitted
			: unique(fitted, labels, { chars })
	if (title !== fitted && isShown(title)) return { title: undefined, name }
	if (!hasRoom) lines.push(phrases.inFull(name))
	take(title, labels, does)
	if (labels !== shownTogether) take(title, shownTogether)
	if (title !== fitted) note(fitting, 'converted', feature, `${path}.title`, 'made unique')
	else if (given) note(fitting, 'converted', feature, `${path}.title`, 'told apart by what it belongs to')
	return { title, name }
}

/**
 * Choices as numbered lines of text, for formats that have none. Numbers count on through the reply. `isUnderOwner`: what
 * the choices belong to stands right above them.
 */
export function numberChoices(fitting: Fitting, choices: readonly PlacedChoice[], isUnderOwner: boolean): string[] {
	const { numbers, labels, nameChoice } = fitting
	const values = fitting.values()
	const lines: string[] = []
	for (const { choice, path, set, name } of choices) {
		if ('target' in choice) {
			note(fitting, 'dropped', 'reply.choice.goto', path)
			continue
		}
		do numbers.last++
		while (values.has(String(numbers.last)))
		note(fitting, 'converted', 'reply.choices', path, 'to numbered text')
		if (!fitting.remembers && choice.value !== choice.title) {
			note(fitting, 'dropped', 'reply.choice.value', `${path}.value`, 'the user answers with the number')
		}
		const full = name ?? nameChoice?.(choice.title, set)?.full ?? choice.title
		const label = unique(full, labels, { does: choice.value, isReserved: (label) => values.has(label) })
		if (!isUnderOwner && name === undefined && label !== choice.title) {
			note(fitting, 'converted', 'reply.choice.title', `${path}.title`, 'told apart by what it belongs to')
		}
		lines.push(phrases.numbered(numbers.last, isUnderOwner ? choice.title : label))
		fitting.offers.push({ set, label, number: numbers.last, choice })
	}
	return lines
}
