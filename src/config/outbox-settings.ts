/** Makes the outbox of the configuration into the settings that a runtime opens one with. */
import type { ConfigIssues, Path } from './issues.ts'
import * as schema from './schema.ts'
import { type Environment, secretOf } from './secrets.ts'

/** How accepted events are stored and delivered. Durations are milliseconds. */
export interface OutboxSettings {
	/** As it stands in the configuration: relative to where the gateway was started. */
	readonly file: string
	/** Of 32 bytes each; the first seals, each of them opens. None: events are stored as they are. */
	readonly keys: readonly Uint8Array<ArrayBuffer>[]
	/** Of the file, its log apart. */
	readonly maxBytes: number
	/** The wait before each attempt, the first one included. */
	readonly schedule: readonly number[]
	/** An attempt that fails when the event is older than this was the last one. */
	readonly expiry: number
	/** What a failing event means for the later ones of its conversation: they wait for it, or go before it. */
	readonly order: 'block' | 'overtake'
	/** Deliveries under way at once, for each route. */
	readonly concurrency: number
	readonly retention: {
		/** How long a delivered event is kept. 0: it is deleted in the moment it is delivered. */
		readonly delivered: number
		readonly dead: number
		/** Of delivered and dead events together; beyond, the oldest go, delivered ones first. */
		readonly maxBytes: number
	}
}

const defaults = {
	maxBytes: 1024 * 1024 * 1024,
	schedule: ['0s', '5s', '5m', '30m', '2h', '5h', '10h', '10h'],
	expiry: '3d',
	concurrency: 16,
	delivered: '0s',
	dead: '30d',
}

/** Undefined when it cannot be used; what is wrong with it are mistakes. */
export function resolveOutbox(
	value: unknown,
	at: Path,
	env: Environment,
	findings: ConfigIssues,
): OutboxSettings | undefined {
	const object = findings.object(value, at)
	if (!object) return undefined
	const { file, key = [], maxBytes = defaults.maxBytes, ...given } = findings.members(schema.Outbox, object, at)
	const keys = 'env' in key ? [keyOf(key, [...at, 'key'], env, findings)] : keysOf(key, [...at, 'key'], env, findings)
	const { delivered = defaults.delivered, dead = defaults.dead, maxBytes: kept = maxBytes / 2 } = given.retention ?? {}
	if (kept > maxBytes / 2) findings.issue([...at, 'retention', 'maxBytes'], 'must be at most half of "maxBytes"')
	if (file === undefined) return undefined
	return {
		file,
		keys: keys.flatMap((each) => each ?? []),
		maxBytes,
		schedule: (given.schedule ?? defaults.schedule).map(milliseconds),
		expiry: milliseconds(given.expiry ?? defaults.expiry),
		order: given.order ?? 'block',
		concurrency: given.concurrency ?? defaults.concurrency,
		retention: { delivered: milliseconds(delivered), dead: milliseconds(dead), maxBytes: kept },
	}
}

const units: { readonly [unit: string]: number } = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

function milliseconds(duration: string): number {
	const [, count, unit = ''] = /^(\d+)(\D+)$/.exec(duration) ?? []
	return Number(count) * (units[unit] ?? Number.NaN)
}

function keysOf(list: readonly schema.Secret[], at: Path, env: Environment, findings: ConfigIssues) {
	return list.map((secret, i) => keyOf(secret, [...at, i], env, findings))
}

const base64Of32 = /^[A-Za-z\d+/]{43}=$/

function keyOf(
	secret: schema.Secret,
	at: Path,
	env: Environment,
	findings: ConfigIssues,
): Uint8Array<ArrayBuffer> | undefined {
	const value = secretOf(secret, at, env, findings)
	if (value === undefined) return undefined
	if (base64Of32.test(value)) return Uint8Array.from(atob(value), (char) => char.charCodeAt(0))
	return findings.issue([...at, 'env'], `the environment variable ${secret.env} must hold 32 bytes in base64`)
}
