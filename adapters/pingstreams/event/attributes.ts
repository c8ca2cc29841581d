/** The session's attributes: those of the conversation, the page's payload and a flow's variables, without secrets. */

import { Attributes, fieldPath, type Json, matches, memberPath } from '../../../src/format/index.ts'
import type { Call } from './call.ts'

/** Names of secrets in the platform's documents. */
const secrets = ['secret', 'token', 'chatbotToken', 'chatbot_jwt_token', 'decodedCustomJWT', 'decoded_jwt']

/** The engine's own variables, which repeat other fields of the call: Tiledesk/tiledesk-chatbot, engine/TiledeskChatbotConst.js. */
const engineVariables = [
	...['project_id', 'conversation_id', 'chatbot_name', 'chatbot_id', 'last_message_id', 'chatChannel', 'payload'],
	...['user_id', 'user_language', 'userFullname', 'userEmail', 'userPhone', 'userLeadId'],
	...['last_user_text', 'lastUserText', 'lastUserMessage', 'lastUserMessageType'],
	...['lastUserImageURL', 'lastUserImageName', 'lastUserImageType', 'lastUserImageWidth', 'lastUserImageHeight'],
	...['lastUserDocumentURL', 'lastUserDocumentName', 'lastUserDocumentType'],
	...['lastUserDocumentAsAttachmentURL', 'lastUserDocumentAsInlineURL'],
]

/** The whole conversation so far, repeated in every call. */
const transcript = 'transcript'

/** Variables that are no attributes. */
export const reservedVariables: readonly string[] = [...engineVariables, transcript]

/**
 * The attributes of three places, later ones over earlier ones: the conversation's, the page's payload, the flow's
 * variables. A value hidden by another one of the same name is unread.
 */
export function decodeAttributes({ isMessage, message, variables, at }: Call): {
	attributes: Attributes
	unread: string[]
} {
	const here = at.split('.')
	const requestPath = [...here, ...(isMessage ? ['request'] : []), 'attributes']
	const { payload, ...request } = message.request?.attributes ?? {}
	const flow = Object.fromEntries(Object.entries(variables).filter(([key]) => !reservedVariables.includes(key)))
	const layers = [
		{ values: request, path: requestPath },
		{ values: message.attributes?.payload ?? {}, path: [...here, 'attributes', 'payload'] },
		{ values: payload ?? {}, path: [...requestPath, 'payload'] },
		{ values: flow, path: ['variables'] },
	]
	const unread = Object.hasOwn(variables, transcript) ? [`variables.${transcript}`] : []
	const merged = new Map<string, { value: Json; path: readonly string[] }>()
	for (const { values, path } of layers) {
		if (!matches(Attributes, values)) {
			unread.push(fieldPath(path))
			continue
		}
		for (const [key, value] of Object.entries(withoutSecrets(values))) {
			const hidden = merged.get(key)
			if (hidden && JSON.stringify(hidden.value) !== JSON.stringify(value))
				unread.push(fieldPath([...hidden.path, key]))
			merged.set(key, { value, path })
		}
	}
	const attributes = [...merged].map(([key, { value }]) => [key, value] as const)
	return { attributes: Object.fromEntries(attributes), unread }
}

/** Takes the path of a secret. */
type Found = (path: string) => void

/** The attributes without secrets, at any depth. `at` is their path. */
export function withoutSecrets(attributes: Attributes, at = '', found?: Found): Attributes {
	const others: { [key: string]: Json } = {}
	for (const [key, value] of Object.entries(attributes)) {
		const here = found ? memberPath(at, key) : ''
		if (secrets.includes(key)) found?.(here)
		else others[key] = withoutNestedSecrets(value, here, found)
	}
	return others
}

function withoutNestedSecrets(value: Json, at: string, found?: Found): Json {
	if (Array.isArray(value)) return value.map((item, i) => withoutNestedSecrets(item, found ? `${at}[${i}]` : '', found))
	return isObject(value) ? withoutSecrets(value, at, found) : value
}

// Array.isArray does not narrow a readonly list.
function isObject(value: Json): value is Attributes {
	return typeof value === 'object' && value !== null && !Array.isArray(value)
}
