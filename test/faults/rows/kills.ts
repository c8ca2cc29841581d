/** The process is killed again and again while events come that nobody sends twice. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { load } from '../../node/callers.ts'
import { hold } from '../../node/held.ts'
import { until } from '../../until.ts'
import { says, startEcho } from '../echo.ts'
import { environment, folder } from '../gateway.ts'
import { randomFrom } from '../random.ts'
import type { Row, Trial } from '../row.ts'
import { speaker } from '../turns.ts'

/** One that tells of no conversation, and one that does. */
const platforms = [speaker('snatchbot-webhook'), speaker('tiledesk-subscription')] as const
/** Deliveries under way at once, of each route. */
const concurrency = 16
const callers = 32
/** Milliseconds that a delivery takes at most, so that some are under way at every kill. */
const slowest = 20
/** Runs that are demanded. */
const seeds = 3

/** What came of the kills of one seed, or of several. */
interface Survived {
	readonly kills: number
	readonly offered: number
	readonly acknowledged: number
	readonly lost: number
	/** Copies beyond the first of each event. */
	readonly duplicates: number
	/** Of one event. */
	readonly mostCopies: number
	/** Events with more copies than kills between their first and their last one allow. */
	readonly tooMany: number
	/** Copies that are none: of another id, or of other bytes. */
	readonly differing: number
	/** Conversations whose events came in another order than they were sent in. */
	readonly outOfOrder: number
	readonly refused: number
	readonly broken: number
	/** Calls without a result at the moment of a kill, of all kills. */
	readonly inHand: number
	/** The gateway's own faults in its log. */
	readonly faults: number
}

/** An event as it reached the upstream. */
interface Copy {
	readonly id: string
	readonly body: string
	/** How many kills came before it. */
	readonly kills: number
}

async function survive(trial: Trial, seed: number, kills: number, offered: number): Promise<Survived> {
	const random = randomFrom(seed)
	const copies = new Map<string, Copy[]>()
	/** Numbers of the events of each conversation, in the order in which they first came. */
	const orders = new Map<string, number[]>()
	let killed = 0
	const upstream = await startEcho(trial, async ({ headers, body }) => {
		const { text, conversation } = JSON.parse(body).event
		const id = headers[headers.indexOf('webhook-id') + 1] ?? ''
		const known = copies.get(text)
		if (known) known.push({ id, body, kills: killed })
		else {
			copies.set(text, [{ id, body, kills: killed }])
			if (conversation !== undefined)
				orders.set(conversation, [...(orders.get(conversation) ?? []), Number(text.split('-').at(-1))])
		}
		await wait(slowest * random())
		return says('')
	})
	const outbox = { file: join(folder(trial), 'outbox.db'), key: { env: 'KEY' }, concurrency }
	const held = hold(
		(end) => trial.after(end),
		'127.0.0.1',
		{ ...environment, KEY: randomBytes(32).toString('base64'), SIGN: `whsec_${randomBytes(32).toString('base64')}` },
		{
			...{ outbox, upstream: { url: upstream.url, sign: [{ env: 'SIGN' }] } },
			routes: platforms.map((platform) => platform.route(platform.name)),
		},
	)
	let pid = await held.gateway(1)

	let sent = 0
	const acknowledged = new Set<string>()
	const texts = new Map<object, string>()
	const going = load(held.port(), {
		callers,
		pause: () => slowest * random(),
		next(caller) {
			if (sent >= offered) return undefined
			const platform = platforms[sent % 2] ?? platforms[0]
			const text = `${seed}-${sent++}`
			const {
				path,
				headers = [],
				body = '',
			} = platform.call(platform.name, platform.event(text, { conversation: `caller-${caller}` }))
			const call = { path, headers, body }
			texts.set(call, text)
			return call
		},
		heard(call, { was }) {
			if (was === 200) acknowledged.add(texts.get(call) ?? '')
			texts.delete(call)
		},
	})
	const moments = Array.from({ length: kills }, () => offered * (0.02 + 0.96 * random())).toSorted((a, b) => a - b)
	let inHand = 0
	for (const moment of moments) {
		if (!(await until(() => sent >= moment, 120_000))) throw new Error('the load has come to a standstill')
		inHand += going.underWay()
		process.kill(pid, 'SIGKILL')
		// What it had sent is still to be read here, and no process starts sooner.
		for (let turns = 0; turns < 10; turns++) await wait(5)
		killed++
		pid = await held.gateway(killed + 1)
	}
	await going.over
	const { refused, broken } = await going.stop()
	const missing = () => [...acknowledged].filter((text) => !copies.has(text))
	await until(() => missing().length === 0)

	const all = [...copies.values()]
	return {
		...{ kills, offered, inHand, refused },
		acknowledged: acknowledged.size,
		lost: missing().length,
		duplicates: all.reduce((sum, { length }) => sum + length - 1, 0),
		mostCopies: Math.max(...all.map(({ length }) => length)),
		tooMany: all.filter((each) => each.length > 1 + (each.at(-1)?.kills ?? 0) - (each[0]?.kills ?? 0)).length,
		differing: all.filter((each) => new Set(each.map(({ id, body }) => `${id} ${body}`)).size > 1).length,
		outOfOrder: [...orders.values()].filter((order) => order.some((n, i) => n < (order[i - 1] ?? 0))).length,
		broken: broken.length,
		faults: held.told().match(/"msg":"uncaught"|"error":"(internal|outbox-failed)"/g)?.length ?? 0,
	}
}

