/** One turn, step by step: what came, what was made of it, and what went. */
import type { Change } from '../../model/index.ts'
import type { StepName } from '../../observer/index.ts'
import type { RecordedTurn } from '../../simulator/index.ts'
import type { ShownStep, TurnDetail } from '../live.ts'
import { Changes } from './changes.tsx'
import { JsonView } from './json-view.tsx'

/** A turn, and the file that it can be saved as. */
export type DetailedTurn = TurnDetail & { readonly file?: RecordedTurn }

interface TurnDetailProps {
	readonly turn: DetailedTurn
	/** What the last action said. */
	readonly said: string
	copyCurl(): void
	edit(): void
	save(words: 'kept' | 'replaced'): void
}

/** The columns, each with the steps that it may show, the best first. One that is seldom there is left out where it is not. */
const columns: readonly {
	readonly title: string
	readonly steps: readonly StepName[]
	readonly of?: 'event' | 'reply'
	readonly seldom?: true
}[] = [
	{ title: 'Platform’s call', steps: ['call'] },
	{ title: 'Event', steps: ['recalled-event', 'event'], of: 'event' },
	{ title: 'Upstream’s reply', steps: ['reply', 'response'], of: 'reply' },
	{ title: 'Platform’s answer', steps: ['answer'] },
	{ title: 'Calls that push the reply', steps: ['pushes'], seldom: true },
]

/** The four views of a turn side by side, with the time of each step. */
export function TurnDetailView({ turn, said, copyCurl, edit, save }: TurnDetailProps) {
	const { steps, changes, moreChanges, notes, calls, error, id, route, platform } = turn
	const eventChanges = changes.filter(({ feature }) => feature.startsWith('event'))
	const replyChanges = changes.filter(({ feature }) => feature.startsWith('reply'))
	const isWhole = steps.some(({ name }) => name === 'event')
	return (
		<>
			<div class="bar">
				<h2>
					{platform || route} <span class="id">{id}</span>
				</h2>
				<button type="button" class="quiet" disabled={!isWhole} onClick={copyCurl}>
					Copy as curl
				</button>
				<button type="button" class="quiet" disabled={!isWhole} onClick={edit}>
					Replay with edit
				</button>
				<button type="button" class="quiet" disabled={!turn.file} onClick={() => save('replaced')}>
					Save as fixture
				</button>
				<button type="button" class="quiet" disabled={!turn.file} onClick={() => save('kept')}>
					Save with words
				</button>
			</div>
			<p class="said-last" role="status">
				{said}
			</p>
			{error !== undefined && <p class="aside refused">{error}</p>}
			{notes.map((note) => (
				<p class="aside note">{note}</p>
			))}
			{steps.length > 0 && <Timeline steps={steps} />}
			{calls.map(({ origin = 'the bot inside the gateway', status, error }) => (
				<p class="aside note">
					Called {origin}: {error ?? status ?? 'no answer yet'}
				</p>
			))}
			{steps.length > 0 && (
				<div class="columns">
					{columns
						.map((column) => ({ ...column, step: firstOf(steps, column.steps) }))
						.filter(({ step, seldom }) => step || !seldom)
						.map(({ title, step, of }) => (
							<Column
								title={title}
								step={step}
								changes={of === 'event' ? eventChanges : of === 'reply' ? replyChanges : []}
							/>
						))}
				</div>
			)}
			{changes.length > 0 && (
				<div class="platform what-changed">
					<header>
						<h2>What was changed</h2>
					</header>
					<ChangesOf of="The event" changes={eventChanges} step={firstOf(steps, ['recalled-event', 'event'])} />
					<ChangesOf of="The reply" changes={replyChanges} step={firstOf(steps, ['reply'])} />
					{moreChanges > 0 && <p class="aside">and {moreChanges} more</p>}
				</div>
			)}
		</>
	)
}

function ChangesOf({ of, changes, step }: { of: string; changes: readonly Change[]; step: ShownStep | undefined }) {
	if (changes.length === 0) return null
	return (
		<div>
			<h3>{of}</h3>
			<Changes changes={changes} source={step?.value} reveal={revealMark} />
		</div>
	)
}

function revealMark(): void {
	document.querySelector('.marked')?.scrollIntoView({ block: 'center' })
}

function Column({ title, step, changes }: { title: string; step: ShownStep | undefined; changes: readonly Change[] }) {
	return (
		<section class="column">
			<h3>{title}</h3>
			{step ? <JsonView value={step.value} marked={changes.map(({ path }) => path)} /> : <p class="nothing">None</p>}
		</section>
	)
}

function Timeline({ steps }: { readonly steps: readonly ShownStep[] }) {
	return (
		<ol class="timeline" aria-label="Time of each step">
			{steps.map(({ name, at }, i) => (
				<li>
					<span>{name.replace('-', ' ')}</span> <span class="ms">{(at - (steps[i - 1]?.at ?? 0)).toFixed(1)} ms</span>
				</li>
			))}
		</ol>
	)
}

function firstOf(steps: readonly ShownStep[], names: readonly StepName[]): ShownStep | undefined {
	return names.map((name) => steps.find((step) => step.name === name)).find((step) => step !== undefined)
}
