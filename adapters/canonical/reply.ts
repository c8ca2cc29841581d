/** The reply leg of our own JSON: a canonical reply as it stands. */
import {
	allOf,
	BackendReply,
	bodyAsJson,
	closestName,
	emptyReply,
	fieldPath,
	GatewayError,
	type Json,
	joinMistakes,
	jsonResponse,
	type ReplyLeg,
	replyFeatures,
	validate,
} from '../../src/format/index.ts'

export const reply: ReplyLeg = {
	carries: allOf(replyFeatures),
	decode(answer) {
		if (answer.body.trim() === '') return { model: emptyReply, unread: [] }
		const body = bodyAsJson(answer)
		refuseOtherShapes(body)
		const { wire, unread } = validate(BackendReply, body)
		return { model: wire, unread }
	},
	encode(model) {
		return jsonResponse(model)
	},
}

const names = Object.keys(BackendReply.entries)

/** Refuses what backends answer in place of a reply: a list, a reply in an envelope, or an object without messages. */
function refuseOtherShapes(body: Json): void {
	if (Array.isArray(body)) throw new GatewayError('field-invalid', { field: '', expected: 'an object' })
	if (typeof body !== 'object' || body === null || Object.hasOwn(body, 'messages')) return
	const others = Object.entries(body).filter(([key]) => !names.includes(key))
	const [envelope] = others.find(([, member]) => isReply(member)) ?? []
	if (envelope !== undefined) {
		const expected = 'the reply itself as the body, without an envelope'
		throw new GatewayError('field-invalid', { field: fieldPath([envelope]), expected })
	}
	// A misspelt name is suggested, with all other mistakes, when the reply is checked.
	if (others.length === 0 || others.some(([key]) => closestName(key, names) !== undefined)) return
	const reason = `; a reply has ${names.slice(0, -1).join(', ')} and ${names.at(-1)}, and "messages" is missing`
	throw joinMistakes(
		others.map(([key], i) => {
			const expected = `no such field${i === 0 ? reason : ''}`
			return new GatewayError('field-invalid', { field: fieldPath([key]), expected })
		}),
	)
}

function isReply(value: Json): boolean {
	return typeof value === 'object' && value !== null && Object.hasOwn(value, 'messages')
}
