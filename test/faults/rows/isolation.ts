/** Routes of strangers in one gateway: none gets what is another's, and one that is busy keeps nobody waiting. */
import { join } from 'node:path'
import type { OutgoingCall, Runtime, State } from '../../../src/runtime.ts'
import { message } from '../calls.ts'
import { says, startEcho } from '../echo.ts'
import { folder, startGateway } from '../gateway.ts'
import { gatewayInside } from '../inside.ts'
import { open } from '../load.ts'
import { randomFrom } from '../random.ts'
import type { Row, Trial } from '../row.ts'
import { answered, each, speaker, tally } from '../turns.ts'

/** What a part of the row found. */
interface Found {
	readonly reached: string
	readonly broken: readonly string[]
	readonly missed?: readonly string[]
}

const count = 50
const names = Array.from({ length: count }, (_, i) => `route-${i}`)

export const isolation: Row = {
	id: 'D21',
	fault: '50 routes of strangers have the same conversations and event ids; one of them is busy',
	demand:
		"memory and outbox: nothing of one route at another; 0 replies of another route in 100,000 interleaved turns; one route at 10 × what its upstream takes moves others' p99 ≤ 20 %",
	except: 'routes share the bounds of memory and of the outbox: one that fills them crowds out what others left there',
	async run(trial) {
		const found = [await memory(trial), await stored(trial), await interleaved(trial), await noise(trial)]
		return {
			reached: found.map(({ reached }) => reached).join('; '),
			broken: found.flatMap(({ broken }) => broken.slice(0, 5)),
			missed: found.flatMap(({ missed = [] }) => missed),
		}
	},
}

/** The route of whose upstream this is the URL. */
function ownerOf({ url }: OutgoingCall): string {
	return new URL(url).hostname.replace('.test', '')
}

const upstreamOf = (name: string) => ({ upstream: { url: `http://${name}.test/` } })
const answer = (body: object) => ({
	...{ status: 200, headers: [['content-type', 'application/json'] as const] },
	body: JSON.stringify(body),
})

/** Half of the routes leave something behind in every way there is; the others ask for it with the very same calls. */
async function memory(trial: Trial): Promise<Found> {
	const broken: string[] = []
	const used = new Set<string>()
	const calls = new Map<string, number>()
	const send: Runtime['send'] = async (call) => {
		const { event, turn } = JSON.parse(call.body)
		const name = ownerOf(call)
		if (turn.route !== name) broken.push(`the upstream of ${name} got a turn of ${turn.route}`)
		calls.set(name, (calls.get(name) ?? 0) + 1)
		if (event.text === 'late') await new Promise((done) => setTimeout(done, 900))
		const choices = [{ title: 'Tea', value: `tea (${name})` }]
		if (event.text === 'choose') return answer({ messages: [{ type: 'choices', choices }] })
		return answer(JSON.parse(says(`${event.choice?.value ?? event.text} (${name})`)))
	}
	const late = { after: 450, reply: { messages: [{ type: 'text', text: 'One moment' }] } }
	const routes = names.map((name) => ({ name, path: `/${name}`, platform: 'canonical', late, ...upstreamOf(name) }))
	const lend = ({ state }: Runtime) => ({ send, state: told(state, used) })
	const gateway = gatewayInside(trial, { routes }, {}, { lend })
	const take = async (name: string, text: string, id?: string): Promise<string> => {
		const body = message(text, { conversation: 'c1', ...(id && { id }) })
		const got = await (await gateway.take({ path: `/${name}`, body })).text()
		const strangers = [...got.matchAll(/\((route-\d+)\)/g)].filter(([, owner]) => owner !== name)
		if (strangers.length > 0) broken.push(`${name} was answered with ${strangers.map(([all]) => all).join(' ')}`)
		return got
	}
	const all = <T>(list: readonly string[], act: (name: string) => Promise<T>) => Promise.all(list.map(act))
	const [givers, takers] = [0, 1].map((half) => names.filter((_, i) => i % 2 === half)) as [string[], string[]]

	const first = new Map(await all(givers, async (name) => [name, await take(name, 'choose', 'm1')] as const))
	await all(givers, (name) => take(name, 'late'))
	const kept = () => gateway.lines.filter(({ msg, did }) => msg === 'late' && did === 'kept').length
	const until = performance.now() + 20_000
	while (kept() < givers.length && performance.now() < until) await new Promise((done) => setTimeout(done, 20))

	await all(takers, async (name) => {
		const words = await take(name, 'Tea')
		if (!words.includes(`"Tea (${name})"`) || words.includes('late')) broken.push(`${name} said Tea, and got ${words}`)
		const chosen = await take(name, 'choose', 'm1')
		if (!chosen.includes(`tea (${name})`)) broken.push(`${name} sent an id of others, and got ${chosen}`)
		if (calls.get(name) !== 2) broken.push(`the upstream of ${name} was called ${calls.get(name)} times for 2 turns`)
	})
	// What was left behind is there for those who left it: else nothing was kept from anybody.
	await all(givers, async (name) => {
		if ((await take(name, 'choose', 'm1')) !== first.get(name)) broken.push(`${name} did not get its own answer again`)
		const words = await take(name, 'Tea')
		for (const own of [`"late (${name})"`, `"tea (${name}) (${name})"`]) {
			if (!words.includes(own)) broken.push(`${name} did not get its own ${own}`)
		}
	})
	const untried = Object.keys(told(gateway.runtime.state, used)).filter((method) => !used.has(method))
	if (untried.length > 0) broken.push(`nothing was tried of ${untried.join(', ')}`)
	const pairs = givers.length * takers.length
	const gave = broken.length === 0 ? 'nothing' : 'something'
	return {
		reached: `${used.size} methods of the memory × ${pairs} pairs of routes gave ${gave} of the other's`,
		broken,
	}
}

