/** Routes of different owners in one gateway: none sees data of another, and a busy one does not delay others. */

import { setTimeout as wait } from 'node:timers/promises'
import type { CanonicalEvent } from '../../../src/model/index.ts'
import type { OutgoingCall, Runtime, State } from '../../../src/runtime.ts'
import { json, message, says, statusOnly } from '../../harness/http.ts'
import { open } from '../../harness/load.ts'
import { answered, conversing, own } from '../../harness/platforms.ts'
import { until } from '../../until.ts'
import { outboxOf } from '../accepting.ts'
import { none, type Outcome, over, type Row, type Trial, together, unless } from '../row.ts'
import { each, nonceOf, nth, turnsWith, unexpected } from '../turns.ts'

const count = 50
const names = Array.from({ length: count }, (_, i) => `route-${i}`)

export const isolation: Row = {
	id: 'D21',
	fault: '50 routes of different owners use the same conversation and event ids; one of them is busy',
	demand:
		"state and outbox: nothing of one route is visible to another; 0 replies of another route in 100,000 interleaved turns; one route at 10 × the capacity of its upstream moves others' p99 ≤ 20 %",
	except: 'routes share the limits of the state and of the outbox: one that fills them displaces entries of others',
	run: async (trial) =>
		together([await memory(trial), await stored(trial), await interleaved(trial), await noise(trial)]),
}

const upstreamOf = (name: string) => ({ upstream: { url: `http://${name}.test/` } })

/** An upstream for each route, which answers a text; what it finds wrong goes into `broken`. */
function answering(
	broken: string[],
	answer: (event: CanonicalEvent, name: string) => Promise<object>,
): Pick<Runtime, 'send'> {
	return {
		async send({ url, body }: OutgoingCall) {
			const { event, turn } = JSON.parse(body)
			const name = new URL(url).hostname.replace('.test', '')
			broken.push(...unless(turn.route === name, `the upstream of ${name} got a turn of ${turn.route}`))
			return json(await answer(event, name))
		},
	}
}

/** Half of the routes leave something behind in every way there is; the others ask for it with the very same calls. */
async function memory(trial: Trial): Promise<Outcome> {
	const broken: string[] = []
	const used = new Set<string>()
	const called: string[] = []
	const { send } = answering(broken, async ({ text, choice }, name) => {
		called.push(name)
		if (text === 'late') await wait(900)
		const choices = [{ title: 'Tea', value: `tea (${name})` }]
		return text === 'choose' ? { messages: [{ type: 'choices', choices }] } : says(`${choice?.value ?? text} (${name})`)
	})
	// A press may reach the choices of an earlier reply; typed words would not.
	const press = { kind: 'choice', choice: { value: 'Tea' } }
	const late = { after: 450, reply: says('One moment') }
	const gateway = await trial.start(
		{ routes: names.map((name) => own.route({ late, ...upstreamOf(name) }, name)) },
		{ as: 'inside', replace: ({ state }) => ({ send, state: noting(state, used) }) },
	)
	const take = async (name: string, text: string, more: object = {}): Promise<string> => {
		const { body } = await gateway.send({ path: `/${name}`, body: message(text, { conversation: 'c1', ...more }) })
		const strangers = [...body.matchAll(/\((route-\d+)\)/g)].filter(([, owner]) => owner !== name)
		broken.push(...strangers.map(([all]) => `${name} was answered with ${all}`))
		return body
	}
	const all = <T>(some: readonly string[], act: (name: string) => Promise<T>) => Promise.all(some.map(act))
	const givers = names.filter((_, i) => i % 2 === 0)
	const takers = names.filter((_, i) => i % 2 === 1)

	const first = new Map(await all(givers, async (name) => [name, await take(name, 'choose', { id: 'm1' })] as const))
	await all(givers, (name) => take(name, 'late'))
	const stored = () => gateway.lines.filter(({ msg, did }) => msg === 'late' && did === 'kept').length
	await until(() => stored() >= givers.length, 20_000)

	await all(takers, async (name) => {
		// It closes the choices of its own conversation alone.
		await take(name, 'start', { kind: 'start' })
		const words = await take(name, 'Tea', press)
		const chosen = await take(name, 'choose', { id: 'm1' })
		broken.push(
			...unless(words.includes(`"Tea (${name})"`) && !words.includes('late'), `${name} said Tea, and got ${words}`),
			...unless(chosen.includes(`tea (${name})`), `${name} sent an id of others, and got ${chosen}`),
			...unless(called.filter((each) => each === name).length === 3, `the upstream of ${name} was not called for each`),
		)
	})
	// What was left behind is there for those who left it: else nothing was kept from any.
	await all(givers, async (name) => {
		const again = await take(name, 'choose', { id: 'm1' })
		const words = await take(name, 'Tea', press)
		broken.push(
			...unless(again === first.get(name), `${name} did not get its own answer again`),
			...[`"late (${name})"`, `"tea (${name}) (${name})"`].flatMap((own) =>
				unless(words.includes(own), `${name} did not get its own ${own}`),
			),
		)
	})
	const untried = Object.keys(noting(gateway.runtime.state, used)).filter((method) => !used.has(method))
	broken.push(...unless(untried.length === 0, `nothing was tried of ${untried}`))
	return {
		reached: `${used.size} methods of the state × ${givers.length * takers.length} pairs of routes revealed ${broken.length === 0 ? 'nothing' : 'something'} of the other route`,
		broken,
	}
}

