/** The last turns of the gateway, as an observer saw them: a bounded list that can be followed. */
import type { Change, Json } from '../model/index.ts'
import type { CallObserver, Observer, StepName, TurnOutcome, UpstreamCall } from '../observer/index.ts'
import { isObject } from './json-object.ts'

/** One line of the list. */
export interface TurnSummary {
	/** Counts up from 1. */
	readonly number: number
	/** Milliseconds since 1970. */
	readonly at: number
	readonly id: string
	readonly route: string
	readonly platform: string
	readonly kind?: string
	/** The beginning of what the user said or chose; of an attempt of the outbox, where it went. */
	readonly words?: string
	/** Of the answer to the platform; of an attempt of the outbox, of the answer to it. 0: there was none. */
	readonly status: number
	readonly error?: string
	/** Milliseconds from the platform's call to its answer, or that the attempt took. */
	readonly ms: number
	readonly duplicate: boolean
	readonly held: boolean
	/** How many parts were lost or altered. */
	readonly losses: number
}

/** All that is known of a turn. */
export interface TurnDetail extends TurnSummary {
	readonly steps: readonly ShownStep[]
	/** Attempts to call the upstream. */
	readonly calls: readonly { readonly origin?: string; readonly status?: number; readonly error?: string }[]
	readonly changes: readonly Change[]
	readonly moreChanges: number
	readonly notes: readonly string[]
}

/** A step with its value, without secrets. */
export interface ShownStep {
	readonly name: StepName
	/** Milliseconds since the platform's call. */
	readonly at: number
	readonly value: Json
}

/** The list. */
export interface Live {
	/** To be given to the gateway. */
	readonly observer: Observer
	/** At most so many of the lines after a number, oldest first; the first of them where the number is none of this list. */
	after(number: number, most: number): TurnSummary[]
	/** Undefined: the turn is too old, or there was none of this number. */
	detail(number: number): TurnDetail | undefined
	/** Resolves when there are lines after a number, or when `signal` aborts. */
	grown(number: number, signal: AbortSignal): Promise<void>
}

/** Lines that are kept. */
const maxLines = 10_000
/** Turns of which more than the line is kept: they hold on to whole messages. */
const maxDetails = 1000
/** UTF-16 units of a user's words in a line. */
const maxWords = 120

/** A step, whose value is made when it is shown. */
type KeptStep = Omit<ShownStep, 'value'> & { show(): Json }

interface Added {
	/** Milliseconds since 1970: when the turn began. */
	readonly since: number
	readonly steps: KeptStep[]
	calls: TurnDetail['calls']
}

interface Kept {
	readonly summary: TurnSummary
	detail?: (() => TurnDetail) | undefined
}

