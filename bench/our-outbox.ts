/** Our outbox in PostgreSQL does what `peers/boss.mjs` does, with the same arguments. Prints JSON. */
import { readOutbox } from '../src/config/index.ts'
import { openPostgresStore } from '../src/node/outbox/postgres/store.ts'

const [url = '', ...numbers] = process.argv.slice(2)
const [count = 0, batch = 0, keys = 0, bytes = 0] = numbers.map(Number)
const settings = readOutbox({ outbox: { postgres: { env: 'URL', migrate: true } } }, { URL: url })
if (!settings || !('postgres' in settings)) throw new Error('it is in a database')
const store = await openPostgresStore(settings)

const text = 'x'.repeat(bytes)
const acceptedFrom = performance.now()
const startup = process.cpuUsage()
for (let from = 0; from < count; from += batch) {
	const entries = Array.from({ length: batch }, (_, i) => {
		const n = from + i
		const rows = [{ id: `e${n}`, payload: JSON.stringify({ n, text }) }]
		return { route: 'in', conversation: `c${n % keys}`, rows }
	})
	await store.commit({ now: Date.now(), entries, outcomes: [], room: {} })
}
const drainedFrom = performance.now()
let [drained, wrong] = [0, 0]
let ended: string[] = []
const last = new Map<number, number>()
while (drained < count) {
	const outcomes = ended.map((id) => ({ id, result: 'delivered' }) as const)
	const { claimed } = await store.commit({ now: Date.now(), entries: [], outcomes, room: { in: batch } })
	drained += ended.length
	ended = claimed.map(({ id }) => id)
	for (const { payload = '' } of claimed) {
		const { n } = JSON.parse(payload)
		if (n < (last.get(n % keys) ?? -1)) wrong++
		last.set(n % keys, n)
	}
}
const { user, system } = process.cpuUsage(startup)
const end = performance.now()
console.log(
	JSON.stringify({ accept: drainedFrom - acceptedFrom, drain: end - drainedFrom, wrong, cpu: (user + system) / 1000 }),
)
await store.close()
