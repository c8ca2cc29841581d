/** What the platform does when it is simulated: ids of conversations, and presses. Tiledesk/tiledesk-client, newRequestId; Tiledesk/chat21-web-widget. */
import * as v from 'valibot'
import { bodyAsJson, Json, jsonRequest, matches, type Simulated } from '../../src/format/index.ts'

const Message = v.objectWithRest({ attributes: v.optional(v.objectWithRest({}, Json)) }, Json)
const IntentCall = v.objectWithRest({ payload: v.objectWithRest({ message: Message }, Json) }, Json)
const MessageCall = v.objectWithRest({ payload: Message }, Json)

const withAction = (message: v.InferOutput<typeof Message>, action: string): object => ({
	...message,
	attributes: { ...message.attributes, action },
})

export const simulated: Simulated = {
	newConversation: (project, hex) => `support-group-${project}-${hex.padStart(32, '0').slice(-32)}`,
	/** A press sends the button's action as it stands. */
	pressed(call, action) {
		const body = bodyAsJson(call)
		if (matches(IntentCall, body)) {
			const { payload } = body
			return jsonRequest({ ...body, payload: { ...payload, message: withAction(payload.message, action) } })
		}
		const { payload, ...others } = v.parse(MessageCall, body)
		return jsonRequest({ ...others, payload: withAction(payload, action) })
	},
}
