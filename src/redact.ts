/** Takes secrets out of what is shown or passed on: by the names that platforms give them. */
import type { Json } from './canonical.ts'
import type { Fields, WireRequest } from './codec.ts'

// `chatbot_jwt_token`, `x-hook-secret`, `decodedCustomJWT`, `Authorization` …
const secretName = /token|secret|password|passwd|authorization|cookie|jwt|api[-_]?key|credential/i

const redacted = '[redacted]'

/** The value with every member whose name speaks of a secret replaced, at every depth. */
function redact(value: Json): Json {
	if (Array.isArray(value)) return value.map(redact)
	if (typeof value !== 'object' || value === null) return value
	return Object.fromEntries(
		Object.entries(value).map(([name, member]) => [name, secretName.test(name) ? redacted : redact(member)]),
	)
}

function redactFields(fields: Fields): Json {
	return fields.map(([name, value]) => [name, secretName.test(name) ? redacted : value])
}

/** A call as data for the upstream: the query and the body, parsed where it is JSON; no headers. */
export function redactCall(call: WireRequest): Json {
	let body: Json
	try {
		body = redact(JSON.parse(call.body))
	} catch {
		body = redacted
	}
	return { method: call.method, query: redactFields(call.query), body }
}
