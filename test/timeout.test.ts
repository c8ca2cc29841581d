/** Time limits of promises. */
import { expect, onTestFinished, test } from 'vitest'
import { timedOut, withTimeout } from '../src/timeout.ts'

test('a limit that has passed already ends the wait at once, and Node warns of nothing', async () => {
	const warnings: Error[] = []
	const hear = (warning: Error) => warnings.push(warning)
	process.on('warning', hear)
	onTestFinished(() => void process.off('warning', hear))
	expect(await withTimeout(-1.5, new Promise(() => {}))).toBe(timedOut)
	expect(warnings).toEqual([])
})
