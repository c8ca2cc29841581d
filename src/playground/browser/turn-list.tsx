/** The list of turns. Only the lines in sight are on the page, so that ten thousand are no burden. */
import type { TurnSummary } from '../live.ts'

/** Pixels of a line, as the style sheet has it. */
export const lineHeight = 34
/** Lines beyond what is in sight, above and below. */
const margin = 8

interface TurnListProps {
	/** Newest first. */
	readonly turns: readonly TurnSummary[]
	readonly chosen: number | undefined
	/** Pixels: how far the list is scrolled, and how much of it is in sight. */
	readonly scrolled: number
	readonly height: number
	choose(number: number): void
	/** Chooses the line below, for 1, or above, for -1. */
	step(by: number): void
	scroll(to: number): void
}

/** The list, with the newest line first. Arrow keys move the choice. */
export function TurnList({ turns, chosen, scrolled, height, choose, step, scroll }: TurnListProps) {
	const first = Math.max(0, Math.floor(scrolled / lineHeight) - margin)
	const shown = turns.slice(first, first + Math.ceil(height / lineHeight) + 2 * margin)
	const move = (event: KeyboardEvent) => {
		const by = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
		if (by === 0) return
		event.preventDefault()
		step(by)
	}
	const follow = ({ currentTarget }: Event) => {
		if (currentTarget instanceof HTMLElement) scroll(currentTarget.scrollTop)
	}
	return (
		<div
			class="rows"
			role="listbox"
			tabIndex={0}
			aria-label="Turns, newest first"
			aria-activedescendant={chosen === undefined ? undefined : `turn-${chosen}`}
			onKeyDown={move}
			onScroll={follow}
		>
			<div class="all-rows" role="presentation" style={{ height: `${turns.length * lineHeight}px` }}>
				{shown.map((turn, i) => (
					<Row
						key={turn.number}
						turn={turn}
						top={(first + i) * lineHeight}
						isChosen={turn.number === chosen}
						choose={() => choose(turn.number)}
					/>
				))}
			</div>
		</div>
	)
}

interface RowProps {
	readonly turn: TurnSummary
	readonly top: number
	readonly isChosen: boolean
	choose(): void
}

function Row({ turn, top, isChosen, choose }: RowProps) {
	const { number, at, route, platform, kind = '', words, status, error, ms, duplicate, held, losses } = turn
	const state = error ?? (held ? 'held' : duplicate ? 'repeated' : String(status))
	return (
		// biome-ignore lint/a11y/useKeyWithClickEvents: the list handles the keys of its options.
		// biome-ignore lint/a11y/useFocusableInteractive: the list has the focus, and names its chosen option.
		<div
			id={`turn-${number}`}
			class="row"
			role="option"
			aria-selected={isChosen ? 'true' : 'false'}
			style={{ top: `${top}px` }}
			onClick={choose}
		>
			<time>{new Date(at).toLocaleTimeString('en-GB')}</time>
			<span class="who">{platform || route}</span>
			<span class="said">{words ?? kind}</span>
			<span class={losses > 0 ? 'losses some' : 'losses'}>{losses > 0 ? `${losses} changed` : ''}</span>
			<span class={error === undefined ? 'state' : 'state failed'}>{state}</span>
			<span class="ms">{Math.round(ms)} ms</span>
		</div>
	)
}
