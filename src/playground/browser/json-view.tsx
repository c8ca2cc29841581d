/** A JSON value line by line, with marks on the lines at which something was changed. */
import type { Json } from '../../model/index.ts'
import { keysOfPath } from './paths.ts'

/** Lines that are shown of one value. */
const maxLines = 2000

interface Line {
	readonly depth: number
	readonly text: string
	/** The keys that lead to it, as JSON: the same for the same place. */
	readonly place: string
}

/** The value, with the lines at these paths marked. */
export function JsonView({ value, marked }: { readonly value: Json; readonly marked: readonly string[] }) {
	const places = new Set(marked.map((path) => JSON.stringify(keysOfPath(path))))
	const lines = linesOf(value, [], 0, '')
	return (
		<pre class="json" tabIndex={0}>
			{lines.slice(0, maxLines).map(({ depth, text, place }) => (
				<span class={places.has(place) ? 'line-of marked' : 'line-of'}>{`${'  '.repeat(depth)}${text}\n`}</span>
			))}
			{lines.length > maxLines && <span class="line-of">{`and ${lines.length - maxLines} more lines`}</span>}
		</pre>
	)
}

function linesOf(value: Json, keys: readonly (string | number)[], depth: number, before: string): Line[] {
	const place = JSON.stringify(keys)
	if (typeof value !== 'object' || value === null) return [{ depth, text: before + JSON.stringify(value), place }]
	const isList = Array.isArray(value)
	const [open, close] = isList ? '[]' : '{}'
	const members = Object.entries(value)
	if (members.length === 0) return [{ depth, text: `${before}${open}${close}`, place }]
	return [
		{ depth, text: `${before}${open}`, place },
		...members.flatMap(([key, member]: [string, Json]) =>
			linesOf(member, [...keys, isList ? Number(key) : key], depth + 1, isList ? '' : `${JSON.stringify(key)}: `),
		),
		{ depth, text: `${close}`, place: '' },
	]
}
