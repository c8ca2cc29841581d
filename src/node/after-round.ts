/** Handles together what arrived together: between one turn and another, code and data leave the processor's caches. */

/** Functions that are called together at most: until they are through, the event loop does nothing else. */
const mostAtOnce = 64

let waiting: (() => void)[] = []

/**
 * Calls a function, which must not throw, once the event loop has read all that had arrived on its sockets. Functions are
 * called in the order in which they came. Promises that they resolve go on after the last of them, so that turns go
 * through their stages side by side. If there are many functions, the last ones wait for the next rounds.
 */
export function afterRound(call: () => void): void {
	if (waiting.push(call) === 1) setImmediate(callAll)
}

function callAll(): void {
	const calls = waiting
	waiting = calls.splice(mostAtOnce)
	if (waiting.length > 0) setImmediate(callAll)
	for (const call of calls) call()
}
