/** The client of ChatBot's API in workerd, with the `fetch` of the runtime. */
import { afterEach, expect, test, vi } from 'vitest'
import { createChatBotClient } from '../../adapters/chatbot/management/index.ts'

afterEach(() => vi.restoreAllMocks())

test('reads a list, after a 429, and ends with its signal', async () => {
	const answers = [
		new Response('slow down', { status: 429, headers: { 'retry-after': '0' } }),
		Response.json([{ id: '5f5220d1ce93050007ba7402', error: false }]),
	]
	const sent = vi.spyOn(globalThis, 'fetch').mockImplementation(async () => answers.shift() ?? new Response())
	const client = createChatBotClient({ token: 'any' })
	expect(await client.list()).toEqual([{ id: '5f5220d1ce93050007ba7402', name: '', url: '' }])
	expect(sent).toHaveBeenCalledTimes(2)

	sent.mockRejectedValue(new TypeError('Network connection lost.'))
	await expect(client.list()).rejects.toMatchObject({ name: 'ChatBotError', code: 'unreachable' })
	vi.restoreAllMocks()
	await expect(client.list({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'aborted' })
})
