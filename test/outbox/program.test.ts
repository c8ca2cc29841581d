/** The program with an outbox: how it refuses to start, and what `dragoman outbox` says and ends with. */
import { spawnSync } from 'node:child_process'
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { start } from '../servers.ts'
import { batchOf, entry, folder, keyOne, settingsOf, storeOf } from './parts.ts'

const main = fileURLToPath(new URL('../../src/node/main.ts', import.meta.url))

/** The program as it is started with this configuration, until it ends by itself. */
function run(config: object, ...args: string[]) {
	const file = join(folder(), 'gateway.json')
	writeFileSync(file, JSON.stringify(config))
	const env = { PATH: process.env.PATH, PORT: '0', DRAGOMAN_CONFIG: file, ONE: keyOne }
	const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
		env,
		encoding: 'utf8',
		timeout: 20_000,
	})
	return { status, stdout, stderr }
}

const rest = { upstream: { url: 'builtin:demo' }, routes: [{ name: 'own', path: '/own', platform: 'canonical' }] }

test('it lists stored events, whatever else is missing in the configuration', () => {
	const settings = settingsOf({ key: { env: 'ONE' } })
	const store = storeOf(settings)
	store.commit(batchOf({ entries: [entry('e1', 'c1', '"what the user wrote"')] }))
	const outbox = { file: settings.file, key: { env: 'ONE' } }
	const { status, stdout, stderr } = run({ outbox, routes: 'broken' }, 'outbox', 'list')
	expect([status, stderr]).toEqual([0, ''])
	expect(stdout).toMatch(/^e1 {2}in {2}waiting {2}0 attempts {2}accepted .+ {2}next .+ {2}\d+ bytes\n1 waiting\n$/)
	const json = JSON.parse(run({ outbox }, 'outbox', 'list', '--json').stdout)
	expect(json).toMatchObject({ events: [{ id: 'e1', route: 'in', state: 'waiting' }], counts: { waiting: 1 } })
	expect(run({ outbox }, 'outbox', 'show', 'e2')).toMatchObject({ status: 1, stdout: 'No such event.\n' })
})

test('it says in one sentence why it does not start, and exits with the documented code', () => {
	const settings = settingsOf({})
	const store = storeOf(settings)
	const outbox = { file: settings.file }
	const second = run({ ...rest, outbox })
	expect([second.status, second.stderr]).toEqual([
		69,
		expect.stringMatching(/^Another gateway is using the outbox \S+\. Stop it, .+\n$/),
	])
	store.close()
	writeFileSync(settings.file, 'x'.repeat(10_000))
	const corrupt = run({ ...rest, outbox })
	expect([corrupt.status, corrupt.stderr]).toEqual([69, expect.stringMatching(/^The outbox \S+ is corrupt\. .+\n$/)])
	expect(readFileSync(settings.file, 'utf8')).toBe('x'.repeat(10_000))
})

test('it does not start without the log of a process that was killed, until an operator accepts the loss', () => {
	const settings = settingsOf({})
	storeOf(settings).commit(batchOf({ entries: [entry('e1')] }))
	const outbox = { file: join(folder(), 'outbox.db') }
	copyFileSync(settings.file, outbox.file)
	const refused = { status: 69, stderr: expect.stringMatching(/^The log \S+-wal is missing, .+ accept-lost-log.+\n$/) }
	expect(run({ ...rest, outbox })).toMatchObject(refused)
	expect(run({ ...rest, outbox }, 'outbox', 'list')).toMatchObject(refused)
	expect(run({ ...rest, outbox }, 'outbox', 'accept-lost-log')).toMatchObject({ status: 0, stderr: '' })
	expect(run({ ...rest, outbox }, 'outbox', 'list')).toMatchObject({ status: 0, stdout: 'no stored events\n' })
})

test('an unknown command, or one without an outbox, is an error', () => {
	expect(run(rest, 'outbix')).toMatchObject({
		status: 64,
		stderr: expect.stringContaining('Unknown command "outbix"; did you mean "outbox"?'),
	})
	expect(run(rest, 'outbox', 'list')).toMatchObject({
		status: 78,
		stderr: expect.stringContaining('outbox: is missing'),
	})
})

test('the help needs no outbox', () => {
	const helped = { status: 0, stderr: '', stdout: expect.stringContaining('Usage: dragoman outbox') }
	expect(run(rest, 'outbox', '--help')).toMatchObject(helped)
	expect(run(rest, 'outbox')).toMatchObject(helped)
})

test('it says at the start that events are stored unencrypted, if they are', async () => {
	const outbox = { file: join(folder(), 'outbox.db') }
	const warning = 'events are stored unencrypted'
	const inClear = await start({ ...rest, outbox })
	await expect.poll(() => inClear.written()).toContain(warning)
	await inClear.end()
	const encrypted = await start({ ...rest, outbox: { ...outbox, key: { env: 'ONE' } } }, { env: { ONE: keyOne } })
	const without = await start(rest)
	for (const gateway of [encrypted, without]) {
		await gateway.end()
		expect(gateway.written()).not.toContain(warning)
	}
})
