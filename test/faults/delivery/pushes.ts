/** Replies that are pushed through a platform's API, which fails, refuses, or is called by a process that is killed. */
import { setTimeout as wait } from 'node:timers/promises'
import { conversationApis } from '../../../adapters/simulated-apis.ts'
import { readOutbox } from '../../../src/config/index.ts'
import type { WireResponse } from '../../../src/format/index.ts'
import { runOutbox } from '../../../src/node/outbox/outbox-command.ts'
import { header, json, statusOnly } from '../../harness/http.ts'
import { type Platform, withApi } from '../../harness/platforms.ts'
import type { Connection, Received } from '../../harness/upstream.ts'
import { until } from '../../until.ts'
import { atOnceThenEach, outboxOf } from '../accepting.ts'
import { faultsOf } from '../health.ts'
import { none, type Row, type Trial, unless } from '../row.ts'
import { apologising, countEach, each, nonceOf, noncesIn } from '../turns.ts'

/** Messages of a reply. */
const parts = ['one', 'two', 'three']

/** What goes wrong with a call of the API: before it takes the call, or behind it, so that it cannot tell. */
type Fault = (
	call: Received,
	connection: Connection,
) => WireResponse | string | Promise<WireResponse | string | undefined>

const before: readonly Fault[] = [
	() => json({ success: false, msg: 'error' }, 500),
	() => statusOnly(503),
	() => statusOnly(429, [['retry-after', '0']]),
	() => 'HTTP/1.1 what is this\r\n\r\n',
	(_, { socket }) => {
		socket.destroy()
		return ''
	},
	(_, { pause }) => pause(100).then(() => undefined),
]

/** A simulated API that listens, with a fault for every so many calls, and the texts that it has taken. */
async function startApi(trial: Trial, faultOf: (call: Received) => Fault | undefined = () => undefined) {
	const taken: string[] = []
	const simulated = Object.values(conversationApis)[0]?.()
	if (!simulated) throw new Error('no platform has a simulated API')
	const api = await trial.upstream(async (call, connection) => {
		const fault = await faultOf(call)?.(call, connection)
		if (fault !== undefined) return fault
		const { response } = simulated.answer(call)
		const { text } = call.body === '' ? {} : JSON.parse(call.body)
		if (response.status === 200 && text !== undefined) taken.push(text)
		return response
	})
	const [oneWay, twoWay] = [withApi(api.url, true), withApi(api.url, false)]
	const project = 'p1'
	/** What a user says in a conversation: the platform's call, with a token that the API knows unless it is a stranger. */
	const call = (platform: Platform, path: string, text: string, n: number, admitted = true) => {
		const about = { conversation: `support-group-${project}-${n}`, bot: { id: 'b1', name: 'Bot', project } }
		const event = platform.event(text, about)
		const wire = platform.adapter.event.encode(event)
		if (admitted) return { ...simulated.admit(wire), path }
		return { ...wire, body: JSON.stringify({ ...JSON.parse(wire.body), token: 'a.stranger.s' }), path }
	}
	return { ...api, api, taken, oneWay, twoWay, call }
}

/** An upstream whose reply has several messages. */
const repliesWith = (call: Received) =>
	json({ messages: parts.map((part) => ({ type: 'text', text: `${nonceOf(call)} ${part}` })) })

/** Texts that are there in another order than they were said. */
function outOfOrder(said: readonly string[], taken: readonly string[]): number {
	const places = said.map((text) => taken.indexOf(text))
	return places.filter((place, i) => i > 0 && place < (places[i - 1] ?? 0)).length
}

