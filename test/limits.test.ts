/** The table of limits, and the page that is generated from it. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { readLimitWords } from '../scripts/limit-words.ts'
import { errors } from '../src/errors.ts'
import { type GatewayLimit, limits } from '../src/limits.ts'

const all = Object.entries<GatewayLimit>(limits)
const words = readLimitWords()

describe('the table of limits', () => {
	test.each(all)('%s is a whole number with a unit, a reason and a consequence', (name, limit) => {
		expect(Number.isSafeInteger(limit.value) && limit.value > 0).toBe(true)
		const { of = '', reason = '', beyond } = words.get(name) ?? {}
		for (const each of [of, limit.unit, reason]) expect(each).not.toBe('')
		if (limit.code !== undefined) expect(errors).toHaveProperty([limit.code])
		expect(beyond ?? '').toMatch(limit.code === undefined ? /\.$/ : /^$/)
	})

	test('the page names every limit with its value', () => {
		const page = readFileSync(new URL('../docs/limits.md', import.meta.url), 'utf8')
		for (const [name, { value, unit }] of all)
			expect(page).toContain(`| ${words.get(name)?.of} | ${value.toLocaleString('en')} ${unit} |`)
	})
})
