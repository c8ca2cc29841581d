/** Buttons and choices in normal form: what can be pressed where, and what becomes of the rest. */
import type { Button, Choice } from '../model/index.ts'
import { type Fitting, fitLabel, fitOneOf, isWithin, type Labels, noLabels, note, unique } from './context.ts'
import { phrases } from './phrases.ts'
import { isNoLink, urlInWords } from './urls.ts'

/** A choice and its path in the value before. */
export interface PlacedChoice {
	readonly choice: Choice
	readonly path: string
	/** As in `Offer`. */
	readonly set: string
}

/** A set of buttons sorted by how the format can show them; what it cannot show at all is dropped and noted. */
export interface SortedButtons {
	readonly shown: Button[]
	/** Where each of those stood. */
	readonly places: string[]
	/** Postbacks and jumps that go among the choices. */
	readonly choices: PlacedChoice[]
	/** Lines of text: full labels of shortened ones, links and numbers without a button. */
	readonly lines: string[]
}

/** `here`: whether buttons can hang where these do. `set`: the path of what holds them. `path` is that of their list, or those of each. */
export function sortButtons(
	fitting: Fitting,
	buttons: readonly Button[],
	here: boolean,
	set: string,
	path: string | readonly string[],
): SortedButtons {
	const sorted: SortedButtons = { shown: [], places: [], choices: [], lines: [] }
	const labels = noLabels()
	for (const [i, button] of buttons.entries()) {
		const at = typeof path === 'string' ? `${path}[${i}]` : (path[i] ?? '')
		if ('url' in button && isNoLink(button.url)) {
			note(fitting, 'dropped', `reply.button.${button.type}`, at, 'no address that a user can open')
			continue
		}
		const shown = here ? fitButton(fitting, button, at) : undefined
		if (shown) {
			const title = fitTitle(fitting, 'reply.button.title', shown.title, `${at}.title`, labels, sorted.lines)
			sorted.shown.push({ ...shown, title })
			sorted.places.push(at)
			if (shown.type === 'postback') {
				const choice = { title: button.title, value: shown.value }
				fitting.offers.push({ set, label: title, value: shown.value, choice })
			}
		} else leave(fitting, button, set, at, sorted)
	}
	return sorted
}

/** Whether the format has the button, or one that does the same. */
export function canPress({ carries }: Fitting, button: Button): boolean {
	if ('url' in button && isNoLink(button.url)) return false
	const argument = argumentOf(button)
	const limits = [
		carries[`reply.button.${button.type}`],
		button.type === 'webview' ? carries['reply.button.link'] : undefined,
	]
	return limits.some((limit) => limit !== undefined && isWithin(argument, limit))
}

/** The button as the format has it, its title not yet fitted; undefined when it has none such. */
function fitButton(fitting: Fitting, button: Button, path: string): Button | undefined {
	const { carries } = fitting
	const limit = carries[`reply.button.${button.type}`]
	if (button.type === 'webview') {
		if (limit && isWithin(button.url, limit)) return fitHeight(fitting, button, path)
		const link = carries['reply.button.link']
		if (!link || !isWithin(button.url, link)) return undefined
		note(fitting, 'converted', 'reply.button.webview', path, 'to a link')
		return { type: 'link', title: button.title, url: button.url }
	}
	return limit && isWithin(argumentOf(button), limit) ? button : undefined
}

function fitHeight(fitting: Fitting, button: Extract<Button, { type: 'webview' }>, path: string): Button {
	const feature = 'reply.button.webview.height'
	const { height, ...plain } = button
	const fitted = fitOneOf(fitting, feature, fitting.carries[feature], height, `${path}.height`)
	return { ...plain, ...(fitted !== undefined && { height: fitted }) }
}

/** What a button stands for, beside its title. */
function argumentOf(button: Button): string {
	switch (button.type) {
		case 'postback':
			return button.value
		case 'link':
		case 'webview':
			return button.url
		case 'phone':
			return button.number
		case 'goto':
			return button.target
	}
}

