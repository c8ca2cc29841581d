/** The log for people who watch a terminal: one short line a turn. Elsewhere the log is JSON. */
import { styleText } from 'node:util'
import type { Json } from '../model/index.ts'
import type { Observer } from '../observer/index.ts'
import type { LogLine } from '../runtime.ts'

/** Writes a line of the log to standard output, as `13:09:31  shop  canonical  choice  200  3 ms`. */
export function logToTerminal(line: LogLine): void {
	console.log(renderLogLine(line, new Date()))
}

/** Characters that would command the terminal instead of being shown, as JSON writes them. */
function printable(text: string): string {
	return text.replaceAll(/\p{Cc}/gu, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

type Style = 'red' | 'yellow' | 'green' | 'dim'

const styles: { readonly [level in LogLine['level']]: Style } = { info: 'green', warn: 'yellow', error: 'red' }

/** Fields that the line shows in a place of their own, or that say nothing while one watches. */
const shown = new Set([
	...['level', 'msg', 'turn', 'route', 'platform', 'upstream', 'kind', 'status', 'ms', 'upstreamStatus'],
	...['changes', 'moreChanges', 'mistakes', 'cause', 'notes'],
])

/** One line of the log in words, with further lines for what is wrong. */
export function renderLogLine(line: LogLine, at: Date): string {
	const { level, msg, route, platform, kind, status, ms } = line
	const time = [at.getHours(), at.getMinutes(), at.getSeconds()].map((part) => `${part}`.padStart(2, '0')).join(':')
	const isTurn = msg === 'turn' || msg === 'reply'
	const parts = [
		styleText('dim', time),
		isTurn && msg === 'turn' ? undefined : msg,
		route,
		platform,
		kind,
		status === undefined ? undefined : styleText(styles[level], `${status}`),
		ms === undefined ? undefined : `${ms} ms`,
		describeChanges(line),
		...othersOf(line),
	]
	const first = parts.filter((part) => part !== undefined && part !== '').join('  ')
	return [first, ...detailsOf(line)].join('\n')
}

function othersOf(line: LogLine): string[] {
	return Object.entries(line).flatMap(([name, value]) => {
		if (shown.has(name) || value === undefined || value === false) return []
		return value === true
			? [name]
			: [printable(`${name}: ${typeof value === 'object' ? JSON.stringify(value) : value}`)]
	})
}

function detailsOf({ level, mistakes, notes, cause }: LogLine): string[] {
	const lines = [...textsOf(mistakes), ...textsOf(notes), ...(typeof cause === 'string' ? cause.split('\n') : [])]
	return lines.map((text) => `          ${styleText(styles[level], printable(text))}`)
}

/** The changes in words: `3 changes: cart_count, cart_total converted; last_seen_on dropped`. */
function describeChanges({ changes, moreChanges }: LogLine): string | undefined {
	const texts = textsOf(changes)
	if (texts.length === 0) return undefined
	const paths = new Map<string, Set<string>>()
	for (const text of texts) {
		const [did = '', ...path] = text.split(' ')
		const named = paths.get(did) ?? new Set()
		paths.set(did, named.add(printable(path.join(' ')).replace(/^attributes\.(?:session|user)\./, '')))
	}
	const count = texts.length + (typeof moreChanges === 'number' ? moreChanges : 0)
	const words = [...paths].map(([did, named]) => `${[...named].join(', ')} ${did}`).join('; ')
	return styleText('dim', `${count === 1 ? '1 change' : `${count} changes`}: ${words}`)
}

function textsOf(value: unknown): string[] {
	return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : []
}

/** Prints the event and the reply of each turn, as the model has them, without the secrets of the configuration. */
export const printTurns: Observer = {
	turn: () => ({
		step({ name, show }) {
			if (name === 'event') printValue('event', show())
			if (name === 'reply') printValue('reply', show())
		},
	}),
}

function printValue(name: string, value: Json): void {
	console.log(styleText('dim', printable(`          ${name}  ${JSON.stringify(value)}`)))
}
