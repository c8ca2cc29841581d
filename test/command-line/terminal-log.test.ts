/** The log in a terminal: short lines for turns, and with --verbose what was said. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { renderLogLine } from '../../src/node/terminal-log.ts'
import { environment, program } from '../harness/gateway.ts'
import { call } from '../servers.ts'
import { has } from '../tools.ts'
import { folderWith, inside } from './run.ts'

const at = new Date(2026, 0, 1, 13, 9, 31)
const turn = {
	level: 'info',
	msg: 'turn',
	turn: 'turn_1',
	route: 'chatbot',
	platform: 'chatbot-v1',
	upstream: 'canonical',
} as const

test('a turn is one line', () => {
	const changes = [
		'converted attributes.session.cart_count',
		'converted attributes.user.cart_total',
		'dropped last_seen_on',
	]
	expect(renderLogLine({ ...turn, kind: 'choice', status: 200, ms: 3, changes }, at)).toBe(
		'13:09:31  chatbot  chatbot-v1  choice  200  3 ms  3 changes: cart_count, cart_total converted; last_seen_on dropped',
	)
})

test('what is wrong stands below, and nothing commands the terminal', () => {
	const failed = {
		...turn,
		level: 'error',
		kind: 'message',
		status: 502,
		ms: 1,
		error: 'upstream-unreachable',
	} as const
	expect(renderLogLine({ ...failed, cause: 'ECONNREFUSED', notes: ['a\u009b31m'] }, at)).toBe(
		`13:09:31  chatbot  chatbot-v1  message  502  1 ms  error: upstream-unreachable
          a\\u009b31m
          ECONNREFUSED`,
	)
	expect(renderLogLine({ level: 'error', msg: 'reload', mistakes: ['routes: is missing'] }, at)).toBe(
		'13:09:31  reload\n          routes: is missing',
	)
})

test('what users write is printed in a terminal only', async () => {
	const { code, err } = await inside(['start', '--verbose'])
	expect([code, err]).toEqual([64, expect.stringContaining('it needs a terminal')])
})

test.skipIf(!has('script'))('with --verbose a terminal shows the event and the reply', async () => {
	const { path, remove } = folderWith({
		'gateway.json': {
			upstream: { url: 'builtin:demo' },
			routes: [{ name: 'own', path: '/own', platform: 'canonical' }],
		},
	})
	onTestFinished(remove)
	const line = [process.execPath, program, '--verbose', '--config', join(path, 'gateway.json')].join(' ')
	const child = spawn('script', ['--quiet', '--return', '--command', `exec ${line}`, '/dev/null'], {
		env: { ...environment, PORT: '0', NO_COLOR: '1' },
		stdio: ['pipe', 'pipe', 'ignore'],
	})
	const ended = new Promise((done) => child.once('close', done))
	onTestFinished(async () => {
		child.kill()
		await ended
	})
	let said = ''
	child.stdout.setEncoding('utf8').on('data', (chunk: string) => (said += chunk))
	await expect.poll(() => said).toMatch(/Listening on http:\S+/)
	await call(`${/Listening on (\S+)/.exec(said)?.[1]}/own`)
	await expect.poll(() => said).toMatch(/\d\d:\d\d:\d\d {2}own {2}canonical {2}message {2}200 {2}\d+ ms/)
	expect(said).toMatch(/ event {2}\{"kind":"message","text":"Hi".*\}\r?\n/)
	expect(said).toMatch(/ reply {2}\{"messages":\[\{"type":"text","text":"You said: Hi"/)
})
