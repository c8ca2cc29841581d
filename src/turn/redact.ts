/** Removes secrets from what is shown or passed on: by their values where known, else by the names that platforms give them. */
import { bodyAsJson, type Fields, isForm, readForm, type WireRequest } from '../format/index.ts'
import type { Json } from '../model/index.ts'

// `x-hook-secret`, `decodedCustomJWT`, `Authorization` …
const secretName = /token|secret|password|passwd|auth|cookie|jwt|key$|credential|bearer|^sig|signature|^pin$/i

const redacted = '[redacted]'

/** The value with every secret replaced, at every depth. */
function redact(value: Json, isSecret: (text: string) => boolean): Json {
	if (typeof value === 'string') return isSecret(value) ? redacted : value
	if (Array.isArray(value)) return value.map((item) => redact(item, isSecret))
	if (typeof value !== 'object' || value === null) return value
	return Object.fromEntries(
		Object.entries(value).map(([name, member]) => [
			isSecret(name) ? redacted : name,
			secretName.test(name) ? redacted : redact(member, isSecret),
		]),
	)
}

function redactFields(fields: Fields, isSecret: (text: string) => boolean): Json {
	return fields.map(([name, value]) => [
		isSecret(name) ? redacted : name,
		secretName.test(name) || isSecret(value) ? redacted : value,
	])
}

/** A call as data: method, query, and the body if it is JSON or a form. Without headers, and without any text that contains one of these secrets. */
export function redactCall(call: WireRequest, secrets: readonly string[]): Json {
	const isSecret = (text: string) => secrets.some((secret) => text.includes(secret))
	return { method: call.method, query: redactFields(call.query, isSecret), body: redactBody(call, isSecret) }
}

function redactBody(call: WireRequest, isSecret: (text: string) => boolean): Json {
	try {
		return redact(isForm(call) ? readForm(call) : bodyAsJson(call), isSecret)
	} catch {
		return redacted
	}
}
