/** Two gateways on one PostgreSQL, as in the README: one of them is killed, and nothing is lost. */
import { expect, test } from 'vitest'
import { conversing, own } from '../harness/platforms.ts'
import { startPostgres } from '../harness/postgres.ts'
import type { Received } from '../harness/upstream.ts'
import { json, says, start, testScope, upstream } from '../servers.ts'
import { has } from '../tools.ts'

const when = test.skipIf(!has('postgres'))
const database = { postgres: { env: 'DATABASE_URL', migrate: true } }
const eventOf = ({ body }: Received) => JSON.parse(body).event

/** Two processes with the same configuration, and the same database. */
async function twoNodes(url: string) {
	const env = { DATABASE_URL: await (await startPostgres(testScope)).database() }
	const routes = [conversing.route(), own.route()]
	const config = { outbox: database, state: database, upstream: { url, timeout: 60_000 }, routes }
	return [await start(config, { env }), await start(config, { env })] as const
}

when(
	'what one had accepted when it was killed, the other delivers, in order',
	async () => {
		// The first call is never answered: the Node is killed with one event under way, and nine behind it.
		const backend = await upstream((_, { gone }) =>
			backend.calls.length === 1 ? gone.then(() => undefined) : json(says('Thanks')),
		)
		const [first, second] = await twoNodes(backend.url)
		const texts = Array.from({ length: 10 }, (_, i) => `event ${i}`)
		for (const text of texts) {
			const { status } = await first.send(conversing.call(conversing.event(text, { conversation: 'c1' })))
			expect(status).toBe(200)
		}
		await expect.poll(() => backend.calls.length).toBe(1)

		await first.end('SIGKILL')

		await expect.poll(() => backend.calls.length, { timeout: 20_000 }).toBe(11)
		expect(backend.calls.map((call) => eventOf(call).text)).toEqual(['event 0', ...texts])
		// The backend can tell that it has begun the first one before: its turn is the same.
		const [before, again] = backend.calls.map(({ body }) => JSON.parse(body).turn.id)
		expect(again).toBe(before)
		const delivered = () => second.lines.filter(({ msg }) => msg === 'delivery')
		await expect.poll(() => delivered().length).toBe(10)
	},
	60_000,
)

when(
	'a choice that one offered is understood by the other, which answers a repeated call with the same bytes',
	async () => {
		const tea = { type: 'choices', text: 'What do you drink?', choices: [{ title: 'Tea', value: 'x7' }] }
		const backend = await upstream(() => json({ messages: [tea] }))
		const [first, second] = await twoNodes(backend.url)
		const said = (text: string) => own.call(own.event(text, { id: text, conversation: 'c1' }))
		const offered = await first.send(said('Hello'))
		const repeated = await second.send(said('Hello'))
		expect([repeated.body, backend.calls.length]).toEqual([offered.body, 1])

		await second.send(said('Tea'))

		expect(backend.calls.map(eventOf).at(-1)).toMatchObject({ kind: 'choice', choice: { value: 'x7' } })
	},
	60_000,
)
