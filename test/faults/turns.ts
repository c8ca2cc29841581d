/** Turns on every platform: each has a nonce in its text, and its answer is read as the platform reads it. */

import { errors, GatewayError } from '../../src/errors.ts'
import type { WireResponse } from '../../src/format/index.ts'
import type { CanonicalEvent } from '../../src/model/index.ts'
import type { Gateway } from '../harness/gateway.ts'
import { type Answer, header, NoAnswer } from '../harness/http.ts'
import type { Platform } from '../harness/platforms.ts'
import type { Received } from '../harness/upstream.ts'
import type { Trial } from './row.ts'

/**
 * What the platform got: `reply`, `silence` (an empty reply), `apology`, `accepted`, the code of an error, or a sentence in
 * brackets about something that no platform may get.
 */
export type Heard = string

export interface Turn {
	readonly platform: Platform
	readonly event: CanonicalEvent
	/** The user’s text. */
	readonly text: string
	readonly heard: Heard
	/** Status 0: no answer. */
	readonly answer: WireResponse
	/** Milliseconds from the call to the last byte of its answer. */
	readonly ms: number
}

/** Takes a turn on a platform, at its own path by default. What the user writes is a new nonce by default. */
export type Take = (platform: Platform, path?: string, about?: Partial<CanonicalEvent>) => Promise<Turn>

/** Takes turns with a gateway. */
export function turnsWith(trial: Trial, gateway: Gateway): Take {
	return async (platform, path, { text = trial.nonce(), ...more } = {}) => {
		const event = platform.event(text, more)
		const turn = { platform, event, text }
		const from = performance.now()
		try {
			const answer = await gateway.send(platform.call(event, path && `/${path}`))
			return { ...turn, heard: hear(platform, event, answer), answer, ms: performance.now() - from }
		} catch (thrown) {
			if (!(thrown instanceof NoAnswer)) throw thrown
			const answer = { status: 0, headers: [], body: '' }
			return { ...turn, heard: `[no answer: ${thrown.code}]`, answer, ms: performance.now() - from }
		}
	}
}

/** Text in invalid bodies: no answer and no log line may contain it. Short, because parsers quote little. */
export const excerpt = 'qxzq'

/** Makes the nonces of a seed. */
export function nonces(seed: number): () => string {
	let n = 0
	return () => `nonce-${seed}-${++n}`
}

const noncePattern = /nonce-\d+-\d+/g

/** The nonces in a text, in their order. */
export function noncesIn(text: string): string[] {
	return text.match(noncePattern) ?? []
}

/** The nonce of the turn that a call to the upstream belongs to, wherever its format has it; empty when there is none. */
export function nonceOf({ body }: Pick<Received, 'body'>): string {
	return noncesIn(body)[0] ?? ''
}

const apology = 'Please try again.'

/** A failure reply for a route. */
export const apologising = { failure: { messages: [{ type: 'text', text: apology }] } }

/** The result of a turn that got the answer of another turn. */
export const mixedUp: Heard = "[another turn's answer]"

/** The result of an answer, as the platform reads it. */
export function hear({ adapter, messagesOf }: Platform, event: CanonicalEvent, answer: WireResponse): Heard {
	const { text = '' } = event
	if (answer.body.includes(excerpt)) return '[words of what is no reply]'
	if (noncesIn(answer.body).some((nonce) => nonce !== text)) return mixedUp
	if (answer.status < 200 || answer.status > 299) return problemOf(answer)
	if (!adapter.reply(event)) return answer.body === '' ? 'accepted' : '[an answer that is not read]'
	try {
		const messages = messagesOf(event, answer)
		if (messages.includes(`${text} whole`)) return 'reply'
		if (messages.includes(text)) return '[a part of a reply]'
		return messages.includes(apology) ? 'apology' : 'silence'
	} catch (thrown) {
		return `[not of the format: ${thrown instanceof GatewayError ? thrown.code : thrown}]`
	}
}

function problemOf(answer: WireResponse): Heard {
	const type = header(answer, 'content-type') ?? 'no type'
	if (!type.includes('json')) return `[${answer.status}, untyped: ${type}]`
	return codeOf(answer) ?? `[${answer.status} with an error that is none]`
}

/** The error code in an answer; undefined if it is not an error of the gateway. */
export function codeOf({ body }: Pick<WireResponse, 'body'>): string | undefined {
	try {
		const { title } = JSON.parse(body)
		return Object.hasOwn(errors, title) ? title : undefined
	} catch {
		return undefined
	}
}

/** Milliseconds of the slowest of these. */
export function slowest(some: readonly Pick<Answer, 'ms'>[]): number {
	return Math.max(...some.map(({ ms }) => ms))
}

/** A sentence about turns with an unexpected result; none if all results were expected. */
export function unexpected(turns: readonly Pick<Turn, 'heard'>[], expected: readonly Heard[]): string[] {
	const wrong = turns.filter(({ heard }) => !expected.includes(heard))
	return wrong.length === 0 ? [] : [`${wrong.length} of ${turns.length} turns got ${heardOf(wrong)}`]
}

/** How often each result occurred, the most frequent first: `12 reply, 3 upstream-timeout`. */
export function heardOf(turns: readonly Pick<Turn, 'heard'>[]): string {
	return tally(turns.map(({ heard }) => heard))
}

/** How often each value occurs, the most frequent first. */
export function tally(values: readonly string[]): string {
	const sorted = [...countEach(values)].toSorted(([, a], [, b]) => b - a)
	return sorted.map(([value, count]) => `${count} ${value}`).join(', ')
}

/** How often each value occurs. */
export function countEach<T>(values: Iterable<T>): Map<T, number> {
	const counts = new Map<T, number>()
	for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
	return counts
}

/** Runs a number of tasks with limited concurrency, and returns their results in order. */
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

/** The n-th item, starting over at the end of the list. */
export function nth<T>(some: readonly T[], n: number): T {
	const found = some[n % some.length]
	if (found === undefined) throw new Error('there is nothing to choose from')
	return found
}
