/** The cryptography that a runtime provides to adapters. */

/** Cryptographic functions that each runtime implements. Strings are encoded as UTF-8. */
export interface Crypto {
	/** Whether two strings are equal, compared in a time that does not depend on what they have in common. */
	equal(a: string, b: string): boolean
	/** The HMAC-SHA256 of a text, in base64. Several texts count as one; joining them first would copy the longest. */
	hmac(key: Uint8Array<ArrayBuffer>, ...texts: readonly string[]): Promise<string>
	/** The SHA-256 hash of a text, in lower-case hexadecimal. */
	sha256(text: string): Promise<string>
}
