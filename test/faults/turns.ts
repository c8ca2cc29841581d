/** Turns as every platform takes them: each call has a nonce, and what comes back is read as the platform reads it. */
import { Pool } from 'undici'
import { adapters } from '../../adapters/index.ts'
import { errors, GatewayError } from '../../src/errors.ts'
import { fitEvent } from '../../src/fit/index.ts'
import type { Adapter, WireResponse } from '../../src/format/index.ts'
import type { CanonicalEvent } from '../../src/model/index.ts'
import { asSent } from '../runtime/samples.ts'
import { excerpt, type Heard } from './behaviours.ts'
import type { Answer as LoadAnswer, Outgoing } from './load.ts'
import type { Trial } from './row.ts'
import { noncePattern } from './upstream.ts'

/** A platform whose turns are told apart by what its user says. */
export interface Speaker {
	readonly name: string
	readonly platform: string
	readonly options: object
	readonly adapter: Adapter
	/** The configuration's route at `/PATH`. */
	route(path: string, more?: object): object
	/** Configures an upstream that speaks this format. */
	readonly upstream: { readonly adapter: string; readonly options?: object }
	/** The event of a user who says so, as the platform can tell it. */
	event(text: string, more?: object): CanonicalEvent
	call(path: string, event: CanonicalEvent): Outgoing
	/** The messages of an answer, as JSON, as the platform reads them. Throws a GatewayError when it is not of its format. */
	shows(event: CanonicalEvent, answer: WireResponse): string
	/** What came, as the platform reads it; a sentence in brackets when it is what no platform may get. */
	hear(event: CanonicalEvent, answer: WireResponse): Heard
	/** Milliseconds until the platform stops waiting; ten seconds where that is not known. */
	readonly deadline: number
	/** It reads no answer. */
	readonly oneWay: boolean
}

/** What a user is told by a route that has words for a failure. */
const apology = 'Please try again.'

/** Heard by whoever was given the answer of another turn. */
const mixedUp: Heard = "[another turn's answer]"

/** How many turns heard the answer of another. */
export function countMixedUp(heard: readonly Heard[]): number {
	return heard.filter((one) => one === mixedUp).length
}

/** Failure replies of a route that has words of its own. */
export const failure = { failure: { messages: [{ type: 'text', text: apology }] } }

const usualDeadline = 10_000

/** The options with which a platform tells what its user says, where it does not by itself. */
const variants: readonly (readonly [name: string, platform: string, options?: object])[] = [
	['canonical', 'canonical'],
	['chatbot-v1', 'chatbot-v1'],
	['chatbot-v2', 'chatbot-v2', { text: 'question' }],
	['botdistrikt', 'botdistrikt'],
	['snatchbot-json-api', 'snatchbot-json-api'],
	['snatchbot-webhook', 'snatchbot-webhook'],
	['pingstreams', 'pingstreams'],
	['tiledesk-server', 'pingstreams', { dialect: 'server' }],
	['tiledesk-external', 'pingstreams', { dialect: 'external' }],
	['tiledesk-subscription', 'pingstreams', { dialect: 'subscription' }],
]

/** Every platform, in every dialect. */
export const speakers: readonly Speaker[] = variants.map(([name, platform, options]): Speaker => {
	const factory = adapters.find((each) => each.name === platform)
	if (!factory) throw new Error(`there is no adapter ${platform}`)
	const adapter = factory.create(options)
	const said = (text: string, more: object = {}): CanonicalEvent => {
		const whole: CanonicalEvent = { kind: 'message', text, attributes: {}, ...more }
		return fitEvent(whole, adapter.event, { turnId: 'turn', receivedAt: '2026-01-01T00:00:00.000Z' }).value
	}
	const shows = (event: CanonicalEvent, answer: WireResponse): string =>
		JSON.stringify(adapter.reply(event)?.decode(answer).model.messages ?? [])
	return {
		...{ name, platform, adapter, options: options ?? {} },
		shows,
		route: (path, more = {}) => ({ name: path, path: `/${path}`, platform, ...(options && { options }), ...more }),
		upstream: { adapter: platform, ...(options && { options }) },
		event: said,
		call(path, event) {
			const { method = 'POST', headers = [], body, path: target } = asSent(`/${path}`, adapter.event.encode(event))
			return { method, path: target, headers: headers.flat(), ...(body && { body: String(body) }) }
		},
		hear(event, answer) {
			if (answer.body.includes(excerpt)) return '[words of what is no reply]'
			const foreign = answer.body.match(noncePattern)?.find((nonce) => nonce !== event.text)
			if (foreign !== undefined) return mixedUp
			if (answer.status < 200 || answer.status > 299) return problemOf(answer)
			if (!adapter.reply(event)) return answer.body === '' ? 'accepted' : '[an answer that nobody reads]'
			try {
				return wordsOf(shows(event, answer), event)
			} catch (thrown) {
				return `[not of the format: ${thrown instanceof GatewayError ? thrown.code : thrown}]`
			}
		},
		deadline: adapter.deadline ?? usualDeadline,
		oneWay: adapter.reply(said('Hi')) === undefined,
	}
})

