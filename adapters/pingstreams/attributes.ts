/** The session's attributes: a flow's variables, the request's attributes and the page's payload, less what is not for a backend. */
import type { Attributes, Json } from '../../src/format/index.ts'

/** Names of secrets in the platform's documents. */
export const secrets = ['secret', 'token', 'chatbotToken', 'chatbot_jwt_token', 'decodedCustomJWT', 'decoded_jwt']

/** Variables of the runtime that other fields of the call tell: Tiledesk/tiledesk-chatbot, engine/TiledeskChatbotConst.js. */
const told = [
	...['project_id', 'conversation_id', 'chatbot_name', 'chatbot_id', 'last_message_id', 'chatChannel', 'payload'],
	...['user_id', 'user_language', 'userFullname', 'userEmail', 'userPhone', 'userLeadId'],
	...['last_user_text', 'lastUserText', 'lastUserMessage', 'lastUserMessageType'],
	...['lastUserImageURL', 'lastUserImageName', 'lastUserImageType', 'lastUserImageWidth', 'lastUserImageHeight'],
	...['lastUserDocumentURL', 'lastUserDocumentName', 'lastUserDocumentType'],
	...['lastUserDocumentAsAttachmentURL', 'lastUserDocumentAsInlineURL'],
]

/** The whole talk so far, over and over. */
const transcript = 'transcript'

/** Variables that are no attributes. */
export const reservedVariables: readonly string[] = [...told, transcript]

/** The variables that are attributes, and the paths of those that nothing else tells. */
export function takeVariables(variables: Attributes): { attributes: Attributes; unread: string[] } {
	const own = Object.entries(variables).filter(([key]) => !reservedVariables.includes(key))
	return {
		attributes: Object.fromEntries(own),
		unread: Object.hasOwn(variables, transcript) ? [`variables.${transcript}`] : [],
	}
}

/** The value without the secrets at any depth. */
export function withoutSecrets(attributes: Attributes): Attributes {
	return Object.fromEntries(
		Object.entries(attributes)
			.filter(([key]) => !secrets.includes(key))
			.map(([key, value]) => [key, purged(value)]),
	)
}

function purged(value: Json): Json {
	if (Array.isArray(value)) return value.map(purged)
	return isObject(value) ? withoutSecrets(value) : value
}

// Array.isArray does not narrow a readonly list.
function isObject(value: Json): value is Attributes {
	return typeof value === 'object' && value !== null && !Array.isArray(value)
}
