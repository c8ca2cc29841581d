/** What the webhooks of both versions of ChatBot have alike, beside their answers. */
import * as v from 'valibot'
import { type Adapter, echoChallenge, type MergeTags, queryToken } from '../../src/format/index.ts'

/** Token and challenge: https://chatbot.com/help/webhooks/verification-request */
export const webhook = {
	methods: ['GET', 'POST'],
	deadline: 10_000,
	auth: queryToken('token'),
	...echoChallenge('challenge'),
} satisfies Partial<Adapter>

/** The attributes that hold the user's fields. */
export const profile = { name: 'default_name', email: 'default_email', phone: 'default_phone_number' } as const

/** Attributes in texts, under the names that the documents give them: https://www.chatbot.com/help/attributes/ */
export const mergeTags: MergeTags = {
	spellings: [{ open: '{{', close: '}}' }],
	fieldOf(name, { user }) {
		switch (name) {
			case 'default_id':
				return user?.id
			case profile.name:
				return user?.name
			case profile.email:
				return user?.email
			case profile.phone:
				return user?.phone
			default:
				return undefined
		}
	},
}

/** The option for a reply's user attributes, which the platform cannot store: drop them, or store them in the session. */
export const userAttributes = v.optional(v.picklist(['drop', 'session']), 'drop')
