/** Reads secrets and keys from environment variables; no other file reads them. */
import type { ConfigIssues, Path } from './issues.ts'
import type { Secret } from './schema.ts'

/** Environment variables by name. */
export type Environment = { readonly [name: string]: string | undefined }

/** Characters below which a secret can be guessed. */
const minLength = 16

/** The value of a secret. If it cannot be used, adds an error and returns undefined. */
export function readSecret(
	{ env: name }: Secret,
	at: Path,
	env: Environment,
	issues: ConfigIssues,
): string | undefined {
	const value = Object.hasOwn(env, name) ? env[name] : undefined
	const here = [...at, 'env']
	if (value === undefined)
		return issues.unsetVariable(
			here,
			describeUnset(name, '; put the secret in an environment variable and its name here'),
		)
	if (value === '') return issues.error(here, 'the variable is empty')
	// A line break from the end of a file would make every comparison fail.
	if (value !== value.trim()) return issues.error(here, 'the variable has leading or trailing white space')
	return value
}

/** Says that a variable is not set. Where its name does not look like one, `advice` follows, and the name is not repeated. */
export function describeUnset(name: string, advice = ''): string {
	// The configuration may hold the secret itself by mistake.
	if (/^[A-Z][A-Z\d]{0,14}(?:_[A-Z\d]{1,15})*$/.test(name)) return `the environment variable ${name} is not set`
	return `no environment variable has this name${advice}`
}

/** The usable values of a list of secrets. Adds an error for each of the others, and a warning for each short one. */
export function readSecrets(list: readonly Secret[], at: Path, env: Environment, issues: ConfigIssues): string[] {
	return list.flatMap((secret, i) => {
		const value = readSecret(secret, [...at, i], env, issues)
		if (value === undefined) return []
		if (value.length < minLength) issues.warning([...at, i, 'env'], `the secret has fewer than ${minLength} characters`)
		return [value]
	})
}

const keyForm = /^whsec_((?:[A-Za-z\d+/]{4})*(?:[A-Za-z\d+/]{2}==|[A-Za-z\d+/]{3}=)?)$/

/** A signing key in the notation of Standard Webhooks, as bytes. If it is invalid, adds an error and returns undefined. */
export function readSigningKey(
	secret: Secret,
	at: Path,
	env: Environment,
	issues: ConfigIssues,
): Uint8Array<ArrayBuffer> | undefined {
	const value = readSecret(secret, at, env, issues)
	if (value === undefined) return undefined
	const base64 = keyForm.exec(value)?.[1]
	const key = base64 === undefined ? undefined : Uint8Array.from(atob(base64), (char) => char.charCodeAt(0))
	if (key && key.length >= 24 && key.length <= 64) return key
	return issues.error([...at, 'env'], 'the variable must hold "whsec_" and 24 to 64 bytes in base64')
}

const base64Of32 = /^[A-Za-z\d+/]{43}=$/

/** A key of 32 bytes, in base64, as bytes. If it is invalid, adds an error and returns undefined. */
export function readEncryptionKey(
	secret: Secret,
	at: Path,
	env: Environment,
	issues: ConfigIssues,
): Uint8Array<ArrayBuffer> | undefined {
	const value = readSecret(secret, at, env, issues)
	if (value === undefined) return undefined
	if (base64Of32.test(value)) return Uint8Array.from(atob(value), (char) => char.charCodeAt(0))
	return issues.error([...at, 'env'], `the environment variable ${secret.env} must hold 32 bytes in base64`)
}

/** The valid ones of a list of such keys. Adds an error for each of the others. */
export function readEncryptionKeys(
	list: readonly Secret[],
	at: Path,
	env: Environment,
	issues: ConfigIssues,
): Uint8Array<ArrayBuffer>[] {
	return list.flatMap((secret, i) => readEncryptionKey(secret, [...at, i], env, issues) ?? [])
}