/** Makes an empty list. `now`: milliseconds since 1970. */
export function createLive(now: () => number): Live {
	const kept: Kept[] = []
	/** What the outbox adds to a turn, by its id. */
	const delivered = new Map<string, Added>()
	let count = 0
	const waiting = new Set<() => void>()

	function add(summary: Omit<TurnSummary, 'number'>, rest: () => Omit<TurnDetail, keyof TurnSummary>): void {
		const numbered = { ...summary, number: ++count }
		kept.push({ summary: numbered, detail: () => ({ ...numbered, ...rest() }) })
		// In one go for many, because it moves all others.
		if (kept.length > 2 * maxLines) kept.splice(0, kept.length - maxLines)
		const old = kept[kept.length - 1 - maxDetails]
		if (old?.detail) delivered.delete(old.summary.id)
		if (old) old.detail = undefined
		for (const finish of waiting) finish()
	}
	const oldest = () => Math.max(1, count - maxLines + 1)
	const find = (number: number): Kept | undefined => kept[number - 1 - (count - kept.length)]

	const observer: Observer = {
		turn({ id, route }) {
			const at = now()
			const steps: KeptStep[] = []
			const calls = recordCalls()
			const added: Added = { since: at, steps: [], calls: [] }
			delivered.set(id, added)
			let words: string | undefined
			return {
				step(step) {
					steps.push(step)
					if (step.name === 'event') words = wordsOf(step.show())
				},
				call: calls.observe,
				end(outcome) {
					const { changes, moreChanges, notes } = outcome
					add({ at, id, route, ...(words !== undefined && { words }), ...lineOf(outcome) }, () => ({
						steps: shown([...steps, ...added.steps]),
						calls: [...calls.made, ...added.calls],
						changes,
						moreChanges,
						notes,
					}))
				},
			}
		},
		delivery({ id, route, platform, to, attempt }) {
			const at = now()
			const calls = recordCalls()
			const steps: KeptStep[] = []
			return {
				step: (step) => void steps.push(step),
				call: calls.observe,
				end({ result, error, ms }) {
					const turn = delivered.get(id)
					if (turn) {
						turn.steps.push(...steps.map((step) => ({ ...step, at: at - turn.since + step.at })))
						turn.calls = calls.made
					}
					const line = {
						...{ at, id, route, platform, ms, duplicate: false, held: false, losses: 0 },
						words: `Outbox, to the ${to === 'upstream' ? 'upstream' : 'platform’s API'}, attempt ${attempt}`,
						status: calls.made.at(-1)?.status ?? 0,
						...(error !== undefined && { error }),
					}
					const notes = [`Attempt ${attempt}: ${attemptResults[result]}`]
					add(line, () => ({ steps: shown(steps), calls: calls.made, changes: [], moreChanges: 0, notes }))
				},
			}
		},
		refusal({ error, route = '' }) {
			const rest = { duplicate: false, held: false, losses: 0 }
			add({ at: now(), id: '', route, platform: '', status: 0, error, ms: 0, ...rest }, () => ({
				steps: [],
				calls: [],
				changes: [],
				moreChanges: 0,
				notes: ['The call was refused before a turn began.'],
			}))
		},
	}

	return {
		observer,
		after(number, most) {
			const from = number > count ? oldest() : Math.max(number + 1, oldest())
			const start = from - 1 - (count - kept.length)
			return kept.slice(start, start + most).map(({ summary }) => summary)
		},
		detail: (number) => find(number)?.detail?.(),
		grown(number, signal) {
			if (count > number || signal.aborted) return Promise.resolve()
			return new Promise((wake) => {
				const finish = () => {
					waiting.delete(finish)
					signal.removeEventListener('abort', finish)
					wake()
				}
				waiting.add(finish)
				signal.addEventListener('abort', finish)
			})
		},
	}
}

/** The steps with their values, in the order of their times. */
function shown(steps: readonly KeptStep[]): ShownStep[] {
	return steps.map(({ name, at, show }) => ({ name, at, value: show() })).sort((a, b) => a.at - b.at)
}

/** What an attempt of the outbox came to, in words. */
const attemptResults = {
	delivered: 'delivered.',
	failed: 'failed; there will be another.',
	postponed: 'postponed; nothing was called, and it does not count.',
	dead: 'failed, and was the last: it is a dead letter.',
} as const

type ShownCall = { -readonly [Member in keyof TurnDetail['calls'][number]]: TurnDetail['calls'][number][Member] }

/** The calls of a turn or an attempt, as far as they have come. */
function recordCalls() {
	const made: ShownCall[] = []
	return {
		made,
		observe({ origin }: UpstreamCall): CallObserver {
			const call: ShownCall = origin === undefined ? {} : { origin }
			made.push(call)
			return {
				end({ status, error }) {
					if (status !== undefined) call.status = status
					if (error !== undefined) call.error = error
				},
			}
		},
	}
}

function lineOf({ at, platform, kind, status, error, duplicate, held, changes, moreChanges }: TurnOutcome) {
	return {
		platform,
		...(kind !== undefined && { kind }),
		status,
		...(error !== undefined && { error }),
		ms: at,
		duplicate,
		held,
		losses: changes.filter(({ did }) => did !== 'added').length + moreChanges,
	}
}

function wordsOf(event: Json): string | undefined {
	if (!isObject(event)) return undefined
	const { text, choice } = event
	const said = text ?? (isObject(choice) ? choice.label : undefined)
	return typeof said === 'string' ? said.slice(0, maxWords) : undefined
}
