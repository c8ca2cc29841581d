/** A simulated ChatBot account for tests, without a network: its API behind a `fetch`. */
import { simulatedApi } from '../../adapters/chatbot/management/simulated.ts'
import type { ApiAnswer, WireResponse } from '../../src/format/index.ts'

export const story = '634fef70c56fd000073f5730'
export const collection = '/v2/integrations/webhook'

export interface Account {
	readonly fetch: typeof fetch
	/** Methods and paths of the requests so far. */
	readonly requests: string[]
	/** What the account noted. */
	readonly notes: string[]
	/** How the webhooks answer when they are verified. */
	verified: WireResponse | 'timeout' | 'unreachable' | 'echo'
	/** Lets time pass, in milliseconds. */
	pass(milliseconds: number): void
}

export function account(token?: string): Account {
	let now = Date.parse('2026-01-02T03:04:05.000Z')
	let ids = 0
	const api = simulatedApi({
		now: () => now,
		newId: () => (++ids).toString(16).padStart(8, '0').padEnd(32, '0'),
		...(token !== undefined && { token }),
	})
	const account: Account = {
		requests: [],
		notes: [],
		verified: 'echo',
		pass(milliseconds) {
			now += milliseconds
		},
		async fetch(input, init) {
			const request = new Request(input, init)
			const { pathname, search } = new URL(request.url)
			account.requests.push(`${request.method} ${pathname}`)
			const headers = [...request.headers]
			const call = { method: request.method, path: `${pathname}${search}`, headers, body: await request.text() }
			const answer = api.answer(call)
			const { response, note }: ApiAnswer = 'settle' in answer ? answer.settle(outcomeOf(answer.call.query)) : answer
			if (note !== undefined) account.notes.push(note)
			return new Response(response.body, { status: response.status, headers: response.headers.map(([n, v]) => [n, v]) })
		},
	}
	const outcomeOf = (query: readonly (readonly [string, string])[]) => {
		if (account.verified !== 'echo') return account.verified
		return { status: 200, headers: [], body: query.find(([name]) => name === 'challenge')?.[1] ?? '' }
	}
	return account
}
