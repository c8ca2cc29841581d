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
]

test.each(pairs)('%j and %j are compared once, as bytes of one length', async (a, b) => {
	expect(await webCrypto.equal(a, b)).toBe(a === b)
	expect(compared).toHaveBeenCalledOnce()
	expect(compared.mock.calls[0]?.map(({ byteLength }) => byteLength)).toEqual([32, 32])
})

test('nothing else decides', async () => {
	compared.mockReturnValueOnce(true)
	expect(await webCrypto.equal(secret, 'another')).toBe(true)
	compared.mockReturnValueOnce(false)
	expect(await webCrypto.equal(secret, secret)).toBe(false)
})