/** The memory, and which of its methods were used. One more method is a mistake here until it is tried, too. */
function told(state: State, used: Set<string>): State {
	const note = <T>(method: string, result: T): T => {
		used.add(method)
		return result
	}
	return {
		openChoices: (...given) => note('openChoices', state.openChoices(...given)),
		addReply: (...given) => note('addReply', state.addReply(...given)),
		claim: (...given) => note('claim', state.claim(...given)),
		addLateReply: (...given) => note('addLateReply', state.addLateReply(...given)),
		takeLateReplies: (...given) => note('takeLateReplies', state.takeLateReplies(...given)),
		settle: (...given) => note('settle', state.settle(...given)),
	}
}

/** Stored events of one conversation's id: each goes to its own route's upstream, and the one that fails holds up none. */
async function stored(trial: Trial): Promise<Found> {
	const platform = speaker('tiledesk-subscription')
	const failing = 'route-0'
	const upstream = await startEcho(trial, ({ target }) => (target === `/${failing}` ? 500 : says('Hello')))
	const gateway = await startGateway(trial, {
		outbox: { file: join(folder(trial), 'outbox.db') },
		routes: names.map((name) => platform.route(name, { upstream: { url: `${upstream.url}${name}` } })),
	})
	const broken: string[] = []
	const rounds = 3
	for (let i = 0; i < rounds; i++) {
		await each(count, 16, async (n) => {
			const event = platform.event(`nonce-${n}-${i}`, { conversation: 'c1' })
			const { method = 'POST', path, headers = [], body = null } = platform.call(names[n] ?? '', event)
			const { status } = await fetch(`${gateway.url}${path}`, { method, headers: pairsOf(headers), body })
			if (status !== 200) broken.push(`an event was answered with ${status}`)
		})
	}
	const wanted = (count - 1) * rounds
	const delivered = () => upstream.heard.filter(({ target }) => target !== `/${failing}`)
	const until = performance.now() + 20_000
	while (delivered().length < wanted && performance.now() < until) await new Promise((done) => setTimeout(done, 20))
	for (const [n, name] of names.entries()) {
		const got = upstream.heard.filter(({ target }) => target === `/${name}`)
		const nonces = got.map(({ body }) => /nonce-\d+-\d+/.exec(body)?.[0])
		const own = Array.from({ length: rounds }, (_, i) => `nonce-${n}-${i}`)
		if (
			name === failing ? nonces.some((each) => each !== own[0]) || nonces.length === 0 : String(nonces) !== String(own)
		) {
			broken.push(`${name} was delivered ${nonces}`)
		}
	}
	return {
		reached: `${delivered().length} of ${wanted} stored events came to their own upstream, past one that failed`,
		broken,
	}
}

