/** The call of a webhook: https://docs.botdistrikt.com/features/responses/webhooks, "Webhook Request". */
import type { EventLeg } from '../../src/adapter.ts'
import type { CanonicalEvent } from '../../src/canonical.ts'
import { defined, jsonRequest } from '../../src/codec.ts'
import { overQuery, queryRequest, readValues } from '../../src/form.ts'
import { type FieldNames, namesOf, putFields, takeFields } from '../../src/named-fields.ts'
import type { Options } from './index.ts'

/** Every field is one that the author named: the platform adds none of its own. */
export function eventLeg({ method, text, session, user }: Options): EventLeg {
	const told: FieldNames<'text' | 'session' | 'user'> = { text, session, user }
	return {
		carries: {
			'event.kind': { required: true, values: ['message'] },
			'event.sender': { required: true, values: ['user'] },
			'event.conversation': {},
			'event.user.id': {},
			'event.text': {},
			'event.attributes': { reserved: namesOf(told), ...(method === 'GET' && { strings: true }) },
		},

		decode(call) {
			const { values, unread } = overQuery(call, readValues(call))
			const { fields, rest, unread: untold } = takeFields(told, values, [])
			return {
				model: defined<CanonicalEvent>({
					kind: 'message',
					sender: 'user',
					conversation: fields.session,
					user: fields.user === undefined ? undefined : { id: fields.user, attributes: {} },
					text: fields.text,
					attributes: rest,
				}),
				unread: [...unread, ...untold],
			}
		},

		encode({ conversation, user, text, attributes }) {
			const values = putFields(told, attributes, { session: conversation, user: user?.id, text })
			return method === 'GET' ? queryRequest(values) : jsonRequest(values)
		},
	}
}