let all: Promise<readonly Survived[]> | undefined

/** All kills, once: both rows tell of the same ones. */
function survivals(trial: Trial): Promise<readonly Survived[]> {
	all ??= (async () => {
		const survived: Survived[] = []
		// One after the other: which copies a kill explains is told by when they are read.
		for (let n = 0; n < trial.at(1, 1, seeds); n++) {
			survived.push(await survive(trial, trial.seed + n, trial.at(5, 20, 20), trial.at(1500, 10_000, 10_000)))
		}
		return survived
	})()
	return all
}

function sum(survived: readonly Survived[], what: keyof Survived): number {
	return survived.reduce((total, each) => total + each[what], 0)
}

export const kills: Row = {
	id: 'B1',
	fault: 'SIGKILL, again and again, while events come that nobody sends twice',
	demand:
		'20 kills during 10,000 events, 3 seeds: 0 acknowledged events lost; a copy more of an event at most for each kill it saw, duplicates ≤ kills × deliveries at once (16 a route); copies have the same id and body; conversations keep their order',
	async run(trial) {
		const survived = await survivals(trial)
		const total = (what: keyof Survived) => sum(survived, what)
		const bound = total('kills') * concurrency * platforms.length
		const broken: string[] = []
		const never = (what: keyof Survived, sentence: string) => {
			if (total(what) > 0) broken.push(`${total(what)} ${sentence}`)
		}
		never('lost', 'acknowledged events were lost')
		never('tooMany', 'events had more copies than kills explain')
		never('differing', 'events had copies of another id or body')
		never('outOfOrder', 'conversations lost their order')
		never('faults', 'faults of the gateway’s own in its log')
		if (total('duplicates') > bound) broken.push(`${total('duplicates')} duplicates, and no more than ${bound} explain`)
		if (total('acknowledged') < total('offered') / 2) broken.push('most events were not acknowledged')
		const most = Math.max(...survived.map(({ mostCopies }) => mostCopies))
		return {
			reached: `${total('kills')} kills, ${total('offered')} offered, ${total('acknowledged')} acknowledged, ${total('lost')} lost, ${total('duplicates')} duplicates (bound ${bound}), at most ${most} copies of one event`,
			broken,
			missed:
				survived.length < seeds
					? [`${survived.length} of ${seeds} seeds, for want of time; all of them with --full`]
					: [],
		}
	},
}

export const refusals: Row = {
	id: 'B2',
	fault: 'Callers during those kills, and while the next process starts, on a socket that is held',
	demand: '0 refused; broken ≤ those in hand at each kill',
	async run(trial) {
		const survived = await survivals(trial)
		const [refused, cut, inHand] = [sum(survived, 'refused'), sum(survived, 'broken'), sum(survived, 'inHand')]
		const broken: string[] = []
		if (refused > 0) broken.push(`${refused} calls were refused`)
		if (cut > inHand) broken.push(`${cut} calls broke, and only ${inHand} were in hand`)
		return { reached: `${refused} refused, ${cut} broken of ${sum(survived, 'offered')} (${inHand} in hand)`, broken }
	},
}
