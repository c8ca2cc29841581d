/** What /readyz says while the store of the outbox, or that of the state, cannot be used. */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, onTestFinished, test } from 'vitest'
import { canonical } from '../../adapters/canonical/index.ts'
import { startPostgres } from '../harness/postgres.ts'
import { call, gateway, oneWay, testScope, upstream } from '../servers.ts'
import { has } from '../tools.ts'
import { folder } from './parts.ts'

/** A gateway with an outbox, and what it says of itself when it is asked. */
async function gatewayWith(more: object, env: { readonly [name: string]: string } = {}) {
	const { url: to } = await upstream()
	const routes = [{ name: 'in', path: '/in', platform: 'one-way' }]
	const { url } = await gateway({ upstream: { url: to }, routes, ...more }, [canonical, oneWay], env)
	const ready = async () => (await fetch(`${url}/readyz`)).status
	const tell = async () => (await call(`${url}/in`)).status
	return { ready, tell }
}

/** Long enough for five seconds to pass, and for a machine that is busy. */
const patient = { timeout: 30_000, interval: 100 }

test('a gateway whose file is locked by another program is not ready until it is free again', async () => {
	const file = join(folder(), 'outbox.db')
	const { ready, tell } = await gatewayWith({ outbox: { file } })
	expect([await ready(), await tell()]).toEqual([200, 200])
	const other = new DatabaseSync(file)
	onTestFinished(() => other.close())
	other.exec('BEGIN IMMEDIATE')
	const refused = tell()
	await expect.poll(ready, patient).toBe(503)
	expect(await refused).toBe(503)
	other.exec('ROLLBACK')
	await expect.poll(ready, patient).toBe(200)
	expect(await tell()).toBe(200)
}, 90_000)

test.skipIf(!has('postgres'))(
	'a gateway without its database is not ready, also if nobody calls it; one without its state is ready',
	async () => {
		const server = await startPostgres(testScope)
		const env = { DATABASE_URL: await server.database() }
		const postgres = { env: 'DATABASE_URL', migrate: true }
		const storing = await gatewayWith({ outbox: { postgres } }, env)
		const remembering = await gatewayWith({ state: { postgres } }, env)
		expect([await storing.ready(), await remembering.ready()]).toEqual([200, 200])
		await server.stop('kill')
		await expect.poll(storing.ready, patient).toBe(503)
		expect([await remembering.ready(), await remembering.tell(), await storing.tell()]).toEqual([200, 200, 503])
		await server.start()
		await expect.poll(storing.ready, patient).toBe(200)
		expect(await storing.tell()).toBe(200)
	},
	90_000,
)
