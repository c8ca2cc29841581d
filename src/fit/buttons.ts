/** Buttons and choices in normal form: what can be pressed where, and what becomes of the rest. */
import type { Button, Choice, Feature, Message } from '../model/index.ts'
import type { NameChoice, PlacedChoice } from './choice-names.ts'
import { type Fitting, fitLabel, fitOneOf, isWithin, type Labels, noLabels, note, take, unique } from './context.ts'
import { phrases } from './phrases.ts'
import type { Offer } from './types.ts'
import { isNoLink, urlInWords, withoutBlanks } from './urls.ts'

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

/**
 * `here`: whether buttons can hang where these do. `set`: the path of what holds them. `path` is that of their list, or
 * those of each. `name`: the names of those that are told apart.
 */
export function sortButtons(
	fitting: Fitting,
	buttons: readonly Button[],
	here: boolean,
	set: string,
	path: string | readonly string[],
	name?: NameChoice,
): SortedButtons {
	const sorted: SortedButtons = { shown: [], places: [], choices: [], lines: [] }
	const labels = noLabels()
	for (const [i, button] of buttons.entries()) {
		const at = typeof path === 'string' ? `${path}[${i}]` : (path[i] ?? '')
		if ('url' in button && isNoLink(fitting, button.url)) {
			note(fitting, 'dropped', featureOf[button.type], at, 'no address that a user can open')
			continue
		}
		const shown = here ? fitButton(fitting, button, at) : undefined
		if (shown) {
			const isPressed = shown.type === 'postback' || shown.type === 'goto'
			const apart = isPressed ? name?.(shown.title, set)?.full : undefined
			if (apart !== undefined)
				note(fitting, 'converted', 'reply.button.title', `${at}.title`, 'told apart by what it belongs to')
			const title = fitButtonTitle(fitting, apart ?? shown.title, `${at}.title`, labels, sorted.lines)
			sorted.shown.push(title === shown.title ? shown : { ...shown, title })
			sorted.places.push(at)
			if (shown.type === 'postback') {
				const choice = { title: button.title, value: shown.value }
				fitting.offers.push({ set, label: title, value: shown.value, choice })
			}
		} else leave(fitting, button, set, at, sorted)
	}
	return sorted
}

// Not put together for each button: to look up a name that was just made takes longer than the rest of the look-up.
const featureOf = {
	postback: 'reply.button.postback',
	link: 'reply.button.link',
	webview: 'reply.button.webview',
	phone: 'reply.button.phone',
	goto: 'reply.button.goto',
} as const satisfies { readonly [type in Button['type']]: Feature }

/** Whether the format has the button, or one that does the same. */
export function canPress(fitting: Pick<Fitting, 'carries' | 'isForeign'>, button: Button): boolean {
	const { carries } = fitting
	if ('url' in button && isNoLink(fitting, button.url)) return false
	const argument = argumentOf(button)
	const limits = [carries[featureOf[button.type]], button.type === 'webview' ? carries['reply.button.link'] : undefined]
	return limits.some((limit) => limit !== undefined && isWithin(argument, limit))
}

/** The button as the format has it, its title not yet fitted; undefined when it has none such. */
function fitButton(fitting: Fitting, button: Button, path: string): Button | undefined {
	const { carries } = fitting
	const limit = carries[featureOf[button.type]]
	if (button.type === 'webview') {
		if (limit && isWithin(button.url, limit)) return fitHeight(fitting, button, path)
		const link = carries['reply.button.link']
		const url = withoutBlanks(fitting, 'reply.button.link', button.url, `${path}.url`)
		if (!link || !isWithin(url, link)) return undefined
		note(fitting, 'converted', 'reply.button.webview', path, 'to a link')
		return { type: 'link', title: button.title, url }
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
	const feature = featureOf[button.type]
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

/** A title within its limit. Those that are cut alike keep being different, and stand in full in the text. */
function fitButtonTitle(fitting: Fitting, title: string, path: string, labels: Labels, lines: string[]): string {
	const feature = 'reply.button.title'
	const { chars } = fitting.carries[feature] ?? {}
	const fitted = fitLabel(fitting, feature, title, path)
	if (chars !== undefined && title.length > chars) lines.push(phrases.inFull(title))
	const label = fitted === title ? title : unique(fitted, labels, { chars })
	take(label, labels)
	if (label !== fitted) note(fitting, 'converted', feature, path, 'made unique')
	return label
}

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
