/** `dragoman init`, in an empty folder. */
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { dragoman, folderWith } from './run.ts'

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
