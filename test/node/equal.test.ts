/** Secrets are compared by Node's own comparison, which takes the same time whatever they have in common. */
import * as nodeCrypto from 'node:crypto'
import { afterEach, expect, onTestFinished, test, vi } from 'vitest'
import { adapters } from '../../adapters/index.ts'
import { createRuntime } from '../../src/node/node-runtime.ts'
import { answered } from '../harness/platforms.ts'
import { gateway } from '../servers.ts'

vi.mock('node:crypto', async (original) => {
	const actual = await original<typeof nodeCrypto>()
	return { ...actual, timingSafeEqual: vi.fn(actual.timingSafeEqual) }
})

const compared = vi.mocked(nodeCrypto.timingSafeEqual)
const secret = 'Zr8k-3f0Qm2yW7tXa1Lc'

afterEach(() => void compared.mockClear())

const pairs: readonly (readonly [string, string])[] = [
	[secret, secret],
	[secret, `Y${secret.slice(1)}`],
	[secret, `${secret.slice(0, -1)}b`],
	[secret, secret.slice(0, -1)],
	[secret, secret.slice(0, 8)],
	[secret, `${secret}\0`],
	[secret, ''],
	['', ''],
	['é', 'e\u0301'],
	[secret, 'x'.repeat(100_000)],
	['€'.repeat(170), '€'.repeat(170)],
	['€'.repeat(170), `${'€'.repeat(169)}x`],
	['€'.repeat(171), '€'.repeat(171)],
	['€'.repeat(171), '€'.repeat(170)],
]

test.each(pairs)('%j and %j are compared once, as bytes of one length', async (a, b) => {
	const { crypto, close } = createRuntime(() => {})
	onTestFinished(() => close())
	expect(crypto.equal(a, b)).toBe(a === b)
	expect(compared).toHaveBeenCalledOnce()
	const [one, two] = compared.mock.calls[0] ?? []
	// A block for both, or the digests of texts too long for one.
	const length = Math.max(a.length, b.length) > 170 ? 32 : 512
	expect([one?.byteLength, two?.byteLength]).toEqual([length, length])
	expect(compared.mock.results[0]?.value).toBe(a === b)
})

test('nothing else decides', async () => {
	const { crypto, close } = createRuntime(() => {})
	onTestFinished(() => close())
	compared.mockReturnValueOnce(true)
	expect(crypto.equal(secret, 'another')).toBe(true)
	compared.mockReturnValueOnce(false)
	expect(crypto.equal(secret, secret)).toBe(false)
})

test.each(answered.map((platform) => [platform.name, platform] as const))(
	'%s: every secret of the route is compared with what a call proves',
	async (_, platform) => {
		const env = { FIRST: secret, SECOND: `${secret}-2`, THIRD: 'a third secret of it' }
		const secrets = Object.keys(env).map((name) => ({ env: name }))
		const { send } = await gateway(
			{ upstream: { url: 'builtin:demo' }, routes: [platform.route({ secrets })] },
			adapters,
			env,
		)
		for (const [given, status] of [
			[env.FIRST, 200],
			[env.THIRD, 200],
			[env.FIRST.slice(0, 8), 404],
			['Y', 404],
		] as const) {
			const call = await platform.prove(given)
			compared.mockClear()
			expect((await send(call)).status).toBe(status)
			expect(compared.mock.calls.length).toBeGreaterThanOrEqual(secrets.length * (platform.adapter.auth ? 2 : 1))
		}
	},
)
