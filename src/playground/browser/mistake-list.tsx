/** All mistakes of a document, each with its place. */
import type { WrittenMistake } from './mistakes.ts'

interface MistakesProps {
	readonly mistakes: readonly WrittenMistake[]
	/** What the whole document is called. */
	readonly whole: string
	/** Shows the place of a mistake in the document. */
	reveal(path: string): void
}

/** The list of mistakes, or that there are none. */
export function Mistakes({ mistakes, whole, reveal }: MistakesProps) {
	if (mistakes.length === 0) return <p class="valid">No mistakes</p>
	return (
		<>
			<p class="invalid">{mistakes.length === 1 ? '1 mistake' : `${mistakes.length} mistakes`}</p>
			<ul>
				{mistakes.map(({ path, words }) => (
					<li>
						<button type="button" class="path" onClick={() => reveal(path)}>
							{path === '' ? whole : path}
						</button>{' '}
						{words}
					</li>
				))}
			</ul>
		</>
	)
}
