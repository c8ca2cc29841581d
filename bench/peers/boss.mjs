/** pg-boss does what a shared outbox does: accepts batches, and hands them out in the order of their keys. Prints JSON. */
import { PgBoss } from 'pg-boss'

const [connectionString, count, batch, keys, bytes] = process.argv.slice(2)
const boss = new PgBoss({ connectionString, supervise: false, schedule: false })
await boss.start()
await boss.createQueue('events', { policy: 'key_strict_fifo' })

const text = 'x'.repeat(Number(bytes))
const acceptedFrom = performance.now()
const startup = process.cpuUsage()
for (let from = 0; from < count; from += Number(batch)) {
	const jobs = Array.from({ length: Number(batch) }, (_, i) => {
		return { singletonKey: `c${(from + i) % keys}`, data: { n: from + i, text } }
	})
	await boss.insert('events', jobs)
}
const drainedFrom = performance.now()
let [drained, wrong] = [0, 0]
const last = new Map()
while (drained < count) {
	const jobs = await boss.fetch('events', { batchSize: Number(batch) })
	for (const { data } of jobs) {
		const key = data.n % keys
		if (data.n < (last.get(key) ?? -1)) wrong++
		last.set(key, data.n)
	}
	await boss.complete(
		'events',
		jobs.map(({ id }) => id),
	)
	drained += jobs.length
}
const { user, system } = process.cpuUsage(startup)
const end = performance.now()
console.log(
	JSON.stringify({ accept: drainedFrom - acceptedFrom, drain: end - drainedFrom, wrong, cpu: (user + system) / 1000 }),
)
await boss.stop({ graceful: false })
process.exit()
