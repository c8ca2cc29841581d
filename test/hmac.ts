/** What both runtimes must sign alike. */
import { expect, test } from 'vitest'
import type { Crypto } from '../src/format/index.ts'

const text = 'what do ya want for nothing?'

/** Registers the tests for the cryptography of a runtime. */
export function signAlike({ hmac }: Pick<Crypto, 'hmac'>): void {
	const key = Uint8Array.from(new TextEncoder().encode('Jefe'))

	// RFC 4231, section 4.3.
	test.each([[[text]], [['', text]], [['what do ya ', 'want', ' for nothing?']], [[...text]]])(
		'%j is signed as the text that it is together',
		async (texts) => {
			expect(await hmac(key, ...texts)).toBe('W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=')
		},
	)

	test('text is signed as UTF-8', async () => {
		// By Python's hmac.
		expect(await hmac(key, 'Grüße ', '🎈')).toBe('wvIXfEDma3c+0InrJMm1NrmDXeEB43HgURnZDW6Xi6c=')
	})
}
