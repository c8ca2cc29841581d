/** The page on observability: its commands are what runs, and it knows every line of the log. */
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { adapters } from '../../adapters/index.ts'
import { pageAt } from '../pages.ts'
import { start } from '../servers.ts'

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
const { text: page, block } = pageAt('docs/observability.md')

test('the metrics are read as the page shows, after the call of the README', async () => {
	const { metrics } = JSON.parse(`{${block('config')}}`)
	const config = { ...JSON.parse(read('config/gateway.json')), metrics: { ...metrics, port: 0 } }
	const { url, metricsUrl } = await start(config, { as: 'server', adapters })
	const body = /-d '(.*)'$/s.exec(pageAt('README.md').block('call'))?.[1] ?? ''
	await fetch(`${url}/chatbot`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
	const command = block('curl').replace(`http://127.0.0.1:${metrics.port}/metrics`, `${metricsUrl}`)
	expect(command).toContain(`${metricsUrl}`)
	const { stdout } = await promisify(execFile)('sh', ['-c', command])
	expect(stdout).toBe(`${block('answer')}\n`)
})

test('every line of the log is explained', () => {
	const src = new URL('../../src/', import.meta.url)
	const sources = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
	const names = new Set(
		sources.flatMap((file) => [...read(`src/${file}`).matchAll(/\bmsg: '(\w+)'/g)].map(([, name]) => name)),
	)
	expect(names.size).toBeGreaterThan(10)
	const rows = page.split('\n').filter((line) => line.startsWith('| `'))
	for (const name of names)
		expect(
			rows.filter((row) => row.split('|')[1]?.includes(`\`${name}\``)),
			name,
		).not.toEqual([])
})

test('every field of a turn’s line is explained', () => {
	const source = read('src/turn/log.ts')
	const inObject = (from: string) => source.slice(source.indexOf(from), source.indexOf('\n}\n', source.indexOf(from)))
	const fields = [inObject('const line = {'), inObject('return {\n\t\terror: error?.code')].flatMap((text) =>
		[...text.matchAll(/^\t\t(\w+)(?::|,$)/gm)].map(([, name]) => name),
	)
	expect(fields).toContain('choicesForgotten')
	expect(fields).toContain('moreMistakes')
	const table = page.slice(page.indexOf('| Field of `turn` |'))
	for (const field of fields) if (field !== 'level' && field !== 'msg') expect(table, field).toContain(`\`${field}\``)
})
