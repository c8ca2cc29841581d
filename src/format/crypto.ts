/** The cryptography that a runtime lends to adapters. */

/** Primitives that differ between runtimes; all of them on UTF-8. */
export interface Crypto {
	/** Whether two strings are the same, in a time that tells nothing of where they differ. */
	equal(a: string, b: string): Promise<boolean>
	/** HMAC-SHA256, in base64. */
	hmac(key: Uint8Array<ArrayBuffer>, text: string): Promise<string>
	/** SHA-256, in hexadecimal digits. */
	sha256(text: string): Promise<string>
}
