/** Reads what the user wrote with the gateway's own validation, and words all mistakes. */

import * as v from 'valibot'
import { canonical } from '../../../adapters/canonical/index.ts'
import { GatewayError } from '../../errors.ts'
import { type Adapter, readJson, validate } from '../../format/index.ts'
import type { CanonicalEvent, CanonicalReply } from '../../model/index.ts'
import { decodeEvent, decodePostedReply } from '../../turn/index.ts'

/** A mistake, at the path of a field; empty for the whole document. */
export interface WrittenMistake {
	readonly path: string
	readonly words: string
	/** The text is no JSON, so that there are no paths. */
	readonly isSyntax?: true
}

/** A value, or what is wrong with it. */
export type Written<Value> = { readonly value: Value } | { readonly mistakes: readonly WrittenMistake[] }

const own = canonical.create()
const headers = [['content-type', 'application/json']] as const

/** The reply in a text, as a backend would answer it. */
export function readReply(text: string): Written<CanonicalReply> {
	const leg = own.reply({ kind: 'message', attributes: {} })
	if (!leg) throw new Error('The format of the gateway reads no answer.')
	return written(() => decodePostedReply(leg, { status: 200, headers, body: text }).model)
}

/** The event in a text. */
export function readEvent(text: string): Written<CanonicalEvent> {
	const body = `{"event":${text}\n}`
	const call = { method: 'POST', query: [], headers, body }
	return written(
		() => decodeEvent(own, call).model,
		(field) => field.replace(/^event\.?/, ''),
	)
}

const Pairs = v.array(v.strictTuple([v.string(), v.string()]))

/** A call as it is written by hand: the body as `json`, or as text. */
const CallDocument = v.strictObject({
	method: v.optional(v.string()),
	query: v.optional(Pairs),
	headers: v.optional(Pairs),
	json: v.optional(v.unknown()),
	body: v.optional(v.string()),
})
export type CallDocument = v.InferOutput<typeof CallDocument>

/** The event in a platform's call. */
export function readCall(text: string, adapter: Adapter): Written<CanonicalEvent> {
	const document = written(() => validate(CallDocument, readJson(text)).wire)
	if ('mistakes' in document) return document
	const { method = 'POST', query = [], json, body, headers: given } = document.value
	const call = {
		method,
		query,
		headers: given ?? (json === undefined ? [] : headers),
		body: json === undefined ? (body ?? '') : JSON.stringify(json),
	}
	return written(
		() => decodeEvent(adapter, call).model,
		(field) => (json === undefined ? field : `json.${field}`),
	)
}

function written<Value>(read: () => Value, placed: (field: string) => string = (field) => field): Written<Value> {
	try {
		return { value: read() }
	} catch (thrown) {
		if (!(thrown instanceof GatewayError)) throw thrown
		const { code, context, message } = thrown
		if (code === 'body-not-json') return { mistakes: [{ path: '', words: 'not JSON from here on', isSyntax: true }] }
		const { field, expected, mistakes, moreMistakes = 0 } = context
		if (field === undefined) return { mistakes: [{ path: '', words: message }] }
		const all = mistakes ?? [{ field, expected, ...(code === 'field-missing' && { missing: true }) }]
		const worded = all.map(({ field, missing, expected = message }) => ({
			path: placed(field),
			words: missing ? `missing: ${expected}` : `expected ${expected}`,
		}))
		return { mistakes: moreMistakes > 0 ? [...worded, { path: '', words: `and ${moreMistakes} more` }] : worded }
	}
}
