/** What SnatchBot sends to its webhook, from its only sample. Kept apart from the adapter, which is tested against it. */
import * as v from 'valibot'

// https://support.snatchbot.me/reference/webhooks
const quoted = v.pipe(
	v.string(),
	v.regex(/^".*"$/s),
	v.check((text) => typeof JSON.parse(text) === 'string', 'is a string as JSON'),
)

/** The bodies of a call and, where it is read, of an answer. */
export const limits = {
	event: v.looseObject({
		time: v.pipe(v.string(), v.regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)'$/)),
		data: quoted,
		ip: v.union([v.literal(''), v.pipe(v.string(), v.regex(/^[\da-f.:]+$/i))]),
	}),
}