export const failing: Row = {
	id: 'C6',
	fault: 'The API of a platform is down, slow, answers 429, 500 or what is no HTTP, in the midst of replies',
	demand:
		'200 conversations: every message of every reply is accepted, in the order of the conversation, and none twice',
	waits: 'busily',
	async run(trial) {
		const random = () => trial.random()
		const api = await startApi(trial, () => (random() < 0.3 ? before[Math.floor(random() * before.length)] : undefined))
		const upstream = await trial.upstream(repliesWith)
		const gateway = await trial.start({
			outbox: outboxOf(trial, { schedule: atOnceThenEach('20ms') }),
			upstream: { url: upstream.url },
			routes: [api.oneWay.route({}, 'in')],
		})
		await api.api.shut()
		const [conversations, events] = [trial.at(8, 50, 200), 3]
		const sending = each(conversations, conversations, (n) =>
			each(events, 1, async () => {
				const text = trial.nonce()
				const { status } = await gateway.send(api.call(api.oneWay, '/in', text, n))
				return { text, status }
			}),
		)
		await wait(200)
		await api.api.open()
		const said = await sending
		const refused = said.flat().filter(({ status }) => status !== 200).length
		const expected = said.map((talk) => talk.flatMap(({ text }) => parts.map((part) => `${text} ${part}`)))
		const all = expected.flat()
		await until(() => new Set(api.taken).size >= all.length, 60_000)
		const lost = all.filter((text) => !api.taken.includes(text)).length
		const twice = [...countEach(api.taken).values()].filter((times) => times > 1).length
		const disordered = expected.filter((talk) => outOfOrder(talk, api.taken) > 0).length
		const calls = api.calls.length
		return {
			reached: `${all.length} messages of ${conversations} conversations took ${calls} calls: ${lost} lost, ${twice} twice, ${disordered} conversations out of order`,
			broken: [
				...none(refused, 'events were not accepted'),
				...none(lost, `of ${all.length} messages were lost`),
				...none(twice, 'messages were accepted twice'),
				...none(disordered, 'conversations were out of order'),
				...unless(calls > all.length, 'the API never failed'),
				...faultsOf(gateway),
			],
		}
	},
}

export const refusing: Row = {
	id: 'C7',
	fault: 'The API of a platform refuses a push for good: a wrong token, a conversation that is gone',
	demand:
		'each call is made once and is a dead letter with the status and the words of the API; other conversations get their replies',
	waits: 'idly',
	async run(trial) {
		const api = await startApi(trial, (call) =>
			call.path.endsWith('-1/messages') ? () => json({ success: false, msg: 'Request not found' }, 404) : undefined,
		)
		const upstream = await trial.upstream(repliesWith)
		const file = outboxOf(trial)
		const gateway = await trial.start({
			outbox: file,
			upstream: { url: upstream.url },
			routes: [api.oneWay.route({}, 'in')],
		})
		const texts = [0, 1, 2].map(() => trial.nonce())
		// The first is a stranger to the API, the second one's conversation is gone.
		for (const [n, text] of texts.entries()) await gateway.send(api.call(api.oneWay, '/in', text, n, n > 0))
		const calls = 3 * parts.length
		await until(() => api.calls.length >= calls)
		const settings = readOutbox({ outbox: file }, {})
		const listed: string[] = []
		const dead = () => listed.filter((line) => line.includes('dead  ')).length
		await until(async () => {
			listed.length = 0
			if (settings) await runOutbox(['list', '--state', 'dead'], settings, (line) => listed.push(line))
			return dead() >= 2 * parts.length
		}, 10_000)
		const withReason = (reason: string) => listed.filter((line) => line.includes(`push-refused (${reason}`)).length
		const [unauthorized, gone] = [withReason('401 Unauthorized'), withReason('404 Request not found')]
		const got = api.taken.filter((text) => text.includes(texts[2] ?? '?')).length
		return {
			reached: `${unauthorized} messages with a wrong token and ${gone} of a conversation that is gone are dead letters with their reasons after ${api.calls.length} calls; the other conversation got ${got} messages`,
			broken: [
				...unless(unauthorized === parts.length, `${unauthorized} dead letters say 401`),
				...unless(gone === parts.length, `${gone} dead letters say 404`),
				...unless(got === parts.length, `the other conversation got ${got} messages`),
				...unless(api.calls.length === calls, `${api.calls.length} calls for ${calls} messages`),
				...unless(!listed.join().includes('stranger') && !gateway.written().includes('stranger'), 'a token was shown'),
				...faultsOf(gateway),
			],
		}
	},
}

