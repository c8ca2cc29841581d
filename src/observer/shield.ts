/** Keeps what an observer throws out of the work that it watches. */
import type { CallObserver, TurnObserver, UpstreamCall } from './observer.ts'

/** Runs what an observer does. Undefined: it threw, now or before. */
export type Shield = <Seen>(see: () => Seen) => Seen | undefined

/** The log's line about an observer that threw. */
type ShieldLine = { readonly level: 'error'; readonly msg: 'observer'; readonly cause: string | undefined }

/** A shield around what an observer does with one piece of work: the first time that it throws is logged, and is the last. */
export function shield(log: (line: ShieldLine) => void): Shield {
	let failed = false
	return (see) => {
		if (failed) return undefined
		try {
			return see()
		} catch (thrown) {
			failed = true
			log({ level: 'error', msg: 'observer', cause: thrown instanceof Error ? thrown.stack : undefined })
			return undefined
		}
	}
}

/** Sees an attempt to call the upstream begin, and returns what sees its end. Never throws, and nor does that. */
export type ObserveCall = (call: UpstreamCall) => CallObserver | undefined

/** Shows the calls of one piece of work to its observer. Undefined: it does not look at them. */
export function observeCalls(observer: Pick<TurnObserver, 'call'>, safely: Shield): ObserveCall | undefined {
	if (!observer.call) return undefined
	return (call) => {
		const seeing = safely(() => observer.call?.(call))
		return seeing && { trace: seeing.trace, end: (outcome) => safely(() => seeing.end?.(outcome)) }
	}
}
