/** Texts that other software encrypted, for each runtime to read, and what both runtimes must do alike. */
import { expect, test } from 'vitest'
import { decryptCompact, encryptCompact } from '../src/compact-jwe.ts'
import type { Crypto } from '../src/format/index.ts'

const key = Uint8Array.from({ length: 32 }, (_, i) => i)
const other = Uint8Array.from({ length: 32 }, (_, i) => i + 1)
const text = 'Grüße 🎈'
const header = 'eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIiwia2lkIjoiODlkNDNiODkifQ'
const sealed = `${header}..rv_wevdbBosmdeYi.EB2e-kinqzfGtegw.09Efz6cTspV6g_5Am6xzrg`

/** Each text as node:crypto encrypted it with the key: OpenSSL's AES-256-GCM, with the header as additional data. */
const byOpenSsl = [
	['', 'H1A0txeyWu14igjB..CxWEFq4M1GEj7UKGZC-MAg'],
	['a', 'xKTJjEwDSa6SFkLd.1A.-VOyGSPO9nzDG41j9B5tSA'],
	['ab', '0JQx2GQURqz_yfqu.Xs8.spYKQ0Wlh1Lcp6AqdmISjw'],
	['abc', 's8rvx5BoF1W1ZtjE.vRjP.yMm4QDBwKGrhS9WxlnlFBA'],
	[text, 'rv_wevdbBosmdeYi.EB2e-kinqzfGtegw.09Efz6cTspV6g_5Am6xzrg'],
] as const

/** Registers the tests of one runtime. */
export function sealsAlike(crypto: Crypto): void {
	test.each(byOpenSsl)('another implementation wrote %j: it is read', async (plain, parts) => {
		const token = `${header}..${parts}`
		expect(await decryptCompact(token, [other, key], crypto)).toBe(plain)
		expect(await decryptCompact(token, [other], crypto)).toBeUndefined()
		expect(await decryptCompact(token, [], crypto)).toBeUndefined()
	})

	test.each(['', 'a', 'ab', 'abc', text, 'x'.repeat(3000)])('what is encrypted is read again: %j', async (plain) => {
		const token = await encryptCompact(plain, key, crypto)
		expect(token.startsWith(`${header}..`)).toBe(true)
		expect(await decryptCompact(token, [key], crypto)).toBe(plain)
	})

	test('a changed part, and a part of another token, are refused', async () => {
		const [, , ...parts] = sealed.split('.')
		const another = (await encryptCompact(text, key, crypto)).split('.').slice(2)
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
				expect(await decryptCompact(token, [key], crypto), token).toBeUndefined()
			}
		}
	})
}
