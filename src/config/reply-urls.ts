/** Resolves the part of the configuration that says how URLs for replies are made. */
import type { ReplyUrlSettings, Route } from '../route.ts'
import { durationOf } from './duration.ts'
import type { ConfigIssues, Path } from './issues.ts'
import * as schema from './schema.ts'
import { type Environment, readEncryptionKeys } from './secrets.ts'

const minute = 60_000

/** As long as an accepted event may wait by default: the URL in an event that is delivered late can still be used. */
const defaultExpiry = 3 * 24 * 60 * minute

/** The settings. If they cannot be used, adds an error for everything that is wrong and returns undefined. */
export function resolveReplyUrl(
	value: unknown,
	at: Path,
	env: Environment,
	issues: ConfigIssues,
): ReplyUrlSettings | undefined {
	const object = issues.object(value, at)
	if (!object) return undefined
	const { keys: named = [], expiry: given } = issues.members(schema.ReplyUrl, object, at)
	const expiry = durationOf(given, defaultExpiry)
	if (expiry < minute) issues.error([...at, 'expiry'], 'must be at least 1m')
	const [first, ...others] = readEncryptionKeys(named, [...at, 'keys'], env, issues)
	return first && { keys: [first, ...others], expiry }
}

/** A public URL, without a slash at its end. If it is invalid, adds an error and returns undefined. */
export function readPublicUrl(text: string, at: Path, issues: ConfigIssues): string | undefined {
	const url = URL.parse(text)
	if (!url || !/^https?:$/.test(url.protocol)) return issues.error(at, 'must be an absolute http or https URL')
	if (url.username !== '' || url.password !== '') return issues.error(at, 'must not contain a user name or password')
	if (url.search !== '' || url.hash !== '') return issues.error(at, 'must not contain a query or a fragment')
	return `${url.origin}${url.pathname.replace(/\/$/, '')}`
}

/** Adds a warning if a backend could send replies by itself, or is meant to, and is not told where to. */
export function warnOfMissingUrls(
	routes: readonly Route[],
	replyUrl: ReplyUrlSettings | undefined,
	issues: ConfigIssues,
): void {
	const told = routes.filter(({ upstream }) => upstream.adapter.event.describesTurn)
	const without = replyUrl
		? told.filter(({ publicUrl }) => publicUrl === undefined)
		: told.filter(({ platforms }) => platforms.some(({ adapter }) => adapter.push))
	if (without.length === 0) return
	const names = without.map(({ name }) => name).join(', ')
	const missing = replyUrl ? 'publicUrl' : 'replyUrl'
	issues.warning([missing], `is not set, so events of these routes have no turn.replyUrl: ${names}`)
}