/** The memory, and which of its methods were used. One more method is a mistake here until it is tried, too. */
function noting(state: State, used: Set<string>): State {
	const note = <T>(method: string, result: T): T => {
		used.add(method)
		return result
	}
	return {
		begin: (...given) => note('begin', state.begin(...given)),
		addLateReply: (...given) => note('addLateReply', state.addLateReply(...given)),
		takeLateReplies: (...given) => note('takeLateReplies', state.takeLateReplies(...given)),
		settle: (...given) => note('settle', state.settle(...given)),
	}
}

/** Stored events of one conversation's id: each goes to its own route's upstream, and the one that fails holds up none. */
async function stored(trial: Trial): Promise<Outcome> {
	const failing = 'route-0'
	const upstream = await trial.upstream(({ path }) => (path === `/${failing}` ? statusOnly(500) : json(says('Hello'))))
	const gateway = await trial.start({
		outbox: outboxOf(trial),
		routes: names.map((name) => conversing.route({ upstream: { url: `${upstream.url}/${name}` } }, name)),
	})
	const take = turnsWith(trial, gateway)
	const rounds = 3
	const turns = await each(count, 16, (n) =>
		each(rounds, 1, () => take(conversing, nth(names, n), { conversation: 'c1' })),
	)
	const wanted = (count - 1) * rounds
	const delivered = () => upstream.calls.filter(({ path }) => path !== `/${failing}`).length
	await until(() => delivered() >= wanted, 20_000)
	const broken = turns.flatMap((own, n) => {
		const name = nth(names, n)
		const came = upstream.calls.filter(({ path }) => path === `/${name}`).map(nonceOf)
		const texts = own.map(({ text }) => text)
		const right =
			name === failing ? came.length > 0 && came.every((text) => text === texts[0]) : `${came}` === `${texts}`
		return [...unexpected(own, ['accepted']), ...unless(right, `${name} was delivered ${came}`)]
	})
	return {
		reached: `${delivered()} of ${wanted} stored events were delivered to their own upstream, beside one that fails`,
		broken,
	}
}

/** Turns of all routes at once, on every platform that reads answers; each says whose it is. */
async function interleaved(trial: Trial): Promise<Outcome> {
	const { random } = trial
	const broken: string[] = []
	const { send } = answering(broken, async ({ text }, name) => {
		if (random() < 0.5) await new Promise((done) => setImmediate(done))
		if (random() < 0.1) await wait(3 * random())
		return says(`${text} whole (${name})`)
	})
	const gateway = await trial.start(
		{ routes: names.map((name, i) => nth(answered, i).route(upstreamOf(name), name)) },
		{ as: 'inside', replace: () => ({ send }) },
	)
	const take = turnsWith(trial, gateway)
	const turns = await each(trial.at(2000, 5000, 100_000), 200, async () => {
		const i = Math.floor(random() * count)
		const turn = await take(nth(answered, i), nth(names, i), { conversation: 'c1' })
		// Its lines would be more than the memory of this process is for.
		gateway.lines.length = 0
		const mixed = turn.heard === 'reply' && !turn.answer.body.includes(`(${nth(names, i)})`)
		return { heard: mixed ? "[another route's answer]" : turn.heard }
	})
	const wrong = turns.filter(({ heard }) => heard !== 'reply')
	return {
		reached: `${wrong.length} replies of another route in ${turns.length} interleaved turns`,
		broken: [...broken, ...unexpected(turns, ['reply'])],
	}
}

/** One route gets ten times what its upstream takes, while others are called as before. */
async function noise(trial: Trial): Promise<Outcome> {
	const [slow, quick] = [200, 20]
	const concurrency = 4
	const upstream = await trial.upstream(async ({ path }, connection) => {
		await connection.pause(path === '/noisy' ? slow : quick)
		return json(says('Hello'))
	})
	const quiet = ['quiet-0', 'quiet-1', 'quiet-2', 'quiet-3']
	const gateway = await trial.start({
		routes: ['noisy', ...quiet].map((name) =>
			own.route({ upstream: { url: `${upstream.url}/${name}`, ...(name === 'noisy' && { concurrency }) } }, name),
		),
	})
	const seconds = trial.at(1, 4, 30)
	const rate = 10 * (concurrency * (1000 / slow))
	const callOthers = (seconds: number) =>
		open(gateway.url, { rate: 100, seconds, call: (n) => ({ path: `/${nth(quiet, n)}`, body: message('Hi') }) })
	const callNoisy = (seconds: number) =>
		open(gateway.url, { rate, seconds, call: () => ({ path: '/noisy', body: message('Hi') }) })
	// What a process does first, it does slowly.
	await Promise.all([callOthers(1), callNoisy(1)])
	const before = await callOthers(seconds)
	const loud = callNoisy(seconds + 1)
	await wait(500)
	const during = await callOthers(seconds)
	const noisy = await loud

	const [usual, moved] = [before.took(0.99, 200), during.took(0.99, 200)]
	const percent = Math.round((moved / usual - 1) * 100)
	return {
		reached: `p99 of other routes ${usual.toFixed(1)} ms before and ${moved.toFixed(1)} ms beside ${rate} calls per second to a route with a capacity of ${rate / 10}`,
		broken: [
			...[before, during].flatMap((load) =>
				none(load.sent - load.count(200), 'calls of other routes were not answered'),
			),
			...unless(
				noisy.count(503) >= noisy.sent / 2,
				`only ${noisy.count(503)} of ${noisy.sent} noisy calls were refused`,
			),
		],
		missed: over(percent, 20, (it) => `p99 of other routes moved by ${it} %; load and upstreams share the cores`),
	}
}
