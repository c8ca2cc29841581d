/** `dragoman preview`: one reply on every platform. */
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { adapters } from '../../adapters/index.ts'
import { folderWith, inside } from './run.ts'

function fileWith(reply: unknown): string {
	const { path, remove } = folderWith({ 'reply.json': reply })
	onTestFinished(remove)
	return join(path, 'reply.json')
}

const picture = { type: 'image', url: 'https://a.example/b.png', alt: 'A dog' }
const menu = { type: 'choices', text: 'Which?', choices: [{ title: 'Tea', value: 'tea' }] }

test('every platform shows the reply, those with the worst losses first', async () => {
	const file = fileWith({ messages: [menu, picture] })
	const { code, out } = await inside(['preview', file])
	expect(code).toBe(0)
	for (const { name } of adapters) expect(out).toMatch(RegExp(`^${name}[ :]`, 'm'))
	expect(out).toMatch(/canonical: all of it\n {2}\| Which\?\n {2}\| {3}1\) Tea\n {2}\| \[image\]/)
	const losses = [...out.matchAll(/: (?:(\d+) lost)?/g)].flatMap(([, lost]) =>
		lost === undefined ? [] : [Number(lost)],
	)
	expect(losses).toEqual(losses.toSorted((a, b) => b - a))
	expect(losses.length).toBeGreaterThan(0)
	const one = await inside(['preview', file, '--platform', 'canonical', '--json'])
	expect(JSON.parse(one.out)).toMatchObject([{ name: 'canonical', via: 'answer', changes: [] }])
})

test('an invalid reply is explained, with all mistakes', async () => {
	const { code, err } = await inside(['preview', fileWith({ messages: [{ type: 'texts' }, { type: 'text' }] })])
	expect(code).toBe(1)
	expect(err).toContain('messages[0].type: ')
	expect(err).toContain('messages[1].text: ')
	expect(await inside(['preview', '/nothing/here.json'])).toMatchObject({ code: 2 })
	expect((await inside(['preview', fileWith({}), '--platform', 'chatbot'])).err).toContain('did you mean "chatbot-v1"')
})