/** A button that cannot be shown where it stands. */
function leave(fitting: Fitting, button: Button, set: string, path: string, sorted: SortedButtons): void {
	const feature = `reply.button.${button.type}` as const
	if (button.type === 'postback') {
		note(fitting, 'converted', feature, path, 'to a choice')
		sorted.choices.push({ choice: { title: button.title, value: button.value }, path, set })
	} else if (button.type === 'goto') {
		const jump = fitting.carries['reply.choice.goto']
		if (!fitting.carries['reply.choices'] || !jump || !isWithin(button.target, jump)) {
			note(fitting, 'dropped', feature, path)
			return
		}
		note(fitting, 'converted', feature, path, 'to a choice')
		sorted.choices.push({ choice: { title: button.title, target: button.target }, path, set })
	} else {
		const argument = 'url' in button ? urlInWords(fitting, feature, button.url, path) : button.number
		if (argument === undefined) return
		note(fitting, 'converted', feature, path, 'to text')
		sorted.lines.push(phrases.labelled(button.title, argument))
	}
}

/** A title within its limit and like no other of its set; a title that was cut stands in full in the text. */
function fitTitle(
	fitting: Fitting,
	feature: 'reply.button.title' | 'reply.choice.title',
	title: string,
	path: string,
	labels: Labels,
	lines: string[],
): string {
	const fitted = fitLabel(fitting, feature, title, path)
	const { chars } = fitting.carries[feature] ?? {}
	if (chars !== undefined && title.length > chars) lines.push(phrases.inFull(title))
	const label = mustDiffer(fitting) || fitted !== title ? unique(fitted, labels, chars) : fitted
	labels.taken.add(label)
	if (label !== fitted) note(fitting, 'converted', feature, path, 'made unique')
	return label
}

/** Where only the label comes back, two choices of one label could not be told apart. */
function mustDiffer({ carries }: Fitting): boolean {
	return carries['reply.choices'] !== undefined && carries['reply.choice.value'] === undefined
}

/** Choices as the format has them. `path` names each; lines go into the text before them. */
export function fitChoices(fitting: Fitting, choices: readonly PlacedChoice[]): { choices: Choice[]; lines: string[] } {
	const fitted: Choice[] = []
	const lines: string[] = []
	const labels = fitting.carries['reply.messages']?.single ? fitting.labels : noLabels()
	for (const { choice, path, set } of choices) {
		if ('target' in choice) {
			const jump = fitting.carries['reply.choice.goto']
			if (!jump || !isWithin(choice.target, jump)) {
				note(fitting, 'dropped', 'reply.choice.goto', path)
				continue
			}
			const title = fitTitle(fitting, 'reply.choice.title', choice.title, `${path}.title`, labels, lines)
			fitted.push({ title, target: choice.target })
		} else {
			const title = fitTitle(fitting, 'reply.choice.title', choice.title, `${path}.title`, labels, lines)
			const limit = fitting.carries['reply.choice.value']
			const isCarried = limit !== undefined && isWithin(choice.value, limit)
			const value = isCarried ? choice.value : title
			if (value !== choice.value && !fitting.remembers) {
				note(fitting, 'dropped', 'reply.choice.value', `${path}.value`, 'a press sends the label back')
			}
			fitted.push({ title, value })
			fitting.offers.push({ set, label: title, ...(isCarried && { value }), choice })
		}
	}
	return { choices: fitted, lines }
}

/** Choices as numbered lines of text, for formats that have none. */
export function numberChoices(fitting: Fitting, choices: readonly PlacedChoice[]): string[] {
	const lines: string[] = []
	for (const { choice, path, set } of choices) {
		if ('target' in choice) {
			note(fitting, 'dropped', 'reply.choice.goto', path)
			continue
		}
		const number = lines.length + 1
		note(fitting, 'converted', 'reply.choices', path, 'to numbered text')
		if (!fitting.remembers && choice.value !== choice.title) {
			note(fitting, 'dropped', 'reply.choice.value', `${path}.value`, 'the user answers with the number')
		}
		lines.push(phrases.numbered(number, choice.title))
		fitting.offers.push({ set, label: choice.title, number, choice })
	}
	return lines
}
