/** The page of each platform: the same questions in the same order, and a command that plays it. */
import { readFileSync } from 'node:fs'
import { beforeAll, expect, test } from 'vitest'
import { adapters } from '../adapters/index.ts'
import { type Gateway, serve } from '../src/node/serve.ts'
import { dragoman } from './harness/command.ts'
import { pageAt } from './pages.ts'

const platforms = adapters.map(({ name }) => name).filter((name) => name !== 'canonical')
const pages = platforms.map((name) => [name, pageAt(`adapters/${name}/README.md`)] as const)
const questions = [
	'Set it up',
	'Try it',
	'What your backend gets',
	'What it can answer',
	'What is lost',
	'Options',
	'Quirks',
]

test.each(pages)('the page of %s answers what a newcomer asks, in the order of the others', (_, { text }) => {
	const headings = [...text.matchAll(/^## (.+)$/gm)].map(([, heading = '']) => heading)
	expect(headings.filter((heading) => questions.includes(heading))).toEqual(questions)
	expect(text.slice(text.indexOf('## Set it up'), text.indexOf('## Try it'))).toContain('"secrets": [{ "env": ')
})

let gateway: Gateway
beforeAll(async () => {
	const config = JSON.parse(readFileSync(new URL('../config/gateway.json', import.meta.url), 'utf8'))
	gateway = await serve({ config, adapters, env: {}, log() {} })
	return () => gateway.close()
})

test.each(pages)('the simulator plays %s as its page says', async (name, page) => {
	const command = page.block('try it').replace('http://127.0.0.1:8787', gateway.url)
	const [npm, run, script, dashes, ...args] = command.split(' ')
	expect([npm, run, script, dashes, args[0]]).toEqual(['npm', 'run', 'simulate', '--', name])
	const { code, out } = await dragoman(['simulate', ...args])
	expect([code, out]).toEqual([
		0,
		expect.stringContaining(args.includes('--choose') ? 'You chose Red.' : '(the platform reads no answer)'),
	])
})
