/** Collects what is asked at the same time into one round trip. */

/** Asks, and is told the result of its own ask. */
export type Batched<Ask, Told> = (ask: Ask) => Promise<Told>

interface Waiting<Ask, Told> extends Pick<PromiseWithResolvers<Told>, 'resolve' | 'reject'> {
	readonly ask: Ask
	/** When it was asked, as `performance.now`. */
	readonly at: number
}

/** Bounds of batches. */
export interface BatchLimits {
	/** Batches under way at the same time; while there are as many, new asks collect. */
	readonly underWay: number
	/**
	 * Milliseconds for which new asks collect at most while the batch before them is under way, where a batch costs as much as
	 * many asks. Absent: they do not wait for it.
	 */
	readonly collect?: number
	/** Asks of one batch. */
	readonly asks: number
	/** Milliseconds after which an ask that was not sent is not sent any more: nobody waits for it. */
	readonly patience: number
}

/** An ask was not sent in time. */
class NotSent extends Error {
	constructor() {
		super('earlier calls have not returned')
	}
}

/**
 * Makes one function of one that runs many asks at once. That one returns a result, or an error, for each in their
 * order; when it rejects, all of the batch do.
 */
export function batched<Ask, Told>(
	run: (asks: readonly Ask[]) => Promise<readonly (Told | Error)[]>,
	limits: BatchLimits,
): Batched<Ask, Told> {
	const waiting: Waiting<Ask, Told>[] = []
	let underWay = 0
	let scheduled = false
	/** The batch for which new asks wait. */
	let ahead: readonly Waiting<Ask, Told>[] | undefined

	function schedule(): void {
		if (scheduled || ahead || underWay >= limits.underWay) return
		scheduled = true
		// When all that came with the same events of the network has asked.
		setImmediate(sendAll)
	}

	function sendAll(): void {
		scheduled = false
		const oldest = performance.now() - limits.patience
		while (waiting.length > 0 && underWay < limits.underWay) {
			const batch = waiting.splice(0, limits.asks)
			const inTime = batch.filter(({ at }) => at > oldest)
			for (const late of batch) if (late.at <= oldest) late.reject(new NotSent())
			if (inTime.length > 0) void send(inTime)
		}
	}

	async function send(batch: readonly Waiting<Ask, Told>[]): Promise<void> {
		underWay++
		const { collect } = limits
		if (collect !== undefined) ahead = batch
		const slow = collect === undefined ? undefined : setTimeout(goOn, collect, batch)
		try {
			const results = await run(batch.map(({ ask }) => ask))
			for (const [i, { resolve, reject }] of batch.entries()) {
				const result = results[i]
				if (result === undefined) reject(new Error('the store answered with too little'))
				else if (result instanceof Error) reject(result)
				else resolve(result)
			}
		} catch (cause) {
			for (const { reject } of batch) reject(cause)
		} finally {
			clearTimeout(slow)
			underWay--
			goOn(batch)
		}
	}

	/** New asks need not wait for this batch any more. */
	function goOn(batch: readonly Waiting<Ask, Told>[]): void {
		if (ahead === batch) ahead = undefined
		if (waiting.length > 0) schedule()
	}

	return (ask) => {
		const { promise, resolve, reject } = Promise.withResolvers<Told>()
		waiting.push({ ask, at: performance.now(), resolve, reject })
		schedule()
		return promise
	}
}
