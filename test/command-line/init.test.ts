/** `dragoman init`, in an empty folder. */
import { spawn } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { dragoman } from '../harness/command.ts'
import { environment, program } from '../harness/gateway.ts'
import { has } from '../tools.ts'
import { folderWith } from './run.ts'

test('without a terminal it takes the defaults, and never replaces a configuration', async () => {
	const { path, remove } = folderWith({})
	onTestFinished(remove)
	const { code, out } = await dragoman(['init'], { cwd: path })
	expect([code, out]).toEqual([0, expect.stringContaining('Wrote config/gateway.json: /canonical -> builtin:demo\n')])
	expect(JSON.parse(readFileSync(join(path, 'config/gateway.json'), 'utf8'))).toEqual({
		upstream: { url: 'builtin:demo' },
		routes: [{ name: 'canonical', path: '/canonical', platform: 'canonical' }],
	})
	const again = await dragoman(['init'], { cwd: path })
	expect(again).toMatchObject({ code: 1, err: expect.stringContaining('config/gateway.json exists already.') })
})

test('options say what it would ask, and the result has no mistakes', async () => {
	const { path, remove } = folderWith({})
	onTestFinished(remove)
	const platforms = ['--platform', 'canonical', '--platform', 'chatbot-v2']
	const wrong = await dragoman(['init', ...platforms, '--upstream', 'localhost'], { cwd: path })
	expect(wrong).toMatchObject({ code: 2, err: expect.stringContaining('upstream.url: must be an absolute') })
	const { code } = await dragoman(['init', ...platforms, '--secrets'], { cwd: path })
	expect(code).toBe(0)
	const secrets = join(path, 'config/.env')
	expect(readFileSync(secrets, 'utf8')).toMatch(/^CANONICAL_SECRET=[\da-f]{48}\nCHATBOT_V2_SECRET=[\da-f]{48}\n$/)
	expect(statSync(secrets).mode & 0o777).toBe(0o600)
	expect(await dragoman(['check'], { cwd: path, env: { HOST: '0.0.0.0' } })).toMatchObject({ code: 0, err: '' })
})

test.skipIf(!has('script'))('in a terminal it asks, and asks again for a name that it does not know', async () => {
	const { path, remove } = folderWith({})
	onTestFinished(remove)
	const line = `exec ${process.execPath} ${program} init`
	const child = spawn('script', ['--quiet', '--return', '--command', line, '/dev/null'], {
		cwd: path,
		env: { ...environment, NO_COLOR: '1' },
		stdio: ['pipe', 'pipe', 'ignore'],
	})
	const ended = new Promise((done) => child.once('close', done))
	onTestFinished(async () => {
		child.kill()
		await ended
	})
	let said = ''
	child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
		said += chunk
	})
	const answer = async (question: RegExp, text: string): Promise<void> => {
		await expect.poll(() => said).toMatch(question)
		said = ''
		child.stdin.write(`${text}\r`)
	}
	await answer(/separated by commas \[1\]: /, '1 chatbotv2')
	await answer(/did you mean "chatbot-v2"[\s\S]+separated by commas/, '1, chatbot-v2')
	await answer(/URL of your backend \[builtin:demo\]: /, 'http://127.0.0.1:9000/')
	await answer(/Require a secret on each route\? \[y\/N\]: /, '')
	expect(await ended).toBe(0)
	const { upstream, routes } = JSON.parse(readFileSync(join(path, 'config/gateway.json'), 'utf8'))
	expect([upstream.url, routes.length]).toEqual(['http://127.0.0.1:9000/', 2])
})