/** The platform of that name. */
export function speaker(name: string): Speaker {
	const found = speakers.find((each) => each.name === name)
	if (!found) throw new Error(`there is no ${name}`)
	return found
}

/** Those whose users get an answer. */
export const answered = speakers.filter(({ oneWay }) => !oneWay)

function wordsOf(messages: string, { text = '' }: CanonicalEvent): Heard {
	if (messages.includes(`${text} whole`)) return 'reply'
	if (messages.includes(text)) return '[a part of a reply]'
	return messages.includes(apology) ? 'apology' : 'silence'
}

function problemOf({ status, headers, body }: WireResponse): Heard {
	const type = headers.find(([name]) => name === 'content-type')?.[1] ?? 'no type'
	if (!type.includes('json')) return `[${status}, untyped: ${type}]`
	try {
		const { title } = JSON.parse(body)
		return Object.hasOwn(errors, title) ? title : `[${status} with an error that is none]`
	} catch {
		return `[${status}, untyped]`
	}
}

/** What came with the answer of a load, as the platform reads it. */
export function heardOf(speaker: Speaker, event: CanonicalEvent, { status, headers, body }: LoadAnswer): Heard {
	return speaker.hear(event, { status, headers: [...headers], body })
}

/** What a turn came to. */
export interface Took {
	readonly heard: Heard
	/** Milliseconds from the call to the last byte of its answer. */
	readonly ms: number
	readonly answer: WireResponse
}

/** Takes turns with a gateway. */
export interface Caller {
	take(speaker: Speaker, path: string, event: CanonicalEvent): Promise<Took>
}

/** Milliseconds after which a turn counts as hung. */
const patience = 25_000

/** A caller with as many connections as it needs, which end with the row. */
export function callerOf(trial: Trial, url: string): Caller {
	const pool = new Pool(url, { pipelining: 1, headersTimeout: 0, bodyTimeout: 0, allowH2: false })
	trial.after(() => pool.destroy())
	return {
		async take(speaker, path, event) {
			const { method = 'POST', headers = [], body = null, path: target } = speaker.call(path, event)
			const limit = new AbortController()
			const timer = setTimeout(() => limit.abort(), patience)
			const from = performance.now()
			try {
				const got = await pool.request({ method, path: target, headers: [...headers], body, signal: limit.signal })
				const text = await got.body.text()
				const fields = Object.entries(got.headers).map(([name, value]) => [name, String(value)] as const)
				const answer: WireResponse = { status: got.statusCode, headers: fields, body: text }
				return { heard: speaker.hear(event, answer), ms: performance.now() - from, answer }
			} catch (thrown) {
				const heard = limit.signal.aborted ? '[hung]' : `[no answer: ${codeOf(thrown)}]`
				return { heard, ms: performance.now() - from, answer: { status: 0, headers: [], body: '' } }
			} finally {
				clearTimeout(timer)
			}
		},
	}
}

function codeOf(thrown: unknown): string {
	return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : String(thrown)
}

/** Does so many things, so many at a time, and gives back what came of them in their order. */
export async function each<T>(count: number, atOnce: number, act: (n: number) => Promise<T>): Promise<T[]> {
	const results: T[] = []
	let next = 0
	const worker = async (): Promise<void> => {
		while (next < count) {
			const n = next++
			results[n] = await act(n)
		}
	}
	await Promise.all(Array.from({ length: Math.min(atOnce, count) }, worker))
	return results
}

/** A nonce for each turn of a row. */
export function nonces(seed: number): () => string {
	let n = 0
	return () => `nonce-${seed}-${++n}`
}

/** How often each was heard, the most frequent first: `12 reply, 3 upstream-timeout`. */
export function tally(heard: readonly Heard[]): string {
	const counts = new Map<string, number>()
	for (const one of heard) counts.set(one, (counts.get(one) ?? 0) + 1)
	const sorted = [...counts].toSorted(([, a], [, b]) => b - a)
	return sorted.map(([one, count]) => `${count} ${one}`).join(', ')
}

/** A sentence for whatever was heard that may not be: nothing when all was as it should. */
export function unexpected(heard: readonly Heard[], expected: readonly Heard[]): string[] {
	const wrong = heard.filter((one) => !expected.includes(one))
	return wrong.length === 0 ? [] : [`${wrong.length} of ${heard.length} turns heard ${tally(wrong)}`]
}
