/** Reads what the user wrote with the gateway's own validation, and words all mistakes. */
import { canonical } from '../../../adapters/canonical/index.ts'
import { GatewayError } from '../../errors.ts'
import type { CanonicalReply } from '../../model/index.ts'
import { decodePostedReply } from '../../turn/index.ts'

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

function written<Value>(read: () => Value): Written<Value> {
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
			path: field,
			words: missing ? `missing: ${expected}` : `expected ${expected}`,
		}))
		return { mistakes: moreMistakes > 0 ? [...worded, { path: '', words: `and ${moreMistakes} more` }] : worded }
	}
}
