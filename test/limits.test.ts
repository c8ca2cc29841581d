/** The table of limits, and the page that is generated from it. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { errors } from '../src/errors.ts'
import { type GatewayLimit, limits } from '../src/limits.ts'

const all = Object.entries<GatewayLimit>(limits)

describe('the table of limits', () => {
	test.each(all)('%s is a whole number with a unit, a reason and a consequence', (_, limit) => {
		expect(Number.isSafeInteger(limit.value) && limit.value > 0).toBe(true)
		for (const words of [limit.of, limit.unit, limit.reason]) expect(words).not.toBe('')
		if ('code' in limit.beyond) expect(errors).toHaveProperty([limit.beyond.code])
		else expect(limit.beyond.effect).toMatch(/\.$/)
	})

	test('the page names every limit with its value', () => {
		const page = readFileSync(new URL('../docs/limits.md', import.meta.url), 'utf8')
		for (const [, { of, value, unit }] of all)
			expect(page).toContain(`| ${of} | ${value.toLocaleString('en')} ${unit} |`)
	})
})
