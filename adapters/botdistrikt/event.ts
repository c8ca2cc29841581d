/** The call of a webhook: https://docs.botdistrikt.com/features/responses/webhooks, "Webhook Request". */
import {
	absentFields,
	type CanonicalEvent,
	compact,
	type EventLeg,
	extractFields,
	type FieldMapping,
	insertFields,
	jsonRequest,
	mergeQuery,
	namesOf,
	queryRequest,
	readBodyValues,
} from '../../src/format/index.ts'
import type { Options } from './options.ts'

/** The author names every field; the platform adds none of its own. */
export function eventLeg({ method, text, session, user }: Options): EventLeg {
	const names: FieldMapping<'text' | 'session' | 'user'> = { text, session, user }
	return {
		carries: {
			'event.kind': { values: ['message'] },
			'event.sender': { required: true, values: ['user'] },
			'event.conversation': {},
			'event.user.id': {},
			'event.text': {},
			'event.attributes': { reserved: namesOf(names), ...(method === 'GET' && { strings: true }) },
		},

		decode(call) {
			const { values, unread } = mergeQuery(call, readBodyValues(call))
			const { fields, rest, unread: odd } = extractFields(names, values, [])
			return {
				model: compact<CanonicalEvent>({
					kind: 'message',
					sender: 'user',
					conversation: fields.session,
					user: fields.user === undefined ? undefined : { id: fields.user, attributes: {} },
					text: fields.text,
					attributes: rest,
				}),
				unread: [...unread, ...odd],
				...absentFields(names, values, ['text']),
			}
		},

		encode({ conversation, user, text, attributes }) {
			const values = insertFields(names, attributes, { session: conversation, user: user?.id, text })
			return method === 'GET' ? queryRequest(values) : jsonRequest(values)
		},
	}
}
