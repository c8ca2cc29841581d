/** A program that claims what is due in the outbox of the database in DATABASE_URL, prints the ids, and never ends by itself. */
import { setTimeout as wait } from 'node:timers/promises'
import { readOutbox } from '../../src/config/index.ts'
import { openPostgresStore } from '../../src/node/outbox/postgres/store.ts'

const settings = readOutbox({ outbox: { postgres: { env: 'DATABASE_URL' } } }, process.env)
if (!settings || !('postgres' in settings)) throw new Error('it is in a database')
const store = await openPostgresStore(settings)
const { claimed } = await store.commit({ now: Date.now(), entries: [], outcomes: [], room: { in: 1000 } })
process.stdout.write(`${claimed.map(({ id }) => id).join()}\n`)
await wait(600_000)
