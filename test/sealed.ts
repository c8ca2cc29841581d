/** A text that other software of JOSE encrypted, for each runtime to read, and what both runtimes must do alike. */
import { CompactEncrypt, compactDecrypt } from 'jose'
import { expect, test } from 'vitest'
import { decryptCompact, encryptCompact, type Primitives } from '../src/turn/compact-jwe.ts'

const key = Uint8Array.from({ length: 32 }, (_, i) => i)
const other = Uint8Array.from({ length: 32 }, (_, i) => i + 1)
const text = 'Grüße 🎈'
const sealed =
	'eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIiwia2lkIjoiODlkNDNiODkifQ..tu0BXGFMSgHDC6-H.1EXFM4PenPHabv4w.59Zel0DyWbcIY-k5AOX3wA'

/** Registers the tests of one runtime's cipher. */
export function sealsAlike(primitives: Primitives): void {
	test('what another implementation encrypted long ago is read', async () => {
		expect(await decryptCompact(sealed, [other, key], primitives)).toBe(text)
		expect(await decryptCompact(sealed, [other], primitives)).toBeUndefined()
		expect(await decryptCompact(sealed, [], primitives)).toBeUndefined()
	})

	test.each(['', 'a', 'ab', 'abc', text, 'x'.repeat(3000)])(
		'another implementation reads, and writes, %j',
		async (plain) => {
			const token = await encryptCompact(plain, key, primitives)
			const { plaintext, protectedHeader } = await compactDecrypt(token, key)
			expect(new TextDecoder().decode(plaintext)).toBe(plain)
			expect(await decryptCompact(token, [key], primitives)).toBe(plain)
			const again = await new CompactEncrypt(plaintext).setProtectedHeader({ ...protectedHeader }).encrypt(key)
			expect(await decryptCompact(again, [key], primitives)).toBe(plain)
		},
	)

	test('a changed part, and a part of another token, are refused', async () => {
		const [header = '', , ...parts] = sealed.split('.')
		const another = (await encryptCompact(text, key, primitives)).split('.').slice(2)
		for (const [i, part] of parts.entries()) {
			for (const changed of [
				another[i] ?? '',
				part.slice(1),
				`${part}A`,
				`${part.slice(1)}_`,
				'',
				`${part}=`,
				`${part} `,
			]) {
				const token = [header, '', ...parts.with(i, changed)].join('.')
				expect(await decryptCompact(token, [key], primitives), token).toBeUndefined()
			}
		}
	})
}
