/** The kit for backends in workerd, with the cryptography of the runtime. */
import { expect, test } from 'vitest'
import { createBackend } from '../../src/backend/index.ts'

const secret = '0123456789abcdef01234567'
const turn = { id: 'turn_1', route: 'in', platform: 'canonical', answer: 'now', carries: [], changes: [] }
const body = JSON.stringify({ version: 1, event: { kind: 'message', text: 'Hi', attributes: {} }, turn })

async function macOf(text: string): Promise<string> {
	const bytes = new TextEncoder()
	const algorithm = { name: 'HMAC', hash: 'SHA-256' }
	const key = await crypto.subtle.importKey('raw', bytes.encode(secret), algorithm, false, ['sign'])
	const mac = new Uint8Array(await crypto.subtle.sign('HMAC', key, bytes.encode(text)))
	return btoa(String.fromCharCode(...mac))
}

test('it answers a signed call, and no other', async () => {
	const { fetch } = createBackend({ keys: `whsec_${btoa(secret)}`, answer: ({ text }) => `You said: ${text}` })
	const timestamp = `${Math.floor(Date.now() / 1000)}`
	const signature = `v1,${await macOf(`turn_1.${timestamp}.${body}`)}`
	const headers = { 'webhook-id': 'turn_1', 'webhook-timestamp': timestamp, 'webhook-signature': signature }
	const answer = await fetch(new Request('https://backend.example/', { method: 'POST', body, headers }))
	expect(await answer.json()).toEqual({ messages: [{ type: 'text', text: 'You said: Hi' }] })
	expect((await fetch(new Request('https://backend.example/', { method: 'POST', body }))).status).toBe(401)
})
