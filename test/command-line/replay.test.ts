/** `dragoman replay`: recorded turns as a regression test. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import { expect, onTestFinished, test } from 'vitest'
import { dragoman } from '../harness/command.ts'
import { folderWith, inside } from './run.ts'

const recorded = {
	note: 'a greeting becomes a text of the platform',
	platform: 'chatbot-v2',
	options: { text: 'question' },
	call: { json: { chatId: 'c1', messageId: 'm1', userId: 'u1', attributes: { question: 'Hello' } } },
	upstream: {
		request: { json: { event: { kind: 'message', text: 'Hello' } } },
		response: { json: { messages: [{ type: 'text', text: 'Good day!' }] } },
	},
	answer: { json: { responses: [{ type: 'text', delay: 100, message: 'Good day!' }] } },
}

function folder(files: { readonly [name: string]: unknown }): string {
	const { path, remove } = folderWith(files)
	onTestFinished(remove)
	return path
}

test('what is answered as before is the same; what is not differs readably, and fails', async () => {
	const path = folder({
		'a.json': recorded,
		'b.json': {
			...recorded,
			upstream: { ...recorded.upstream, request: { json: { event: { text: 'Hullo' } } } },
			answer: { json: { responses: [{ type: 'text', delay: 100, message: 'Good evening!' }], attributes: {} } },
		},
	})
	const { code, out } = await dragoman(['replay', 'a.json', 'b.json'], { cwd: path })
	expect([code, out]).toEqual([
		1,
		`same       a.json: a greeting becomes a text of the platform
different  b.json: a greeting becomes a text of the platform
  upstream.request.json.event.text
    - "Hullo"
    + "Hello"
  answer.json.responses[0].message
    - "Good evening!"
    + "Good day!"
  answer.json.attributes
    - {}
    + (nothing)
`,
	])
	const json = await inside(['replay', join(path, 'b.json'), '--json'])
	expect(JSON.parse(json.out)[0].differences).toHaveLength(3)
})

test('a route of the configuration needs neither its secrets nor its backend', async () => {
	const { platform, options, ...turn } = recorded
	const path = folder({
		'gateway.json': {
			upstream: { url: 'http://backend.invalid/', sign: [{ env: 'KEY' }] },
			routes: [
				{
					name: 'shop',
					path: '/shop',
					platform: ['chatbot-v1', platform],
					options: { [platform]: options },
					secrets: [{ env: 'TOKEN' }],
				},
			],
		},
		'a.json': { ...turn, route: 'shop' },
		'b.json': { ...turn, route: 'other' },
	})
	const config = ['--config', join(path, 'gateway.json')]
	expect(await inside(['replay', join(path, 'a.json'), ...config])).toMatchObject({ code: 0, err: '' })
	const { code, err } = await inside(['replay', join(path, 'b.json'), ...config])
	expect([code, err]).toEqual([78, expect.stringContaining('there is no route "other"')])
})

test('a file that is no recorded turn is explained', async () => {
	const path = folder({ 'a.json': { ...recorded, note: undefined, anser: {} } })
	const { code, err } = await inside(['replay', join(path, 'a.json')])
	expect(code).toBe(2)
	expect(err).toContain('note: must be a string')
	expect(err).toContain('anser: no such field; did you mean "answer"?')
})

test('its schema is published', async () => {
	const { out } = await dragoman(['schema', 'recorded-turn'])
	const file = new URL('../../schema/recorded-turn.schema.json', import.meta.url)
	expect(JSON.parse(out)).toEqual(JSON.parse(readFileSync(file, 'utf8')))
})

test('the schema of recorded turns describes every member, for editors', () => {
	const schema: unknown = JSON.parse(readFileSync('schema/recorded-turn.schema.json', 'utf8'))
	expect(undescribed(schema, '')).toEqual([])
})

/** Paths of the members that have no description. */
function undescribed(schema: unknown, at: string): string[] {
	const { properties = {} } = v.parse(
		v.looseObject({ properties: v.optional(v.record(v.string(), v.unknown())) }),
		schema,
	)
	return Object.entries(properties).flatMap(([name, member]) => {
		const path = `${at}.${name}`
		const words = v.is(v.looseObject({ description: v.string() }), member) ? [] : [path]
		return [...words, ...undescribed(member, path)]
	})
}
