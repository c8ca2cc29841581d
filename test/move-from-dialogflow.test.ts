/** The backend of docs/move-from-dialogflow.md does behind a gateway what its handler did. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import * as kit from '../src/backend/index.ts'
import { startBackend } from './backends.ts'
import { pageAt } from './pages.ts'
import { call, gatewayTo } from './servers.ts'

const page = pageAt('docs/move-from-dialogflow.md')

test('its intents, its attributes and its choices work', async () => {
	const at = mkdtempSync(join(tmpdir(), 'dragoman-move-'))
	onTestFinished(() => rmSync(at, { recursive: true }))
	const file = join(at, 'backend.mjs')
	const source = new URL('../src/backend/index.ts', import.meta.url).href
	writeFileSync(file, page.block('after').replace("'dragoman/backend'", `'${source}'`))
	const backend = await startBackend((port) => ({ command: [process.execPath, file], env: { PORT: `${port}` } }))
	const { url } = await gatewayTo(backend)
	const said = async (event: object) => (await call(`${url}/in`, event)).json()

	const trigger = { kind: 'intent', name: 'Order status', parameters: { id: '1207' } }
	expect(await said({ kind: 'message', text: 'Where is it?', trigger, conversation: 'c1' })).toMatchObject({
		messages: [
			{
				type: 'cards',
				cards: [{ title: 'Order 1207', buttons: [{ type: 'link', url: 'https://shop.example/1207' }] }],
			},
			{ type: 'choices', choices: [{ title: 'Cancel it', value: 'cancel-1207' }] },
		],
		attributes: { session: { order: '1207' } },
	})
	// A label that was typed, as a press comes back on platforms that return it.
	expect(
		await said({ kind: 'message', text: 'Cancel it', conversation: 'c1', attributes: { order: '1207' } }),
	).toMatchObject({
		messages: [{ text: 'Order 1207 is cancelled.' }],
		attributes: { session: { order: null } },
	})
	expect(await said({ kind: 'message', trigger: { kind: 'intent', name: 'Complaint' } })).toMatchObject({
		control: { handover: { to: 'human' } },
	})
	expect(await said({ kind: 'message', text: 'Hm' })).toMatchObject({ messages: [{ text: 'I did not understand.' }] })
})

test('each function that the tables name is one of the kit', () => {
	const rows = page.text.split('\n').filter((line) => /^\| .* \| .* \| .*\|$/.test(line))
	const called = rows.flatMap((row) =>
		[...(row.split(' | ')[1] ?? '').matchAll(/\b([a-z]+)\(/gi)].map(([, name = '']) => name),
	)
	expect(new Set(called).size).toBeGreaterThan(5)
	for (const name of called) expect(Object.keys(kit)).toContain(name)
})
