/** How ChatBot.com calls a webhook, in both versions. */
import { type Adapter, echoChallenge, queryToken } from '../../src/format/index.ts'

/** Token and challenge: https://chatbot.com/help/webhooks/verification-request */
export const webhook = {
	methods: ['GET', 'POST'],
	deadline: 10_000,
	auth: queryToken('token'),
	...echoChallenge('challenge'),
} satisfies Partial<Adapter>

/** The attributes that hold the user's fields. */
export const profile = { name: 'default_name', email: 'default_email', phone: 'default_phone_number' } as const
