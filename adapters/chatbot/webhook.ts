/** What the webhooks of both versions of ChatBot have alike, beside their answers. */
import * as v from 'valibot'
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

/** The option for a reply's user attributes, which the platform cannot store: drop them, or store them in the session. */
export const userAttributes = v.optional(v.picklist(['drop', 'session']), 'drop')
