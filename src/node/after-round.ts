/** Handles together what arrived together: between one turn and another, code and data leave the processor's caches. */

/** Turns that are handled together at most: for as long as they take, the event loop is held up. */
const most = 64

let waiting: (() => void)[] = []

/**
 * Calls a function, which must not throw, once the event loop has read all that its sockets had to read. Functions are
 * called in the order in which they came, and before what they bring about, so that turns go through their stages side
 * by side. Of many, the last ones wait for the next rounds.
 */
export function afterRound(call: () => void): void {
	if (waiting.push(call) === 1) setImmediate(callAll)
}

function callAll(): void {
	const calls = waiting
	waiting = calls.splice(most)
	if (waiting.length > 0) setImmediate(callAll)
	for (const call of calls) call()
}
