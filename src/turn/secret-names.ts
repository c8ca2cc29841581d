/** Tells by the name of a field whether its value is likely a secret. */

/** Words that make a secret of a name wherever they are in it: `x-auth-scheme`, `token_type`. */
const anywhere: ReadonlySet<string> = new Set([
	...['secret', 'secrets', 'token', 'tokens', 'password', 'passwords', 'passwd', 'pwd', 'passphrase', 'passcode'],
	...['passkey', 'otp', 'totp', 'auth', 'oauth', 'authorization', 'authorisation', 'authentication', 'authenticate'],
	...['cookie', 'cookies', 'jwt', 'jwts', 'bearer', 'credential', 'credentials', 'creds'],
])

/** Words that do so only at the end, where a name says what its value is: `apiKey`, but not `signature_dish`. */
const atTheEnd: ReadonlySet<string> = new Set(['key', 'keys', 'pass', 'pin', 'sig', 'signature', 'signatures'])

// Words written without a gap: `accesstoken`, `userpwd`, `passwordhash`.
const compound = /(?:token|secret|pwd|cookie|jwt|credential)s?$|password|passwd|passphrase/

// Across words, because `APIkey` has a gap at no place that tells.
const compoundKey =
	/(?:api|app|auth|access|client|consumer|private|secret|server|service|session|shared|signing|hook|encryption|master|license|licence)keys?$/

// `camelCase`, `HTTPHeader`, `snake_case`, `kebab-case`; digits belong to no word.
const word = /\p{Lu}+(?!\p{Ll})|\p{Lu}?\p{Ll}+|\p{Lo}+/gu

/**
 * Whether a name suggests that its value is a secret: `authToken`, `x-api-key`, `apiKey1`, `PASSWORD`, `pwd`. Whole words
 * count, so `author`, `monkey` and `compass` do not.
 */
export function suggestsSecret(name: string): boolean {
	const words = name.match(word)?.map((each) => each.toLowerCase()) ?? []
	const last = words.at(-1)
	if (last === undefined) return false
	// A version says nothing about the value: `signature-v1`.
	const noun = last === 'v' ? words.at(-2) : last
	return (
		words.some((each) => anywhere.has(each) || compound.test(each)) ||
		(noun !== undefined && atTheEnd.has(noun)) ||
		compoundKey.test(words.join(''))
	)
}
