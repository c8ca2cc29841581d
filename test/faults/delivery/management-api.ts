/** The client of ChatBot's API, on an API that misbehaves in every way. */

import { ChatBotError, createChatBotClient } from '../../../adapters/chatbot/management/index.ts'
import type { Script } from '../../harness/upstream.ts'
import { answer, misbehaviours } from '../behaviours.ts'
import { none, over, type Row } from '../row.ts'
import { countEach, each, nonceOf, nth, tally } from '../turns.ts'

const secrets = { token: 'developer-access-token', webhook: 'token-of-the-webhook', header: 'header-of-the-webhook' }
/** Milliseconds for an attempt, and for all of a call's. */
const limits = { timeout: 1000, patience: 3000 }
/** The one status after which a call is made again. */
const repeated = 'retry-after-garbage'

export const managementApi: Row = {
	id: 'C15',
	fault: 'ChatBot’s API for webhooks is down, slow, limits the rate, fails, redirects, answers too much or nonsense',
	demand:
		'1,000 calls of the client: each ends with a result or a typed error within its limit; only a 429 is repeated; no error holds a secret',
	waits: 'idly',
	async run(trial) {
		const ways = misbehaviours(trial.random)
		const scripts: { readonly [name: string]: Script } = {
			...Object.fromEntries(Object.entries(ways).map(([name, { script }]) => [name, script])),
			'repeats-the-call': ({ headers, body }) => answer(`no: ${body} ${headers.join(' ')}`, [], 400),
			'no-list': () => answer('{"status":{"code":200}}'),
			'half-a-list': () => answer('[{"id":"a"},{"name":"b"}]'),
			list: () => answer('[{"id":"611f9ad1fe24s3d0007d14ad4","error":false,"createdAt":"2020-04-1T00:00:300.000Z"}]'),
		}
		const names = ['down', ...Object.keys(scripts)]
		const server = await trial.upstream((call, connection) => {
			const script = scripts[call.path.split('/')[1] ?? '']
			if (!script) throw new Error(`no script for ${call.path}`)
			return script(call, connection)
		})
		const count = trial.at(2 * names.length, 1000, 3000)
		const calls = await each(count, 12, async (n) => {
			const name = nth(names, Math.floor(n / 2))
			const api = name === 'down' ? 'http://127.0.0.1:1' : `${server.url}/${name}`
			const client = createChatBotClient({ token: secrets.token, api, ...limits })
			const nonce = trial.nonce()
			const webhook = { storyId: '634fef70c56fd000073f5730', name: nonce, url: 'https://shop.test' }
			const settings = { ...webhook, token: secrets.webhook, headers: { 'x-shop': secrets.header } }
			const from = performance.now()
			const made = n % 2 === 0 ? client.list() : client.create(settings)
			const thrown: unknown = await made.then(
				() => undefined,
				(thrown) => thrown,
			)
			const ms = performance.now() - from
			const shown = thrown instanceof Error ? `${thrown.stack} ${JSON.stringify(thrown)} ${thrown.cause}` : ''
			const leaks = Object.values(secrets).some((secret) => shown.includes(secret))
			const code = thrown === undefined ? 'a result' : thrown instanceof ChatBotError ? thrown.code : 'untyped'
			return { name, nonce, ms, leaks, code }
		})
		const copies = countEach(server.calls.map(nonceOf))
		const again = calls.filter(({ name, nonce }) => name !== repeated && (copies.get(nonce) ?? 0) > 1)
		const limited = calls.filter(({ name, nonce }) => name === repeated && (copies.get(nonce) ?? 0) > 1)
		const slowest = Math.max(...calls.map(({ ms }) => ms))
		return {
			reached: `${calls.length} calls in ${names.length} ways: ${tally(calls.map(({ code }) => code))}; slowest ${(slowest / 1000).toFixed(2)} s of ${limits.patience / 1000}`,
			broken: [
				...none(calls.filter(({ code }) => code === 'untyped').length, 'untyped errors'),
				...none(calls.filter(({ leaks }) => leaks).length, 'errors with a secret'),
				...none(again.length, 'calls were repeated without a 429'),
				...none(limited.length > 0 ? 0 : 1, 'kinds of 429 were not repeated'),
				// Twice the limit is more than a busy machine explains.
				...over(slowest, 2 * limits.patience, (ms) => `a call took ${ms} ms`),
			],
			missed: over(slowest, limits.patience, (ms) => `${ms} ms: the machine was busy`),
		}
	},
}
