/** SnatchBot's webhook under the laws and its fixtures; the limits are those of the platform's one sample. */
import { expect, test } from 'vitest'
import { GatewayError } from '../../src/errors.ts'
import { testAdapter } from '../../test/adapter.ts'
import { snatchbotWebhook } from './index.ts'
import { limits } from './limits.ts'

testAdapter(snatchbotWebhook, { fixtures: new URL('./fixtures/', import.meta.url), limits })

const adapter = snatchbotWebhook.create()

test('the platform reads no answer', () => {
	expect(adapter.reply({ kind: 'notice', attributes: {} })).toBeUndefined()
})

test('a call without a notice is a set-up check, with any method', () => {
	const check = { query: [], headers: [], body: '' }
	for (const method of ['GET', 'HEAD', 'POST']) {
		expect(adapter.challenge?.({ ...check, method })).toEqual({ status: 200, headers: [], body: '' })
	}
	expect(adapter.challenge?.({ ...check, method: 'POST', body: '{"data":"\\"hi\\""}' })).toBeUndefined()
})

test.each([
	['upstream-timeout', 503],
	['upstream-unreachable', 503],
	['internal', 503],
	['body-not-json', 400],
	['content-type-not-supported', 415],
] as const)('%s is answered as %i', (code, status) => {
	const answer = adapter.failure?.(undefined, new GatewayError(code))
	expect(answer?.status).toBe(status)
	expect(JSON.parse(answer?.body ?? '')).toMatchObject({ title: code, status })
})
