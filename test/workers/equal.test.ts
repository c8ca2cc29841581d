/** Secrets are compared by workerd's own comparison, which takes the same time whatever they have in common. */
import { afterEach, expect, test, vi } from 'vitest'
import { webCrypto } from '../../src/worker/web-crypto.ts'

const compared = vi.spyOn(crypto.subtle, 'timingSafeEqual')
const secret = 'Zr8k-3f0Qm2yW7tXa1Lc'

afterEach(() => void compared.mockClear())

const pairs: readonly (readonly [string, string])[] = [
	[secret, secret],
	[secret, `Y${secret.slice(1)}`],
	[secret, secret.slice(0, -1)],
	[secret, secret.slice(0, 8)],
	[secret, `${secret}\0`],
	[secret, ''],
	['', ''],
	[secret, 'x'.repeat(100_000)],
	['€'.repeat(400), '€'.repeat(400)],
	['€'.repeat(400), `${'€'.repeat(399)}x`],
]

test.each(pairs)('%j and %j are compared once, as bytes of one length', async (a, b) => {
	expect(webCrypto.equal(a, b)).toBe(a === b)
	expect(compared).toHaveBeenCalledOnce()
	// Blocks of 512 bytes, as many as the longer text may take.
	const length = Math.ceil((Math.max(a.length, b.length) * 3 + 4) / 512) * 512
	expect(compared.mock.calls[0]?.map(({ byteLength }) => byteLength)).toEqual([length, length])
})

test('nothing else decides', async () => {
	compared.mockReturnValueOnce(true)
	expect(webCrypto.equal(secret, 'another')).toBe(true)
	compared.mockReturnValueOnce(false)
	expect(webCrypto.equal(secret, secret)).toBe(false)
})
