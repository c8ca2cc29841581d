/** The examples of docs/canonical-model.md: each is valid and fits every platform, and the backends answer through a gateway. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as v from 'valibot'
import { expect, onTestFinished, test } from 'vitest'
import { adapters } from '../adapters/index.ts'
import { exampleReplies, exampleRequest, pageBlock } from '../scripts/page-examples.ts'
import { fitEvent, fitReply } from '../src/fit/index.ts'
import { BackendReply, BackendRequest, Message } from '../src/model/index.ts'
import { startBackend } from './backends.ts'
import { call, gatewayTo } from './servers.ts'
import { has } from './tools.ts'

const context = { turnId: 'turn_1', receivedAt: '2026-03-01T09:30:00.000Z' }
const request = v.parse(BackendRequest, exampleRequest())
const replies = Object.entries(exampleReplies()).map(([name, reply]) => ({ name, reply: v.parse(BackendReply, reply) }))

test('there is an example of each type of message', () => {
	const types = replies.flatMap(({ reply }) => reply.messages.map(({ type }) => type))
	const all = Message.options.map(({ entries }) => entries.type.literal)
	expect([...new Set(types)].toSorted()).toEqual(all.toSorted())
})

test.each(adapters)('the examples fit $name', ({ create, examples: [options] }) => {
	const adapter = create(options)
	const event = fitEvent(request.event, adapter.event, context).value
	expect(adapter.event.encode(event, request.turn).body.length).toBeGreaterThan(0)
	const leg = adapter.reply(event)
	for (const { name, reply } of replies) {
		if (!leg) continue
		const { value } = fitReply(reply, leg, context)
		expect(leg.decode(leg.encode(value)).model, name).toEqual(value)
		if (reply.messages.length > 0) expect(value.messages.length, name).toBeGreaterThan(0)
	}
})

for (const [file, program] of [
	['backend.mjs', process.execPath],
	['backend.py', 'python3'],
] as const) {
	test.skipIf(!has(program))(`${file} answers through a gateway`, async () => {
		const folder = mkdtempSync(join(tmpdir(), 'dragoman-page-'))
		onTestFinished(() => rmSync(folder, { recursive: true }))
		const path = join(folder, file)
		const backend = await startBackend((port) => {
			writeFileSync(path, pageBlock(file).replace('9000', `${port}`))
			return { command: [program, path] }
		})
		const { url } = await gatewayTo(backend)
		const answer = await call(`${url}/in`, { kind: 'message', text: 'Grüße' })
		expect(await answer.json()).toMatchObject({ messages: [{ type: 'text', text: 'You said: Grüße' }] })
	})
}
