/** Takes secrets and keys from the environment: the only place where their values are seen. */
import type { ConfigIssues, Path } from './issues.ts'
import type { Secret } from './schema.ts'

/** The environment's variables by name. */
export type Environment = { readonly [name: string]: string | undefined }

/** Characters under which a secret can be guessed or found by trying. */
const shortest = 16

/** The value of a secret; undefined when it cannot be used, which is then a mistake. */
export function secretOf(
	{ env: name }: Secret,
	at: Path,
	env: Environment,
	findings: ConfigIssues,
): string | undefined {
	const value = Object.hasOwn(env, name) ? env[name] : undefined
	const here = [...at, 'env']
	if (value === undefined) return findings.issue(here, absent(name))
	if (value === '') return findings.issue(here, 'the variable is empty')
	// A line's end that came in with a file would never be matched.
	if (value !== value.trim()) return findings.issue(here, 'the variable has leading or trailing white space')
	return value
}

// Somebody may have written the secret itself there: only what looks like a name, and not like a secret, is repeated.
function absent(name: string): string {
	if (/^[A-Z][A-Z\d]{0,14}(?:_[A-Z\d]{1,15})*$/.test(name)) return `the environment variable ${name} is not set`
	return 'no environment variable has this name; put the secret in an environment variable and its name here'
}

/** The values of a list of secrets, as far as they can be used. */
export function secretsOf(list: readonly Secret[], at: Path, env: Environment, findings: ConfigIssues): string[] {
	return list.flatMap((secret, i) => {
		const value = secretOf(secret, [...at, i], env, findings)
		if (value === undefined) return []
		if (value.length < shortest) findings.warning([...at, i, 'env'], `the secret has fewer than ${shortest} characters`)
		return [value]
	})
}

const keyForm = /^whsec_((?:[A-Za-z\d+/]{4})*(?:[A-Za-z\d+/]{2}==|[A-Za-z\d+/]{3}=)?)$/

/** A key as Standard Webhooks writes it, as bytes. */
export function signingKeyOf(
	secret: Secret,
	at: Path,
	env: Environment,
	findings: ConfigIssues,
): Uint8Array<ArrayBuffer> | undefined {
	const value = secretOf(secret, at, env, findings)
	if (value === undefined) return undefined
	const base64 = keyForm.exec(value)?.[1]
	const key = base64 === undefined ? undefined : Uint8Array.from(atob(base64), (char) => char.charCodeAt(0))
	if (key && key.length >= 24 && key.length <= 64) return key
	return findings.issue([...at, 'env'], 'the variable must hold "whsec_" and 24 to 64 bytes in base64')
}