export const killed: Row = {
	id: 'C8',
	fault: 'The process is killed between the holding reply and the push of the late answer',
	demand:
		'where the upstream is idempotent, the event is sent again with the same id, and its reply is pushed once; elsewhere it is sent once, the user gets the words for a failure, and the event is a dead letter',
	waits: 'busily',
	async run(trial) {
		const api = await startApi(trial)
		let answers = false
		const ids = new Map<string, string[]>()
		const upstream = await trial.upstream(async (call, { gone }) => {
			const text = nonceOf(call)
			ids.set(text, [...(ids.get(text) ?? []), header(call, 'webhook-id') ?? ''])
			if (!answers) await gone
			return repliesWith(call)
		})
		const late = { after: 300, reply: { messages: [{ type: 'text', text: 'One moment' }] }, answer: 'push' }
		const outbox = outboxOf(trial)
		const sign = [{ env: 'SIGN' }]
		const route = (name: string, idempotent: boolean) => api.twoWay.route({ late, idempotent, ...apologising }, name)
		const config = {
			...{ outbox, upstream: { url: upstream.url, timeout: 60_000, sign } },
			routes: [route('again', true), route('once', false)],
		}
		const options = { env: { SIGN: `whsec_${Buffer.alloc(32, 7).toString('base64')}` } }
		const first = await trial.start(config, options)
		const count = trial.at(3, 20, 100)
		const texts = Array.from({ length: count }, () => [trial.nonce(), trial.nonce()] as const)
		const held = await each(count, count, async (n) => {
			const [again = '', once = ''] = texts[n] ?? []
			return await Promise.all([
				first.send(api.call(api.twoWay, '/again', again, n)),
				first.send(api.call(api.twoWay, '/once', once, count + n)),
			])
		})
		const notHeld = held.flat().filter(({ status, body }) => status !== 200 || !body.includes('One moment')).length
		await first.end('SIGKILL')
		answers = true
		const second = await trial.start(config, options)
		const [again, once] = [texts.map(([text]) => text), texts.map(([, text]) => text)]
		const expected = again.flatMap((text) => parts.map((part) => `${text} ${part}`))
		const apologies = () => api.taken.filter((text) => noncesIn(text).length === 0).length
		await until(() => new Set(api.taken).size > expected.length && apologies() >= count, 20_000)
		const times = countEach(api.taken)
		const lost = expected.filter((text) => !times.has(text)).length
		const twice = expected.filter((text) => (times.get(text) ?? 0) > 1).length
		const sent = (text: string) => ids.get(text) ?? []
		const wrongIds = again.filter((text) => sent(text).length !== 2 || new Set(sent(text)).size !== 1).length
		const repeated = once.filter((text) => sent(text).length !== 1).length
		const dead = second.lines.filter((line) => line.dead && line.error === 'late-answer-lost').length
		return {
			reached: `${2 * count} turns held and killed: ${count - lost / parts.length} late answers pushed after a second call, ${twice} messages twice; ${apologies()} users told of a failure, ${dead} dead letters, ${repeated} called again`,
			broken: [
				...none(notHeld, 'turns did not get the holding reply'),
				...none(lost, `of ${expected.length} messages were lost`),
				...none(twice, 'messages were pushed twice'),
				...none(wrongIds, 'events were not sent twice with one id'),
				...none(repeated, 'events were sent again to an upstream that is not idempotent'),
				...unless(apologies() === count, `${apologies()} of ${count} users were told of a failure`),
				...unless(dead === count, `${dead} dead letters for ${count} events`),
				...faultsOf(second),
			],
		}
	},
}
