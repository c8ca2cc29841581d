/** In what a webhook differs from the settings that it should have. Secrets are compared, and never shown. */
import type { Webhook, WebhookSettings } from '../../../adapters/chatbot/management/index.ts'
import { type Mask, redacted } from './masked.ts'

/** One setting that differs: absent on the side that does not have it. */
export interface Change {
	/** `name`, `url`, `token`, `headers.<name>` or `auth`. */
	readonly field: string
	readonly from?: string
	readonly to?: string
}

/** Every setting that differs, ready to be shown. `found` is undefined for a webhook that does not exist. */
export function differenceOf(found: Webhook | undefined, desired: WebhookSettings, mask: Mask): Change[] {
	const has = fieldsOf(found ?? {})
	const wants = fieldsOf(desired)
	return [...new Set([...has.keys(), ...wants.keys()])].flatMap((field) => {
		const [from, to] = [has.get(field), wants.get(field)]
		if (from?.value === to?.value) return []
		return [{ field: mask(field), ...(from && { from: shown(from, mask) }), ...(to && { to: shown(to, mask) }) }]
	})
}

interface Field {
	readonly value: string
	readonly secret: boolean
}

function fieldsOf({ name, url, token, headers = {}, auth }: Partial<WebhookSettings>): Map<string, Field> {
	const open = { name, url }
	const secret = {
		token,
		// Names of headers have no case.
		...Object.fromEntries(Object.entries(headers).map(([each, value]) => [`headers.${each.toLowerCase()}`, value])),
		auth: auth && JSON.stringify([auth.username, auth.password]),
	}
	return new Map([...present(open, false), ...present(secret, true)])
}

function present(values: { readonly [field: string]: string | undefined }, secret: boolean): [string, Field][] {
	return Object.entries(values).flatMap(([field, value]) => (value === undefined ? [] : [[field, { value, secret }]]))
}

function shown({ value, secret }: Field, mask: Mask): string {
	return secret ? redacted : mask(value)
}

/** A change as a line: `~ url: https://a -> https://b`. */
export function describeChange({ field, from, to }: Change): string {
	if (from === undefined) return `+ ${field}: ${to}`
	if (to === undefined) return `- ${field}: ${from}`
	return from === redacted && to === redacted ? `~ ${field}: another value` : `~ ${field}: ${from} -> ${to}`
}
