/** The order of a conversation, in whichever store: random histories of events, failures and processes. */
import fc from 'fast-check'
import { describe, test } from 'vitest'
import { has } from '../tools.ts'
import { histories, liveThrough } from './order-histories.ts'
import { settingsOf, storeOf } from './parts.ts'
import { freshSettings, opened, serverOfFile } from './postgres-rig.ts'

const runs = process.env.FULL ? 1000 : 40
const limit = process.env.FULL ? 300_000 : 60_000

test.each(['block', 'overtake'] as const)(
	'in a file, %s: an event is delivered only when it may be, and every event is delivered',
	async (order) => {
		const live = fc.asyncProperty(histories, async (steps) => {
			const settings = settingsOf({ order, concurrency: 1000 })
			await liveThrough(steps, () => storeOf(settings), order)
		})
		await fc.assert(live, { numRuns: runs })
	},
	limit,
)

describe.skipIf(!has('postgres'))('on a server', () => {
	const server = serverOfFile()
	test.each(['block', 'overtake'] as const)(
		'in PostgreSQL, %s: an event is delivered only when it may be, and every event is delivered',
		async (order) => {
			const settings = await freshSettings(server(), { order, concurrency: 1000 })
			const live = fc.asyncProperty(histories, async (steps) => {
				await server().query('TRUNCATE dragoman.events', settings.postgres.url)
				await liveThrough(steps, () => opened(settings), order)
			})
			await fc.assert(live, { numRuns: runs / 4 })
		},
		limit,
	)
})
