/** Offers the names and values that a schema allows at the cursor, each with what is expected there. */
import type { CompletionContext, CompletionResult, CompletionSource } from '@codemirror/autocomplete'
import type * as v from 'valibot'
import { allowedAt } from '../../schema/index.ts'
import { pathAt } from './json-places.ts'

/** Completes by a schema. */
export function completeFrom(schema: v.GenericSchema): CompletionSource {
	return (context: CompletionContext): CompletionResult | null => {
		const { state, pos } = context
		const word = context.matchBefore(/"[^"\n]*|[\w-]+/)
		if (!word && !context.explicit) return null
		const { path, inName } = pathAt(state, pos)
		const allowed = allowedAt(schema, path, parsed(state.doc.toString()))
		const isOpen = word?.text.startsWith('"') ?? false
		// The editor has put the closing quote there already.
		const close = state.sliceDoc(pos, pos + 1) === '"' ? '' : '"'
		const options = (inName ? allowed.names : allowed.values).map(({ text, expected }) => ({
			label: text,
			apply: isOpen ? text + close : `"${text}"`,
			...(expected !== undefined && { detail: expected }),
		}))
		return options.length === 0 ? null : { from: word ? word.from + Number(isOpen) : pos, options }
	}
}

/** The document, if it is JSON: only that says which of several shapes is meant. */
function parsed(text: string): unknown {
	try {
		return JSON.parse(text)
	} catch {
		return undefined
	}
}
