/** The units of deploy/systemd: systemd takes them, they agree with the program, and its socket is the one we listen on. */
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { limits } from '../../src/limits.ts'
import { ownTo } from '../harness/platforms.ts'
import { has } from '../tools.ts'
import { deployed, folder, freePort, replaced, run } from './front.ts'

const socket = deployed('systemd/dragoman@.socket')
const service = deployed('systemd/dragoman@.service')
const settings = (name: string) => [...service.matchAll(RegExp(`^${name}=(.*)$`, 'gm'))].map(([, value]) => value)

/** The units of one instance in a folder of their own, with the Node that runs this. */
function units(): string[] {
	const at = folder()
	const files: [string, string][] = [
		[join(at, 'dragoman@8787.service'), replaced(service, [['/usr/bin/node', process.execPath]])],
		[join(at, 'dragoman@8787.socket'), socket],
	]
	for (const [file, text] of files) writeFileSync(file, text)
	return files.map(([file]) => file)
}

const analyse = (...args: readonly string[]) => {
	const { status, stdout, stderr } = spawnSync('systemd-analyze', args, { encoding: 'utf8', timeout: 20_000 })
	return { status, said: `${stdout}${stderr}`.split('\n').filter((line) => line.includes('dragoman')) }
}

test.skipIf(!has('systemd-analyze'))('systemd finds nothing wrong with them', () => {
	expect(analyse('verify', ...units())).toEqual({ status: 0, said: [] })
})

test.skipIf(!has('systemd-analyze'))(
	'the service is exposed as little as a program can be that opens connections',
	() => {
		const [file = ''] = units()
		// Of 100, where 0 is nothing at all.
		const { status, said } = analyse('security', '--offline=true', '--no-pager', '--threshold=20', file)
		expect([status, said]).toEqual([0, [expect.stringContaining('exposure level')]])
	},
)

test('they match what the program does', () => {
	const { bin } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
	expect(settings('ExecStart')).toEqual([`/usr/bin/node /opt/dragoman/current/${bin.dragoman}`])
	expect(settings('ExecReload')).toEqual(['/bin/kill -HUP $MAINPID'])
	// What is configured wrongly is not started again; test/node.test.ts and test/outbox/program.test.ts have these codes.
	expect(settings('RestartPreventExitStatus')).toEqual(['64 78'])
	// Longer than the ten seconds that turns in hand may take.
	expect(Number(settings('TimeoutStopSec')[0])).toBeGreaterThan(10)
})

test('the memory of the process is bounded, and holds its heap and everything beside it', () => {
	const mebibyte = 1024 * 1024
	const [heap = 0, ...others] = settings('Environment').flatMap((value) => {
		const found = /^NODE_OPTIONS=--max-old-space-size=(\d+)$/.exec(value ?? '')
		return found ? [Number(found[1]) * mebibyte] : []
	})
	expect(others).toEqual([])
	const [, gibibytes] = /^(\d+)G$/.exec(settings('MemoryMax')[0] ?? '') ?? []
	const { bodiesAtOnce, repliesAtOnce, uncountedBodyBytes } = limits
	const bodies = bodiesAtOnce.value + repliesAtOnce.value + 2000 * uncountedBodyBytes.value
	expect(Number(gibibytes) * 1024 * mebibyte).toBeGreaterThanOrEqual(heap + bodies + 256 * mebibyte)
	expect(heap).toBeGreaterThanOrEqual(128 * mebibyte)
	// The container is the same.
	const containerfile = readFileSync(new URL('../../Containerfile', import.meta.url), 'utf8')
	expect(containerfile).toContain(`ENV NODE_OPTIONS=--max-old-space-size=${heap / mebibyte}\n`)
	const docs = readFileSync(new URL('../../docs/deploy-node.md', import.meta.url), 'utf8')
	expect(docs).toContain(`--memory ${gibibytes}g --memory-swap ${gibibytes}g`)
})

test.skipIf(!has('systemd-socket-activate'))("systemd's socket is the one that is listened on", async () => {
	const port = await freePort()
	const file = join(folder(), 'gateway.json')
	writeFileSync(file, JSON.stringify(ownTo('builtin:demo')))
	const main = fileURLToPath(new URL('../../src/node/main.ts', import.meta.url))
	// HOST would want secrets of every route, if it counted.
	const env = { DRAGOMAN_CONFIG: file, HOST: '0.0.0.0', PORT: '1' }
	const named = Object.keys(env).flatMap((name) => ['-E', name])
	const { said } = run('systemd-socket-activate', ['-l', `127.0.0.1:${port}`, ...named, process.execPath, main], env)
	const ready = () =>
		fetch(`http://127.0.0.1:${port}/readyz`).then(
			({ status }) => status,
			() => 0,
		)
	await expect.poll(ready, { timeout: 20_000 }).toBe(200)
	expect(said()).toContain(`Listening on http://127.0.0.1:${port}\n`)
})
