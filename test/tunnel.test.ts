/** The page on tunnels: what it checks on this machine is right, with the gateway itself in place of the tunnel's URL. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { adapters } from '../adapters/index.ts'
import { dragoman } from './harness/command.ts'
import { pageAt } from './pages.ts'
import { gateway } from './servers.ts'

const { block } = pageAt('docs/tunnel.md')

/** A folder with a configuration and the secrets that the page makes, and the arguments and variable of its last command. */
function prepared(config: object) {
	const at = mkdtempSync(join(tmpdir(), 'dragoman-tunnel-'))
	onTestFinished(() => rmSync(at, { recursive: true }))
	mkdirSync(join(at, 'config'))
	writeFileSync(join(at, 'config/gateway.json'), JSON.stringify(config))
	const lines = block('secrets').split('\n')
	const check = lines.pop() ?? ''
	execFileSync('sh', ['-ec', lines.join('\n')], { cwd: at })
	const [, host = '', args = ''] = /^HOST=(\S+) npx dragoman (.*)$/.exec(check) ?? []
	return { at, check: () => dragoman(args.split(' '), { cwd: at, env: { HOST: host } }) }
}

const config = JSON.parse(block('config'))

test('the check passes, and fails where a route has no secret', async () => {
	expect(await prepared(config).check()).toMatchObject({ code: 0, err: '' })
	const [{ secrets: _, ...open }, ...others] = config.routes
	expect(await prepared({ ...config, routes: [open, ...others] }).check()).toMatchObject({ code: 78 })
})

test('the challenge is answered, and the simulator talks, with the secret that was made', async () => {
	const { at } = prepared(config)
	const made = parseEnv(readFileSync(join(at, 'config/.env'), 'utf8'))
	const secrets = { CHATBOT_TOKEN: made.CHATBOT_TOKEN ?? '', TILEDESK_SECRET: made.TILEDESK_SECRET ?? '' }
	const { url } = await gateway(config, adapters, secrets)
	const here = (name: string) => block(name).replaceAll('https://YOUR-TUNNEL.example', url)
	// curl would wait for a server that is in this process.
	const [, target = ''] = /^curl "([^"]+)"/m.exec(here('challenge')) ?? []
	const answer = await fetch(target.replace('$CHATBOT_TOKEN', secrets.CHATBOT_TOKEN))
	expect([answer.status, await answer.text()]).toEqual([200, 'hello'])
	const [npx, program, ...args] = here('simulate').split(' ')
	expect([npx, program]).toEqual(['npx', 'dragoman'])
	const { code, out } = await dragoman(args, { cwd: at })
	expect([code, out]).toEqual([0, expect.stringContaining('1) Red')])
})
