/** What was changed on a platform, in words, each with the part of the document that it happened to. */
import type { Change } from '../../model/index.ts'
import { keysOfPath } from './paths.ts'
import { deeds, featureInWords } from './words.ts'

/** Changes that are shown before the rest is asked for. */
const shownAtFirst = 5

/** UTF-16 units of the author's own words that are quoted. */
const maxQuote = 80

interface ChangesProps {
	readonly changes: readonly Change[]
	/** The document before the changes. */
	readonly source: unknown
	/** Shows the place of a change in the document. */
	reveal(path: string): void
}

/** The list of changes. */
export function Changes({ changes, ...rest }: ChangesProps) {
	const [first, more] = [changes.slice(0, shownAtFirst), changes.slice(shownAtFirst)]
	if (changes.length === 0) return null
	return (
		<div class="changes">
			<ChangeList changes={first} {...rest} />
			{more.length > 0 && (
				<details>
					<summary>{more.length} more</summary>
					<ChangeList changes={more} {...rest} />
				</details>
			)}
		</div>
	)
}

function ChangeList({ changes, source, reveal }: ChangesProps) {
	return (
		<ul>
			{changes.map(({ path, feature, did, detail }) => {
				const quote = quoteOf(source, path)
				return (
					<li>
						<span class={`deed deed-${did}`}>{deeds[did]}</span>
						<span class="what">
							{featureInWords(feature)}
							{detail === undefined ? '' : `: ${detail}`}{' '}
							<button type="button" class="path" onClick={() => reveal(path)}>
								{path}
							</button>
							{quote !== undefined && (did === 'dropped' ? <del>{quote}</del> : <q>{quote}</q>)}
						</span>
					</li>
				)
			})}
		</ul>
	)
}

/** The author's words at a path; undefined where there is no single value. */
function quoteOf(source: unknown, path: string): string | undefined {
	const value = keysOfPath(path).reduce<unknown>(
		(value, key) => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined),
		source,
	)
	if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') return undefined
	const text = String(value)
	return text.length > maxQuote ? `${text.slice(0, maxQuote)}…` : text
}