/** Turns of all routes at once, on every platform that reads answers; each says whose it is. */
async function interleaved(trial: Trial): Promise<Found> {
	const random = randomFrom(trial.seed)
	const broken: string[] = []
	const send: Runtime['send'] = async (call) => {
		const { event, turn } = JSON.parse(call.body)
		const name = ownerOf(call)
		if (turn.route !== name) broken.push(`the upstream of ${name} got a turn of ${turn.route}`)
		if (random() < 0.5) await new Promise((done) => setImmediate(done))
		if (random() < 0.1) await new Promise((done) => setTimeout(done, 3 * random()))
		return answer(JSON.parse(says(`${event.text} whole (${name})`)))
	}
	const own = names.map((name, i) => ({ name, platform: answered[i % answered.length] ?? speaker('canonical') }))
	const routes = own.map(({ name, platform }) => platform.route(name, upstreamOf(name)))
	const gateway = gatewayInside(trial, { routes }, {}, { lend: () => ({ send }) })
	const turns = trial.at(2000, 5000, 100_000)
	const heard = await each(turns, 200, async (n) => {
		const { name, platform } = own[Math.floor(random() * count)] ?? { name: '', platform: speaker('canonical') }
		const event = platform.event(`nonce-${trial.seed}-${n}`, { conversation: 'c1' })
		const { headers = [], body = '', ...call } = platform.call(name, event)
		const response = await gateway.take({ ...call, headers: pairsOf(headers), body })
		const wire = { status: response.status, headers: [...response.headers], body: await response.text() }
		const what = platform.hear(event, wire)
		if (what === 'reply' && !wire.body.includes(`(${name})`)) return "[another route's answer]"
		// Its lines would be more than the memory of this process is for.
		gateway.lines.length = 0
		return what
	})
	const wrong = heard.filter((what) => what !== 'reply')
	if (wrong.length > 0) broken.push(`${wrong.length} of ${turns} turns heard ${tally(wrong)}`)
	return { reached: `${wrong.length} replies of another route in ${turns} interleaved turns`, broken }
}

/** One route gets ten times what its upstream takes, while others are called as before. */
async function noise(trial: Trial): Promise<Found> {
	const [slow, quick] = [200, 20]
	const concurrency = 4
	const upstream = await startEcho(trial, async ({ target }) => {
		await new Promise((done) => setTimeout(done, target === '/noisy' ? slow : quick))
		return says('Hello')
	})
	const routeTo = (name: string, more: object = {}) => ({
		...{ name, path: `/${name}`, platform: 'canonical' },
		upstream: { url: `${upstream.url}${name}`, ...more },
	})
	const quiet = ['quiet-0', 'quiet-1', 'quiet-2', 'quiet-3']
	const gateway = await startGateway(trial, {
		routes: [routeTo('noisy', { concurrency }), ...quiet.map((name) => routeTo(name))],
	})
	const { url } = gateway
	const seconds = trial.at(1, 4, 30)
	const calls = {
		url,
		rate: 100,
		seconds,
		call: (n: number) => ({ path: `/${quiet[n % quiet.length]}`, body: message('hello') }),
	}
	const rate = 10 * (concurrency * (1000 / slow))
	const noise = { url, rate, seconds: seconds + 1, call: () => ({ path: '/noisy', body: message('hello') }) }
	// What a process does first, it does slowly.
	await Promise.all([open({ ...calls, seconds: 1 }), open({ ...noise, seconds: 1 })])
	const before = await open(calls)
	const loud = open(noise)
	await new Promise((done) => setTimeout(done, 500))
	const during = await open(calls)
	const noisy = await loud

	const broken: string[] = []
	for (const load of [before, during]) {
		const others = load.sent - (load.statuses.get(200) ?? 0)
		if (others > 0) broken.push(`${others} of ${load.sent} calls of other routes were not answered`)
	}
	const refused = noisy.statuses.get(503) ?? 0
	if (refused < noisy.sent / 2) broken.push(`only ${refused} of ${noisy.sent} calls of the busy route were refused`)
	const [usual, moved] = [before.took(0.99, 200), during.took(0.99, 200)]
	const percent = Math.round((moved / usual - 1) * 100)
	const figures = `p99 of other routes ${usual.toFixed(1)} ms before and ${moved.toFixed(1)} ms beside ${rate} calls a second of a route that takes ${rate / 10}`
	const missed =
		percent > 20 ? [`p99 of other routes moved by ${percent} %; load and upstreams have a share of the same cores`] : []
	return { reached: figures, broken, missed }
}

function pairsOf(flat: readonly string[]): [name: string, value: string][] {
	return Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i] ?? '', flat[2 * i + 1] ?? ''])
}
