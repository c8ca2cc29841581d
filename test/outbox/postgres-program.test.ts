/** The program with an outbox in PostgreSQL: its tables, what `check` says, and two processes of which one is killed. */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { programVersion } from '../../src/node/postgres/migrations.ts'
import { send } from '../harness/http.ts'
import { conversing } from '../harness/platforms.ts'
import { postgresPassword } from '../harness/postgres.ts'
import { pageAt } from '../pages.ts'
import { json, start, upstream } from '../servers.ts'
import { has } from '../tools.ts'
import { folder } from './parts.ts'
import { serverOfFile } from './postgres-rig.ts'

const main = fileURLToPath(new URL('../../src/node/main.ts', import.meta.url))
const rest = { upstream: { url: 'builtin:demo' }, routes: [{ name: 'own', path: '/own', platform: 'canonical' }] }
const outbox = { postgres: { env: 'DATABASE_URL' } }

/** The program as it is started with this configuration, until it ends by itself. */
function run(config: object, urls: string | { readonly [variable: string]: string }, ...args: string[]) {
	const given = typeof urls === 'string' ? { DATABASE_URL: urls } : urls
	const file = join(folder(), 'gateway.json')
	writeFileSync(file, JSON.stringify(config))
	const env = { PATH: process.env.PATH, PORT: '0', DRAGOMAN_CONFIG: file, NO_COLOR: '1', ...given }
	const options = { env, encoding: 'utf8', timeout: 30_000 } as const
	const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], options)
	expect(stdout + stderr).not.toContain(postgresPassword)
	return { status, stdout, stderr }
}

test('without PostgreSQL in the configuration its driver is not loaded', () => {
	const loaded = (outbox: object): boolean => {
		const file = join(folder(), 'gateway.json')
		writeFileSync(file, JSON.stringify({ ...rest, outbox }))
		const program = `
			import { registerHooks } from 'node:module'
			const load = (url, context, next) => {
				if (url.includes('/node_modules/pg/')) console.error('loaded')
				return next(url, context)
			}
			registerHooks({ load })
			process.argv = [process.argv[0], 'dragoman', 'check']
			await import(${JSON.stringify(main)})
		`
		const env = { PATH: process.env.PATH, DRAGOMAN_CONFIG: file, DATABASE_URL: 'postgresql://u:p@127.0.0.1:9/none' }
		const { stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { env, encoding: 'utf8' })
		return stderr.includes('loaded')
	}
	expect([loaded({ file: join(folder(), 'outbox.db') }), loaded(outbox)]).toEqual([false, true])
})

