/** The translation that every peer does: a call of ChatBot (version 2) to the canonical event, the canonical reply to its answer. */

/** The body of ChatBot's call, parsed, as the body of the call to the upstream. */
export function toEvent({ chatId, messageId, userId, externalId, node, userAttributes, attributes }) {
	const { default_name: name, default_email: email, ...others } = userAttributes
	const { id, name: nodeName, ...native } = node
	return {
		version: 1,
		event: {
			id: messageId,
			kind: 'message',
			sender: 'user',
			conversation: chatId,
			user: { id: userId, externalId, name, email, attributes: others },
			text: attributes.foo,
			trigger: { kind: 'block', id, name: nodeName },
			attributes,
			extensions: { 'chatbot-v2': { node: native } },
		},
	}
}

/** The body of the upstream's reply, parsed, as the body of the answer. */
export function toAnswer({ messages, attributes }) {
	return { responses: messages.map(toResponse), attributes: attributes.session }
}

function toResponse({ type, text, choices }) {
	if (type === 'text') return { type, delay: 100, message: text }
	const buttons = choices.map(({ title, value }) => ({ type: 'postback', title, value }))
	return { type: 'quickReplies', delay: 100, title: text, buttons }
}
