/** The ids of turns on Node. */
import { afterAll, expect, test, vi } from 'vitest'
import { createRuntime } from '../../src/node/node-runtime.ts'

const runtime = createRuntime(() => {})
afterAll(() => runtime.close())

test('an id is a UUID of version 7 that begins with the time', () => {
	vi.setSystemTime('2026-01-01T00:00:00.000Z')
	expect(runtime.newId()).toMatch(/^turn_019b76da-a800-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/)
	const before = runtime.newId()
	vi.setSystemTime('2026-01-01T00:00:00.001Z')
	expect(runtime.newId() > before).toBe(true)
	vi.useRealTimers()
})

test('ids of one moment are different, and all but their time is random', () => {
	vi.setSystemTime('2026-01-01T00:00:00.000Z')
	const parts = Array.from({ length: 1000 }, () => runtime.newId().split('-').slice(2))
	vi.useRealTimers()
	expect(new Set(parts.map(([short]) => short)).size).toBeGreaterThan(500)
	expect(new Set(parts.map(([, , long]) => long)).size).toBe(1000)
})
