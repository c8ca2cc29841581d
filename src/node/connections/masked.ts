/** What the command prints of webhooks: everything but secrets, in lines that a terminal shows as they are. */
import type { ListedWebhook, Webhook } from '../../../adapters/chatbot/management/index.ts'

/** What is in the place of a secret. */
export const redacted = '[redacted]'

/** Makes text fit to be printed. */
export type Mask = (text: string) => string

/** Characters below which a secret is part of many words. */
const shortest = 4

/**
 * A mask that hides these secrets, credentials in URLs, and the values of queries, which often are secrets of webhooks that
 * we know nothing about.
 */
export function createMask(secrets: readonly (string | undefined)[]): Mask {
	const known = secrets
		.filter((secret) => secret !== undefined && secret.length >= shortest)
		.flatMap((secret) => [`${secret}`, encodeURIComponent(`${secret}`.toWellFormed())])
	return (text) => {
		const hidden = known.reduce((rest, secret) => rest.replaceAll(secret, redacted), text)
		return hidden
			.replace(/[\p{Cc}\p{Cf}]+/gu, ' ')
			.replace(/(:\/\/)[^/?#@\s]{1,512}@/g, `$1${redacted}@`)
			.replace(/([?&][^=?&#\s]{0,64}=)[^&#\s"']+/g, `$1${redacted}`)
	}
}

/** The secrets in a webhook's settings. */
export function secretsOf({ token, headers = {}, auth }: Partial<Webhook>): string[] {
	return [token, ...Object.values(headers), auth?.username, auth?.password].filter((secret) => secret !== undefined)
}

/** A listed webhook as JSON. */
export function maskSummary({ id, story, name, url, error, createdAt, updatedAt }: ListedWebhook, mask: Mask): object {
	return {
		id: mask(id),
		story: story && { id: mask(story.id), name: story.name === undefined ? undefined : mask(story.name) },
		name: mask(name),
		url: mask(url),
		error: error && { message: mask(error.message), at: error.at === undefined ? undefined : mask(error.at) },
		createdAt: createdAt === undefined ? undefined : mask(createdAt),
		updatedAt: updatedAt === undefined ? undefined : mask(updatedAt),
	}
}

/** A webhook with its settings as JSON. A setting that is there is named, and its value is not. */
export function maskWebhook({ token, headers, auth, ...summary }: Webhook, mask: Mask): object {
	return {
		...maskSummary(summary, mask),
		token: token === undefined ? undefined : redacted,
		headers: headers && Object.fromEntries(Object.keys(headers).map((name) => [mask(name), redacted])),
		auth: auth && { username: redacted, password: redacted },
	}
}

/** A listed webhook as one line. */
export function lineOf({ id, story, name, url, error }: ListedWebhook, mask: Mask): string {
	const parts = [id, name, url, story && `story ${story.name ?? story.id}`, error && `last error: ${error.message}`]
	return parts.flatMap((part) => (part ? [mask(part)] : [])).join('  ')
}

/** A webhook with its settings, a line each. */
export function linesOf(webhook: Webhook, mask: Mask): string[] {
	const { id, story, name, url, error, createdAt, updatedAt, token, headers = {}, auth } = webhook
	const fields: [name: string, value: string | undefined][] = [
		['id', id],
		['name', name],
		['url', url],
		['story', story && [story.name, story.id].filter((part) => part !== undefined).join(', ')],
		['token', token && redacted],
		...Object.keys(headers).map((header): [string, string] => [`header ${header}`, redacted]),
		['basic auth', auth && redacted],
		['last error', error && [error.message, error.at].filter((part) => part !== undefined).join(', ')],
		['created', createdAt],
		['updated', updatedAt],
	]
	return fields.flatMap(([field, value]) => (value ? [`${mask(field).padEnd(12)} ${mask(value)}`] : []))
}
