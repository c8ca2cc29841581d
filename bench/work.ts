/** The work that every peer does: the call of ChatBot's own documentation, and a reply with a text, two choices and two attributes. */
import { readFileSync } from 'node:fs'
import * as v from 'valibot'
import { toEvent } from './peers/translate.mjs'

const Fixture = v.object({ wire: v.object({ json: v.looseObject({ chatId: v.string(), messageId: v.string() }) }) })

const documented = new URL('../adapters/chatbot-v2/fixtures/event.documented.json', import.meta.url)
const { wire } = v.parse(Fixture, JSON.parse(readFileSync(documented, 'utf8')))

/** The call, with names in place of the ids that differ from call to call. */
export const call = JSON.stringify({ ...wire.json, messageId: '{{id}}', chatId: '{{conversation}}' })

/** The same call in the canonical format. */
export const event = JSON.stringify(toEvent(JSON.parse(call)))

/** The upstream's reply. */
export const reply = JSON.stringify({
	messages: [
		{ type: 'text', text: 'Your parcel left our warehouse this morning and will be with you on Friday.' },
		{
			type: 'choices',
			text: 'Anything else?',
			choices: [
				{ title: 'Track it', value: 'track' },
				{ title: 'No, thanks', value: 'bye' },
			],
		},
	],
	attributes: { session: { order: '4711', state: 'sent' }, user: {} },
})

/** Secrets of the measured gateways, by the names of their environment variables. */
export const secrets = {
	BENCH_TOKEN: 'the token of the platform',
	BENCH_KEY: `whsec_${btoa('0123456789abcdef0123456789abcdef')}`,
}

/** The path and query of the call. */
export const target = `/bench?token=${encodeURIComponent(secrets.BENCH_TOKEN)}`

/** The gateway's route for the call; its origin has to be proved. */
export const route = {
	name: 'bench',
	path: '/bench',
	platform: 'chatbot-v2',
	// Words of the user: what was offered before is looked up.
	options: { text: 'foo' },
	secrets: [{ env: 'BENCH_TOKEN' }],
}

/** The answer of a program that does the work. */
export const answer = {
	responses: [
		{
			type: 'text',
			delay: 100,
			message: 'Your parcel left our warehouse this morning and will be with you on Friday.',
		},
		{
			type: 'quickReplies',
			delay: 100,
			title: 'Anything else?',
			buttons: [
				{ type: 'postback', title: 'Track it', value: 'track' },
				{ type: 'postback', title: 'No, thanks', value: 'bye' },
			],
		},
	],
	attributes: { order: '4711', state: 'sent' },
}
