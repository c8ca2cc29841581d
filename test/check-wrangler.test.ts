/** What the build refuses in a wrangler.toml. */
import { expect, test } from 'vitest'
import { checkWrangler, wranglerToml } from '../scripts/check-wrangler.ts'

test('our wrangler.toml passes', () => {
	expect(checkWrangler(wranglerToml())).toEqual([])
})

test.each([
	['a queue without a dead-letter queue', /dead_letter_queue = .*\n/, '', 'queues.consumers[0].dead_letter_queue'],
	['one with an empty name', /(?<=dead_letter_queue = )".*"/, '""', 'queues.consumers[0].dead_letter_queue'],
	[
		'a queue that is its own',
		/(?<=dead_letter_queue = )".*"/,
		'"dragoman-events"',
		'queues.consumers[0].dead_letter_queue',
	],
	['fewer retries than the schedule has', 'max_retries = 7', 'max_retries = 3', 'queues.consumers[0].max_retries'],
	['no number of retries', /max_retries = .*\n/, '', 'queues.consumers[0].max_retries'],
	[
		'a queue of dead letters that the Worker does not send to',
		/(?<="DEAD_EVENTS"\nqueue = )".*"/,
		'"other"',
		'dead_letter_queue',
	],
	['a queue that nobody consumes', 'queue = "dragoman-events"', 'queue = "other"', 'queues.producers[0]'],
	[
		'Node, switched on',
		/^main/m,
		'compatibility_flags = ["nodejs_compat"]\nmain',
		'compatibility_flags: nodejs_compat',
	],
	['metrics', 'send_metrics = false', '', 'send_metrics'],
	[
		'the same in a named environment',
		/$/,
		'\n[[env.staging.queues.consumers]]\nqueue = "staging"\nmax_retries = 7\n',
		'env.staging.queues.consumers[0].dead_letter_queue',
	],
])('%s is refused', (_what, part, instead, at) => {
	const toml = wranglerToml().replace(part, instead)
	expect(toml).not.toBe(wranglerToml())
	const mistakes = checkWrangler(toml)
	expect(mistakes).toHaveLength(1)
	expect(mistakes[0]).toContain(at)
})
