/** Makes one observer of several. */
import type { CallObserver, DeliveryObserver, Observer, Step, TurnObserver, UpstreamCall } from './observer.ts'

/** Shows everything to all of them, in their order. Undefined: there are none. */
export function combineObservers(observers: readonly Observer[]): Observer | undefined {
	const [first, ...others] = observers
	if (!first || others.length === 0) return first
	return {
		...members(observers, 'turn', (all) => (begun) => combineTurns(all.map((each) => each.turn?.(begun)))),
		...members(
			observers,
			'postedReply',
			(all) => (begun) => combineTurns(all.map((each) => each.postedReply?.(begun))),
		),
		...members(observers, 'delivery', (all) => (begun) => combineDeliveries(all.map((each) => each.delivery?.(begun)))),
		...members(observers, 'refusal', (all) => (refusal) => {
			for (const each of all) each.refusal?.(refusal)
		}),
		...members(observers, 'stateFailure', (all) => (failure) => {
			for (const each of all) each.stateFailure?.(failure)
		}),
	}
}

function combineTurns(seeing: readonly (TurnObserver | undefined)[]): TurnObserver | undefined {
	const observers = present(seeing)
	const [first, ...others] = observers
	if (!first || others.length === 0) return first
	return {
		...members(observers, 'step', combineSteps),
		...members(observers, 'call', combineCalls),
		end(outcome) {
			for (const each of observers) each.end?.(outcome)
		},
		late(outcome) {
			for (const each of observers) each.late?.(outcome)
		},
	}
}

function combineDeliveries(seeing: readonly (DeliveryObserver | undefined)[]): DeliveryObserver | undefined {
	const observers = present(seeing)
	const [first, ...others] = observers
	if (!first || others.length === 0) return first
	return {
		...members(observers, 'step', combineSteps),
		...members(observers, 'call', combineCalls),
		end(outcome) {
			for (const each of observers) each.end?.(outcome)
		},
	}
}

function combineSteps(observers: readonly Pick<TurnObserver, 'step'>[]) {
	return (step: Step): void => {
		for (const each of observers) each.step?.(step)
	}
}

/** Of the traces, the first counts. */
function combineCalls(observers: readonly Pick<TurnObserver, 'call'>[]) {
	return (call: UpstreamCall): CallObserver => {
		const seeing = present(observers.map((each) => each.call?.(call)))
		return {
			trace: seeing.find(({ trace }) => trace)?.trace,
			end(outcome) {
				for (const each of seeing) each.end?.(outcome)
			},
		}
	}
}

/** An object with the member, made of those who have it; nothing if none has. */
function members<Each extends object, Name extends keyof Each>(
	observers: readonly Each[],
	name: Name,
	combine: (all: readonly Each[]) => NonNullable<Each[Name]>,
): { readonly [member in Name]?: NonNullable<Each[Name]> } {
	const having = observers.filter((each) => each[name] !== undefined)
	const member: { [member in Name]?: NonNullable<Each[Name]> } = {}
	if (having.length > 0) member[name] = combine(having)
	return member
}

function present<Each>(list: readonly (Each | undefined)[]): readonly Each[] {
	return list.filter((each) => each !== undefined)
}
