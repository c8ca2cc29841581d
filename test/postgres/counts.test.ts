/** The count of the events in PostgreSQL, after a failover. */
import { expect, test } from 'vitest'
import { createPostgresCounter } from '../../src/node/outbox/postgres/counts.ts'
import { migrate } from '../../src/node/postgres/migrations.ts'
import { startNetwork } from '../harness/network.ts'
import { changeSetting, startPostgres } from '../harness/postgres.ts'
import { testScope } from '../servers.ts'
import { has } from '../tools.ts'

test.skipIf(!has('postgres'))(
	'after a failover that leaves connections to the old primary, the events of the new one are counted',
	async () => {
		const [old, next] = await Promise.all([startPostgres(testScope), startPostgres(testScope)])
		const url = await old.database()
		const nextUrl = await next.database()
		for (const each of [url, nextUrl]) await migrate({ url: each, migrate: false })
		const insert = `INSERT INTO dragoman.events (id, route, head, payload) VALUES ('e', 'of the new one', true, '')`
		await next.query(insert, nextUrl)
		const address = await startNetwork(testScope, old.port)
		const counter = createPostgresCounter({ url: url.replace(`:${old.port}/`, `:${address.port}/`), migrate: false })
		testScope.after(counter.close)
		expect((await counter.count()).events).toEqual([])
		await changeSetting(old, 'default_transaction_read_only = on')
		await expect(counter.count()).rejects.toThrow('is read-only')
		address.leadTo(next.port)
		expect((await counter.count()).events).toMatchObject([{ route: 'of the new one', state: 'waiting', count: 1 }])
	},
	60_000,
)
