/** The options of Pingstreams. */
import * as v from 'valibot'
import { Dialect } from './dialect.ts'
import { markupOf } from './markup.ts'

const markup = new RegExp(markupOf('runtime'), 'mu')
const Words = v.pipe(
	v.string(),
	v.regex(/\S/u, 'must not be blank'),
	v.check((text) => !markup.test(text), 'must be without markup'),
)

/** The base of an API: what a call's path is put behind. */
const ApiBase = v.pipe(
	v.string(),
	v.check(isBase, 'must be an absolute http or https URL without credentials, query and fragment'),
)

function isBase(text: string): boolean {
	const url = URL.parse(text)
	return url !== null && /^https?:$/.test(url.protocol) && !/[@?#\s]/.test(text)
}

export const Options = v.strictObject({
	/** The dialect in which an upstream is called; on a route, the dialect of events that name none. */
	dialect: v.optional(Dialect, 'runtime'),
	/** How a call proves its origin: a secret in the path, the signature of its token, or a subscription's header. */
	proof: v.optional(v.picklist(['path', 'token', 'hook-secret']), 'path'),
	/** The words of a picture, a file or a carousel that has none: the platform shows nothing without words. */
	caption: v.optional(Words, '…'),
	/** What the older engine says when a reply says nothing. Absent: the static reply. */
	silence: v.optional(Words),
	/** The base URL of the platform's API, such as `https://api.pingstreams.com/v3`. Absent: nothing is pushed. */
	api: v.optional(ApiBase),
})
export type Options = v.InferOutput<typeof Options>
