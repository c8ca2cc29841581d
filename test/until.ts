/** Waits for what comes by itself, for those who have no test to fail. */
import { setTimeout as wait } from 'node:timers/promises'

/** Whether it came within these milliseconds. */
export async function until(came: () => boolean | Promise<boolean>, milliseconds = 30_000): Promise<boolean> {
	const end = performance.now() + milliseconds
	while (!(await came())) {
		if (performance.now() > end) return false
		await wait(5)
	}
	return true
}