// Some tests start a program many times, on machines that do other things as well.
describe.skipIf(!has('postgres'))('on a server', { timeout: 120_000 }, () => {
	const server = serverOfFile()

	test('it starts when its tables are there, and says how to make them', async () => {
		const url = await server().database()
		const missing = run({ ...rest, outbox }, url)
		expect([missing.status, missing.stderr]).toEqual([
			69,
			expect.stringMatching(/no tables of Dragoman\. Run ".*migrate"/),
		])
		const before = run({ ...rest, outbox }, url, 'check')
		expect([before.status, before.stdout]).toEqual([
			69,
			expect.stringMatching(/failed +outbox in postgres at 127\.0\.0\.1:\d+\/\w+: .+ no tables of Dragoman/),
		])
		expect(run({ outbox }, url, 'outbox', 'migrate').stdout).toMatch(
			/^127\.0\.0\.1:\d+\/\w+: the tables had version 0, and now have version \d+\.\n$/,
		)
		const { pathname } = new URL(url)
		expect(JSON.parse(run({ outbox }, url, 'outbox', 'migrate', '--json').stdout)).toEqual([
			{ place: `127.0.0.1:${server().port}${pathname}`, from: programVersion, to: programVersion },
		])
		const { status, stdout } = run({ ...rest, outbox }, url, 'check')
		expect([status, stdout]).toEqual([
			0,
			expect.stringMatching(
				/outbox in postgres at 127\.0\.0\.1:\d+\/\w+: reached in \d+ ms, postgresql [\d.]+, tables of version \d/,
			),
		])
		const report = JSON.parse(run({ ...rest, outbox }, url, 'check', '--json').stdout)
		expect(report.database).toMatchObject({ version: report.database.programVersion })
		expect(run({ outbox }, url, 'outbox', 'list').stdout).toBe('no stored events\n')
		expect(run({ outbox: { file: 'x' } }, url, 'outbox', 'migrate').stderr).toContain(
			'neither "outbox" nor "state" has a "postgres"',
		)
		expect(run({ outbox }, url, 'outbox', 'migrate', '--all')).toMatchObject({ status: 2 })
		const gone = run({ ...rest, outbox }, url.replace(`:${server().port}`, ':9'))
		expect([gone.status, gone.stderr]).toEqual([69, expect.stringMatching(/cannot be reached: connect ECONNREFUSED/)])
	})

	test('of a configuration with two databases, both get their tables; with one for both, it once', async () => {
		const urls = { DATABASE_URL: await server().database(), STATE_URL: await server().database() }
		const state = { postgres: { env: 'STATE_URL' } }
		const had = /^\S+: the tables had version 0, and now have version \d+\.$/
		const without = run({ ...rest, state }, urls, 'check')
		expect([without.status, without.stdout]).toEqual([
			69,
			expect.stringMatching(/no tables of Dragoman\. Run ".+migrate"\)/),
		])
		expect(run({ state }, urls, 'outbox', 'migrate').stdout.trim()).toMatch(had)
		const ready = run({ ...rest, state }, urls, 'check')
		expect([ready.status, ready.stdout]).toEqual([
			0,
			expect.stringContaining(`, tables of version ${programVersion}\n`),
		])
		const [first, second, ...others] = run({ outbox, state }, urls, 'outbox', 'migrate').stdout.trim().split('\n')
		expect([first, second, others]).toEqual([
			expect.stringMatching(had),
			expect.stringContaining(`the tables have version ${programVersion}. There is nothing to do.`),
			[],
		])
		const shared = { DATABASE_URL: urls.DATABASE_URL, STATE_URL: urls.DATABASE_URL }
		expect(run({ outbox, state }, shared, 'outbox', 'migrate').stdout.trim().split('\n')).toHaveLength(1)
		// The start would make the tables, so that their absence is no failure.
		const fresh = { STATE_URL: await server().database() }
		const migrating = { postgres: { ...state.postgres, migrate: true } }
		const to = `tables of version 0, which the start brings to version ${programVersion}\n`
		expect(run({ ...rest, state: migrating }, fresh, 'check')).toMatchObject({
			status: 0,
			stdout: expect.stringContaining(to),
		})
		const next = programVersion + 1
		await server().query(
			`INSERT INTO dragoman.versions (version, name, compatible) VALUES (${next}, 'next', ${programVersion})`,
			urls.STATE_URL,
		)
		expect(run({ ...rest, state }, urls, 'check').stdout).toContain(
			`tables of version ${next}, with which this release (version ${programVersion}) works\n`,
		)
	})

	test('a gateway needs no more rights than the page grants, and an erasure says when it may not vacuum', async () => {
		const ownersDatabase = await server().database()
		const urls = ['owner', 'dragoman_gateway'].map((user) => ownersDatabase.replace('//postgres:', `//${user}:`))
		const [owner = '', gateway = ''] = urls
		const asSuperuser = (sql: string) => server().query(sql, ownersDatabase)
		const database = new URL(ownersDatabase).pathname.slice(1)
		for (const user of ['owner', 'dragoman_gateway']) {
			await asSuperuser(`CREATE ROLE ${user} LOGIN PASSWORD '${postgresPassword}'`)
		}
		await asSuperuser(`GRANT CREATE ON DATABASE ${database} TO owner`)
		const config = { ...rest, outbox, state: outbox }
		expect(run(config, owner, 'outbox', 'migrate').status).toBe(0)
		expect(run(config, gateway, 'check')).toMatchObject({ status: 69 })

		await asSuperuser(`SET ROLE owner; ${pageAt('docs/deploy-node.md').block('rights of a gateway')}`)
		expect(run(config, gateway, 'check')).toMatchObject({ status: 0 })
		await asSuperuser('SET ROLE owner; CREATE TABLE dragoman.of_the_next_release (id serial)')
		await asSuperuser('SET ROLE dragoman_gateway; INSERT INTO dragoman.of_the_next_release DEFAULT VALUES')
		for (const part of [0, 1, 2, 3]) {
			await asSuperuser(`SET ROLE dragoman_gateway; TRUNCATE dragoman.memories_${part}`)
		}
		await asSuperuser('REVOKE TRUNCATE ON ALL TABLES IN SCHEMA dragoman FROM dragoman_gateway')
		await asSuperuser('REVOKE INSERT ON dragoman.events FROM dragoman_gateway')
		await asSuperuser('REVOKE ALL ON SEQUENCE dragoman.places FROM dragoman_gateway')
		const lacks = 'The user dragoman_gateway of the PostgreSQL database lacks these rights, so grant them: '
		const partitions = [0, 1, 2, 3].map((part) => `TRUNCATE on dragoman.memories_${part}`).join('; ')
		const { status, stdout } = run(config, gateway, 'check')
		expect([status, stdout.split('\n').slice(-3)]).toEqual([
			69,
			[
				expect.stringMatching(`^failed +outbox in .+: ${lacks}INSERT on dragoman.events; USAGE on dragoman.places\\.$`),
				expect.stringMatching(`^failed +state in .+: ${lacks}${partitions}\\.$`),
				'',
			],
		])
		await asSuperuser(`SET ROLE owner; ${pageAt('docs/deploy-node.md').block('rights of a gateway')}`)
		const running = await start(
			{ ...config, routes: [...rest.routes, conversing.route()] },
			{ as: 'process', env: { DATABASE_URL: gateway } },
		)
		const told = await send(running.url, conversing.call(conversing.event('Hello', { conversation: 'c' })))
		expect(told.status).toBe(200)
		await running.end('SIGTERM')

		const erase = ['outbox', 'erase', '--conversation', 'c']
		expect(run(config, owner, ...erase).stdout).toBe('No such event.\n')
		await asSuperuser('REVOKE ALL ON dragoman.events FROM dragoman_gateway')
		await asSuperuser('GRANT SELECT, INSERT, UPDATE, DELETE ON dragoman.events TO dragoman_gateway')
		expect(run(config, gateway, ...erase).stdout).toMatch(/^The files of the table may still have deleted events \(/)
	})

	test('of two processes one is killed, and the other delivers what it had accepted, in order', async () => {
		const env = { DATABASE_URL: await server().database() }
		let up = false
		const backend = await upstream(() => json({ messages: [] }, up ? 200 : 503))
		const config = {
			outbox: {
				postgres: { ...outbox.postgres, migrate: true },
				schedule: ['0s', ...Array<string>(100).fill('300ms')],
			},
			upstream: { url: backend.url },
			routes: [conversing.route()],
		}
		const gateways = await Promise.all([1, 2].map(() => start(config, { as: 'process', env })))
		const accepted: string[] = []
		/** Tells one of the gateways; only what it acknowledged counts. */
		async function tell(gateway: { readonly url: string }, text: string, conversation: string): Promise<void> {
			const { status } = await send(gateway.url, conversing.call(conversing.event(text, { conversation })))
			if (status === 200) accepted.push(text)
		}
		const [first, second] = gateways
		if (!first || !second) throw new Error('there are two')
		for (let n = 0; n < 20; n++) {
			const text = (conversation: string) => `${conversation} ${String(n).padStart(2, '0')}`
			await tell(n % 2 === 0 ? first : second, text('left'), 'left')
			await tell(n % 2 === 0 ? second : first, text('right'), 'right')
		}
		expect(accepted).toHaveLength(40)
		await first.end('SIGKILL')
		up = true
		const taken = () => {
			const texts = backend.calls.map(({ body }) => String(JSON.parse(body).event.text))
			return ['left', 'right'].map((name) => [...new Set(texts.filter((text) => text.startsWith(name)))])
		}
		await expect.poll(() => taken().flat().length, { timeout: 20_000 }).toBe(40)
		for (const texts of taken()) expect(texts).toEqual(texts.toSorted())
		for (const gateway of gateways) expect(gateway.written()).not.toContain(postgresPassword)
	})
})
