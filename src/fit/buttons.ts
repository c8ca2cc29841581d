/** Buttons in normal form: which can be pressed where, and what becomes of the rest. */
import type { Button, Feature } from '../model/index.ts'
import type { NameChoice, PlacedChoice } from './choice-names.ts'
import { type Fitting, fitLabel, fitOneOf, isWithin, type Labels, noLabels, note, take, unique } from './context.ts'
import { phrases } from './phrases.ts'
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
